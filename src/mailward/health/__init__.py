"""
From monitors to health sets to reports: worst-of, roll-up, component states.

Invariant: pure arithmetic over statuses; holds no state of its own.
"""
