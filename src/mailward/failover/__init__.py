"""
Which copy of a mailbox database may become the active one, and the safe steps to get there (design §4, "Moving").

Invariant: decides only, by values that are handed in, the present moment included. What is not known never makes a
copy eligible, a source fenced, or a switch proven.
"""
