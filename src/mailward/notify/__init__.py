"""
Channels: one file for each, each an implementation of the Notifier port.

Invariant: knows nothing of monitors or recoveries; sends what it is given, bounded in time, and never logs a secret.
"""
