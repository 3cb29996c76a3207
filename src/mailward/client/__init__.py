"""
Talks to a manager's API over its unix socket.

Invariant: imports only the standard library, the model and the Manager port, so that a command line starts fast.
"""
