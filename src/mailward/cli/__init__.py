"""
The command line, one file per command group.

Invariant: reads are one request to a running manager; starting fast matters, so heavy imports are lazy.
"""
