"""
Carrying out recoveries: the executor, its lease, and the deeds it may do.

What comes next, and why not, the room `recovery` decides; here it is looked up, written down, done, and written down
again. Invariant: no deed without its intent in the store, no second deed before the first one was looked at.
"""
