"""
The loops: schedule, judge, watch, tidy.

Invariant: does what pure functions decide. Meets probes, stores and platforms only as ports; one item that raises or
hangs never delays another.
"""
