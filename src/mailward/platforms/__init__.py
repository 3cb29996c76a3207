"""
How one kind of software or host is watched and controlled: implementations of the platform ports.

Invariant: every answer is read and checked; a host that could not be asked is unknown, never down.
"""
