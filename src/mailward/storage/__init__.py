"""
Store, Lease, Operations, Holds and Outbox on SQLite: all SQL, all migrations.

Invariant: no other room knows a database. One thread owns the connection; the event loop never waits for a disk. Only a
backup reads beside it, through a connection and on a thread of its own.
"""
