"""
What a conversation, its neighbours and the platform's evidence mean: the verdict.

Invariant: takes values and returns values. Fetches nothing, waits for nothing, and says UNKNOWN rather than guess.
"""
