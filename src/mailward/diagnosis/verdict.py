"""
The verdict: which tier is broken, how sure that is, and why.

An ordered list of small rules; the first that answers wins. The order is the argument: first what makes an observation
worthless (a fault of the prober), then what a host says of its own service, then the conversation from its first phase
to its last. Each rule rests on RFC 3501/9051/5530 where these say something, on measured behaviour otherwise, and each
names its source.

Invariant: CERTAIN needs two sources that agree, or a conversation that is proof in itself (a certificate, an answer
that says so). Nothing unknown ever raises a confidence. No rule knows which vendor it talks to.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from mailward.diagnosis.case import Case, build_case
from mailward.diagnosis.freshness import Freshness
from mailward.diagnosis.rules import (
    account,
    behind,
    delivery,
    door,
    handshake,
    login,
    prober,
    rejection,
    service,
    store,
)
from mailward.diagnosis.sentences import what_happened
from mailward.model.evidence import Evidence
from mailward.model.organization import Organization
from mailward.model.probing import Cause, ProbeResult, ResultType
from mailward.model.verdict import Confidence, Tier, Verdict

Rule = Callable[[Case], Verdict | None]

RULES: tuple[Rule, ...] = (
    prober.prober_overloaded,
    prober.prober_fault,
    prober.prober_has_no_network,
    delivery.not_delivered,
    service.service_down_on_its_host,
    prober.everything_is_out_of_reach,
    door.name_service,
    handshake.everybody_is_untrusted,
    handshake.certificate,
    door.access_point_itself,
    handshake.no_handshake,
    handshake.not_imap,
    door.prober_is_kept_out,
    door.no_way_there,
    door.full_house,
    door.nobody_serves,
    account.account_is_limited,
    account.account_is_full,
    account.account_has_expired,
    account.login_not_offered,
    rejection.rejected,
    login.cannot_ask_directory,
    login.login_unanswered,
    behind.back_end_unavailable,
    store.store_changed,
    store.content_differs,
    store.store_broken,
    store.mailbox_unanswered,
    store.session_ended,
    store.mailbox_missing,
    store.mailbox_in_use,
    store.push_missed,
)

_FRESHNESS = Freshness()


def diagnose(
    result: ProbeResult,
    *,
    organization: Organization,
    neighbours: Sequence[ProbeResult],
    evidence: Evidence,
    now: datetime,
    broken_since: datetime | None = None,
    well_at: datetime | None = None,
    freshness: Freshness = _FRESHNESS,
) -> Verdict | None:
    """
    Say where the fault lies that made *result* fail.

    Args:
        result: The failed measurement.
        organization: What there is; may be empty.
        neighbours: The latest result of every other probe and target. Stale ones are passed over, so are successes
            from before *broken_since*: they say nothing about a fault that came after them.
        evidence: What the platform shows; may be empty.
        now: The moment all ages are counted from.
        broken_since: When this target first failed, where known. Without it every fresh success counts, but one that
            ended before this measurement began makes no verdict certain.
        well_at: When this target last succeeded, where known: log lines from before are about something else. Without
            it they count from *broken_since*, which misses what a server said only once, when the fault began.
        freshness: How old a neighbour may be.

    Returns:
        The verdict, or None when nothing failed: a success, or a probe that did not apply.
    """
    if result.result in (ResultType.SUCCEEDED, ResultType.NOT_APPLICABLE):
        return None
    case = build_case(
        result,
        organization=organization,
        neighbours=neighbours,
        evidence=evidence,
        now=now,
        broken_since=broken_since,
        well_at=well_at,
        freshness=freshness,
    )
    for rule in RULES:
        verdict = rule(case)
        if verdict is not None:
            return verdict
    return _unexplained(case)


def diagnose_alone(result: ProbeResult) -> Verdict | None:
    """
    What one conversation with a server nobody has configured can tell (`mailward check HOST`).

    It cannot tell a dead host from a cut network, a proxy from a mailbox server, or a wrong password from a directory
    that lost its users, and says so by its confidence.
    """
    nothing = Organization(name="", servers={})
    return diagnose(result, organization=nothing, neighbours=(), evidence=Evidence(), now=result.at + result.took)


def _unexplained(case: Case) -> Verdict:
    tier, server = case.answering
    refused = case.cause is Cause.COMMAND_REJECTED
    return Verdict(
        tier=tier if refused else Tier.UNKNOWN,
        confidence=Confidence.UNKNOWN,
        server=server if refused else None,
        because=f"{case.entrance.name} {what_happened(case.result)}; no known fault looks like this",
    )
