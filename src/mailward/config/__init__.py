"""
Reads, merges, validates and explains the configuration: TOML to an immutable snapshot.

Invariant: reports all mistakes at once with file and line, and never shows a secret.
"""
