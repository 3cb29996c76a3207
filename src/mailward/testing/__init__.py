"""
Shipped fakes: servers that follow a script, time that tests own, networks that fail on demand.

Invariant: a fake passes the same contract tests as the real thing.
"""
