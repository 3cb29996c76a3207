"""
One probe a file: each holds one IMAP conversation over a Stream and returns what it saw.

Invariant: a probe touches only messages that carry our token, judges nothing, stores nothing, and never raises for
anything a server does.
"""
