"""Mail that is not delivered: what was answered is told, and nobody is blamed for what IMAP does not show."""

from mailward.diagnosis.case import Case
from mailward.diagnosis.sentences import shorten
from mailward.model.probing import Phase
from mailward.model.verdict import Confidence, Tier, Verdict


def not_delivered(case: Case) -> Verdict | None:
    """LMTP has its own services, queues and limits; the same mailbox was opened by IMAP a moment before."""
    if case.result.failed_phase is not Phase.DELIVERY:
        return None
    return Verdict(
        tier=Tier.UNKNOWN,
        confidence=Confidence.UNKNOWN,
        because=f"{case.entrance.name} does not deliver mail to {case.result.target}: {shorten(case.result.detail)}",
    )
