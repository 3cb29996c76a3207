"""
What people are told, and when: grouping by root cause, repeat, resolve, back-off.

Invariant: decides only; sends nothing, stores nothing.
"""
