"""What a host says of its own service, where its conversations agree."""

from mailward.diagnosis.case import BEFORE_LOGIN, DIRECT_PROBES, Case
from mailward.diagnosis.sentences import affected, at_time, what_happened
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.items import PROXY_TEST_PROBE
from mailward.model.probing import Cause, Phase
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict

_DOWN = frozenset({ServiceState.FAILED, ServiceState.STOPPED, ServiceState.HUNG})
#: What a server whose service is down or hung looks like from outside, at the door ...
_AT_THE_DOOR = frozenset({Cause.REFUSED, Cause.TIMEOUT, Cause.CLOSED, Cause.BYE, Cause.UNREACHABLE, Cause.TLS_FAILED})
#: ... and behind another one, or while a session goes on.
_FURTHER_IN = frozenset({Cause.BACKEND_UNAVAILABLE, Cause.TIMEOUT, Cause.CLOSED, Cause.BYE, Cause.AUTH_UNAVAILABLE})


def service_down_on_its_host(case: Case) -> Verdict | None:
    """
    The host of the server that should have answered says that its IMAP service failed, was stopped on purpose, or
    hangs, and the conversation looks like that. Two sources agree, so this is certain. Failed and stopped are told
    apart because only a failed service may be started (design §4).
    """
    for tier, server in _who_should_have_answered(case):
        status = case.service(server)
        if status is not None and status.state in _DOWN:
            return _down(case, tier, server, status)
    return None


def _who_should_have_answered(case: Case) -> tuple[tuple[Tier, str], ...]:
    entrance = case.entrance
    if case.phase in BEFORE_LOGIN and case.cause in _AT_THE_DOOR:
        if entrance.server is None and not _all_down(case):
            return ()  # another server behind the access point should have answered
        return tuple((_tier_of(case, name), name) for name in entrance.servers)
    if case.cause not in _FURTHER_IN:
        return ()
    behind = ((Tier.MAILBOX_SERVER, case.mailbox_server),) if case.mailbox_server else ()
    front = ((entrance.tier, entrance.server),) if entrance.server and entrance.passes_on else ()
    return tuple((tier, name) for tier, name in (*behind, *front) if name)


def _all_down(case: Case) -> bool:
    states = [case.service(name) for name in case.entrance.servers]
    return bool(states) and all(status is not None and status.state in _DOWN for status in states)


def _tier_of(case: Case, server: str) -> Tier:
    known = case.organization.servers.get(server)
    if case.entrance.tier is not Tier.ACCESS_POINT or known is None:
        return case.entrance.tier
    return Tier.PROXY if known.is_proxy else Tier.MAILBOX_SERVER


def _down(case: Case, tier: Tier, server: str, status: ServiceStatus) -> Verdict:
    who = case.entrance.name if case.phase in BEFORE_LOGIN else case.result.server
    since = f" at {at_time(status.since, case.now)}" if status.since else ""
    said = {
        ServiceState.FAILED: f"the IMAP service failed{since}",
        ServiceState.STOPPED: f"the IMAP service was stopped on purpose{since}",
        ServiceState.HUNG: "the IMAP service hangs in the kernel, so that a restart would not help"
        if status.in_kernel
        else "the IMAP service hangs",
    }[status.state]
    return Verdict(
        tier=tier,
        confidence=Confidence.CERTAIN,
        server=server,
        dependency=_what_hangs(case, server, status),
        because=f"{who} {what_happened(case.result)}, and the host of {server} says {said}"
        f" ({status.because}){affected(case, server)}",
    )


def _what_hangs(case: Case, server: str, status: ServiceStatus) -> Dependency | None:
    """A process in the kernel waits for its store; one that still greets and leaves logins unanswered, for its auth."""
    if status.state is not ServiceState.HUNG:
        return None
    if status.in_kernel:
        return Dependency.INFORMATION_STORE
    met = [case.result, *(seen.result for seen in case.at(server, *DIRECT_PROBES, PROXY_TEST_PROBE))]
    here = [result for result in met if result.server == server or server in case.entrance.servers]
    unanswered = any(result.failed_phase is Phase.AUTH and result.cause is Cause.TIMEOUT for result in here)
    return Dependency.AUTHENTICATION if unanswered else None
