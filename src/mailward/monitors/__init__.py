"""
From probe results to monitor states: rules, windows, the transition table.

Invariant: detects, never recovers. Knows no server by name, reads no clock: `now` is an argument.
"""
