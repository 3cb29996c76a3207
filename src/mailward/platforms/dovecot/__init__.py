"""
Dovecot 2.3 and 2.4 on this machine: what runs, how it is configured, and the accounts that probes use.

Invariant: Dovecot's own configuration is read, never written; what mailward needs there is a file of its own.
"""
