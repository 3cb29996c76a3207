"""Where a verdict sees the fault, in a few words: one wording for the terminal and the pages."""

from mailward.model.verdict import Tier, Verdict


def fault_text(verdict: Verdict) -> str:
    """Where a verdict sees the fault: "store of mbx2, certain", "directory, probable"."""
    if verdict.tier is Tier.UNKNOWN:
        return "cause unknown"
    place = f"{verdict.tier.value} of {verdict.server}" if verdict.tier is Tier.STORE else verdict.tier.value
    if verdict.server and verdict.tier is not Tier.STORE:
        place = f"{place} {verdict.server}"
    if verdict.dependency and verdict.dependency.value != verdict.tier.value:
        place = f"{place} ({verdict.dependency.value})"
    return f"{place}, {verdict.confidence.value}"
