"""A proxy that cannot get through to the mailbox server: that server, the way between, or the proxy's trust."""

from datetime import timedelta

from mailward.diagnosis.case import BEFORE_LOGIN, Case, Sighting, serving, was_let_in
from mailward.diagnosis.rules.handshake import described
from mailward.diagnosis.rules.login import mailbox_server_is_troubled
from mailward.diagnosis.sentences import affected, log_says, passed, seconds, what_happened
from mailward.diagnosis.wording.logs import Sign
from mailward.model.evidence import LogLine, ServiceState
from mailward.model.items import CTP_PROBE
from mailward.model.probing import CERTIFICATE_FAULTS, Cause, Phase
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict

_NO_WAY = (Cause.TIMEOUT, Cause.UNREACHABLE)
_ON_THE_PROXY = (
    Sign.BACKEND_REFUSES,
    Sign.BACKEND_UNREACHABLE,
    Sign.BACKEND_SILENT,
    Sign.BACKEND_LOGIN_SILENT,
    Sign.BACKEND_CERTIFICATE,
)


def back_end_unavailable(case: Case) -> Verdict | None:
    """
    The proxy says its mailbox server is unavailable (one text for refused, silent, full and distrusted: field notes
    §A), or leaves us waiting while that server is in trouble. What direct probes of the mailbox server meet decides:
    troubled, it is the fault itself; well, it is the way between the two (managed-availability §2.2); unknown, the
    proxy's log and the delay are all there is.
    """
    silent = case.phase is Phase.AUTH and case.cause in (Cause.TIMEOUT, Cause.CLOSED, Cause.BYE)
    if case.cause is not Cause.BACKEND_UNAVAILABLE and not (silent and case.entrance.passes_on):
        return None
    if not case.entrance.passes_on and case.mailbox_server == case.entrance.server:
        return _plain(case, sure=False, why="")  # nobody we know stands behind it
    for answer in (_crowded, _certificate, _distrusted, _in_trouble, _well):
        verdict = answer(case)
        if verdict is not None:
            return verdict
    return _unseen(case)


def _crowded(case: Case) -> Verdict | None:
    line = case.sign(case.mailbox_server, Sign.PROCESS_LIMIT)
    return _plain(case, sure=True, why=f"{log_says(case.mailbox_server, line)}") if line else None


def _certificate(case: Case) -> Verdict | None:
    shown = next((seen for seen in case.direct(case.mailbox_server) if seen.result.cause in CERTIFICATE_FAULTS), None)
    if shown is None:
        return None
    return _plain(
        case,
        sure=True,
        why=f"{case.mailbox_server} {what_happened(shown.result)}{described(case, shown.result)}",
        dependency=Dependency.CERTIFICATE,
    )


def _distrusted(case: Case) -> Verdict | None:
    """The proxy's log rejects a certificate; one that verifies from here leaves the proxy's own list of authorities."""
    line = _proxy_line(case, Sign.BACKEND_CERTIFICATE)
    if line is None:
        return None
    verified = next(
        (seen for seen in case.direct(case.mailbox_server) if seen.healthy and seen.result.certificate), None
    )
    if verified is None:
        return _plain(case, sure=False, why=log_says(line.server, line), dependency=Dependency.CERTIFICATE)
    return Verdict(
        tier=Tier.PROXY,
        confidence=Confidence.CERTAIN if verified.during else Confidence.PROBABLE,
        server=case.entrance.server or line.server,
        dependency=Dependency.CERTIFICATE,
        because=f"{log_says(line.server, line)}, but that certificate verifies from here: the proxy trusts the wrong"
        f" authorities{affected(case, case.mailbox_server)}",
    )


def _in_trouble(case: Case) -> Verdict | None:
    """Two views agree that the mailbox server is at fault: the proxy's and ours."""
    if not mailbox_server_is_troubled(case):
        return None
    server = case.mailbox_server
    failed = [seen for seen in case.direct(server) if seen.failed and not was_let_in(seen.result)]
    worst = min(failed, key=_depth)
    found = f"{worst.result.probe} finds that {server} {what_happened(worst.result)}"
    if worst.result.failed_phase is Phase.CONNECT and worst.result.cause in _NO_WAY:
        status = case.service(server)
        running = status is not None and status.state is ServiceState.RUNNING
        return Verdict(
            tier=Tier.NETWORK,
            confidence=Confidence.CERTAIN if running else Confidence.PROBABLE,
            server=server,
            dependency=Dependency.NETWORKING,
            because=f"neither {case.entrance.name} nor mailward reaches {server}"
            f"{', though its host says the service runs' if running else ''}: {found}{affected(case, server)}",
        )
    line = case.sign(server, Sign.AUTH_BROKEN)
    unasked = [seen for seen in failed if seen.result.cause is Cause.AUTH_UNAVAILABLE]
    at_door = any(seen.result.failed_phase in BEFORE_LOGIN for seen in unasked)
    at_login = worst.result.failed_phase is Phase.AUTH and worst.result.cause is Cause.TIMEOUT
    dependency = Dependency.AUTHENTICATION if line or at_login or at_door else None
    if worst.result.cause is Cause.AUTH_UNAVAILABLE and not dependency:
        return Verdict(
            tier=Tier.DIRECTORY,
            confidence=Confidence.CERTAIN,
            server=server,
            dependency=Dependency.DIRECTORY,
            because=f"{server} cannot ask its directory of users: {found}{affected(case, server)}",
        )
    return _plain(case, sure=True, why=log_says(server, line) if line else found, dependency=dependency)


def _well(case: Case) -> Verdict | None:
    """The mailbox server lets direct probes in, so it is the way there: all ways to it, or all ways from this proxy."""
    well = [seen for seen in case.direct(case.mailbox_server) if was_let_in(seen.result)]
    if not well or case.mailbox_server is None:
        return None
    line = _proxy_line(case, *_ON_THE_PROXY)
    culprit = _end_of_the_way(case)
    during = any(seen.during for seen in well)
    certain = during and (line is not None or culprit.confirmed)
    said = f"; {log_says(line.server, line)}" if line else ""
    return Verdict(
        tier=Tier.PATH,
        confidence=Confidence.CERTAIN if certain else Confidence.PROBABLE,
        server=culprit.server,
        dependency=Dependency.NETWORKING,
        because=f"{case.entrance.name} does not get through to {case.mailbox_server}, although that is well"
        f" ({passed(next(seen for seen in well if seen.during == during), case.now)}): look at the network between"
        f" them{said}{affected(case, case.mailbox_server)}",
    )


class _End:
    """Which end of a cut way to name, and whether another pair of servers confirms it."""

    def __init__(self, server: str | None, *, confirmed: bool) -> None:
        self.server = server
        self.confirmed = confirmed


def _end_of_the_way(case: Case) -> _End:
    proxy, server = case.entrance.server, case.mailbox_server
    here = [seen for seen in case.at(case.result.server, CTP_PROBE) if _serving(case, seen) not in (None, server)]
    reaches_others = any(was_let_in(seen.result) for seen in here)
    misses_others = any(seen.result.cause is Cause.BACKEND_UNAVAILABLE for seen in here)
    elsewhere = case.through(server, not_by=case.result.server)
    others_reach = any(was_let_in(seen.result) for seen in elsewhere)
    others_miss = any(seen.result.cause is Cause.BACKEND_UNAVAILABLE for seen in elsewhere)
    if others_miss and not others_reach:
        return _End(server, confirmed=True)
    if reaches_others:
        return _End(server, confirmed=others_reach)
    if others_reach or misses_others:
        return _End(proxy or server, confirmed=others_reach and proxy is not None)
    return _End(server, confirmed=False)


def _serving(case: Case, seen: Sighting) -> str | None:
    return serving(seen.result, case.organization)


def _unseen(case: Case) -> Verdict:
    """Nothing fresh is known of the mailbox server itself: the proxy's log, else the delay (field notes §A)."""
    line = _proxy_line(case, *_ON_THE_PROXY)
    if line is None:
        return _plain(case, sure=False, why=_by_the_delay(case))
    if case.sign(line.server, Sign.BACKEND_UNREACHABLE) is line:
        return Verdict(
            tier=Tier.PATH,
            confidence=Confidence.PROBABLE,
            server=case.mailbox_server,
            dependency=Dependency.NETWORKING,
            because=f"{case.entrance.name} does not get through to {case.mailbox_server or 'its mailbox server'}:"
            f" {log_says(line.server, line)}{affected(case, case.mailbox_server)}",
        )
    hangs = case.sign(line.server, Sign.BACKEND_LOGIN_SILENT) is line
    return _plain(
        case,
        sure=False,
        why=log_says(line.server, line),
        dependency=Dependency.AUTHENTICATION if hangs else None,
    )


def _by_the_delay(case: Case) -> str:
    proxy = case.organization.servers.get(case.entrance.server or "")
    point = case.organization.access_points.get(case.entrance.name)
    known = proxy or point
    patience = known.backend_timeout if known else timedelta(seconds=15)
    took = case.result.took
    if took >= patience * 0.9:
        guess = "as long as the proxy waits, so that server may hang or be cut off"
    elif took >= timedelta(seconds=9):
        guess = "which is how a process limit or a failing login process shows"
    elif took <= timedelta(seconds=3):
        guess = "so that server may refuse connections, or its certificate may not be accepted"
    else:
        guess = "which points at no particular fault"
    return f"the answer took {seconds(case.result)}, {guess}; nothing fresh is known of the server itself"


def _plain(case: Case, *, sure: bool, why: str, dependency: Dependency | None = None) -> Verdict:
    server = case.mailbox_server
    host = server or "the mailbox server behind it"
    reason = f": {why}" if why else ""
    how = (
        f"{case.entrance.name} cannot use {host}"
        if case.entrance.name != server
        else f"{case.entrance.name} {what_happened(case.result)}"
    )
    return Verdict(
        tier=Tier.MAILBOX_SERVER,
        confidence=Confidence.CERTAIN if sure and server else Confidence.PROBABLE,
        server=server,
        dependency=dependency,
        because=f"{how}{reason}{affected(case, server)}",
    )


def _proxy_line(case: Case, *signs: Sign) -> LogLine | None:
    return next((line for proxy in case.entrance.servers if (line := case.sign(proxy, *signs))), None)


def _depth(seen: Sighting) -> int:
    """How far a conversation came: the earlier one ended, the more it says of the service."""
    return list(Phase).index(seen.result.failed_phase or Phase.LOGOUT)
