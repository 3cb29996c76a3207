"""
Talks to a manager's API over its unix socket.

Invariant: imports only the standard library and the model, so that a command line starts fast.
"""
