"""
Store and Lease on SQLite: all SQL, all migrations.

Invariant: no other room knows a database. One thread owns the connection; the event loop never waits for a disk.
"""
