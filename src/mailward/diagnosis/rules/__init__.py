"""
The rules, one question each: given a case, a verdict or "not my case" (None).

Each file holds the rules about one stage of a conversation; their order is in `diagnosis/verdict.py`.
"""
