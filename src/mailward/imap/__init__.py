"""
The IMAP client conversation without I/O: bytes in, events out; commands in, bytes out.

Invariant: never touches a socket, a clock or a log, and holds hard limits, so that no server can make it wait, grow or
loop. It does not know what a failure means; that is diagnosis.
"""
