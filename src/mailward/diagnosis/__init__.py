"""
What a conversation, its neighbours and the platform's evidence mean: the verdict.

Invariant: takes values and returns values. Fetches nothing, waits for nothing, and says UNKNOWN rather than guess.
"""

from mailward.diagnosis.freshness import Freshness
from mailward.diagnosis.replies import cause_of_reply
from mailward.diagnosis.verdict import diagnose, diagnose_alone

__all__ = ["Freshness", "cause_of_reply", "diagnose", "diagnose_alone"]
