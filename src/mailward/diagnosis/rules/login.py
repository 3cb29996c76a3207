"""Logins that get no answer, or the answer that nobody can be asked."""

from collections.abc import Collection

from mailward.diagnosis.case import BEFORE_LOGIN, DIRECT_PROBES, Case, Sighting, was_let_in
from mailward.diagnosis.sentences import affected, listed, log_says, what_happened
from mailward.diagnosis.wording.logs import Sign
from mailward.model.evidence import LogLine
from mailward.model.probing import Cause, Phase, ProbeResult
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict

_OF_THE_DIRECTORY = (Sign.DIRECTORY_BROKEN, Sign.PASSWORDS_UNREADABLE)


def cannot_ask_directory(case: Case) -> Verdict | None:
    """
    The server answers that it cannot check anybody now: it works, and what it asks (directory, user map, password file)
    does not (RFC 5530 UNAVAILABLE; field notes §A, "Temporary authentication failure"). Through a proxy the mailbox
    server's own failure reads the same, so its direct probes decide whose directory it is.
    """
    if case.cause is not Cause.AUTH_UNAVAILABLE:
        return None
    troubled = [seen for seen in case.direct(case.mailbox_server) if _has_trouble(seen.result)]
    behind = bool(case.entrance.passes_on and troubled)
    tier, server = (Tier.MAILBOX_SERVER, case.mailbox_server) if behind else case.answering
    if line := case.sign(server, Sign.AUTH_BROKEN):
        return _authentication(case, tier, server, line=line, sure=True)
    alike, peers_well = _peers(case, tier, server)
    line = case.sign(server, *_OF_THE_DIRECTORY)
    shared = bool(alike) and not peers_well
    sure = bool(line or alike or behind or _again(case))
    return _directory(case, server, alike=alike if shared else (), line=line, sure=sure)


def login_unanswered(case: Case) -> Verdict | None:
    """
    The login is left unanswered, or the connection is closed on it. A proxy gives up on a silent mailbox server before
    we do (its back-end time-out), so silence is its own authentication, or the directory if its peers are silent
    alike while the mailbox servers are well. Closing is what a full or crashing service does (field notes §A,
    process_limit).
    """
    if case.phase is not Phase.AUTH or case.cause not in (Cause.TIMEOUT, Cause.CLOSED, Cause.BYE):
        return None
    if case.entrance.passes_on and mailbox_server_is_troubled(case):
        return None  # the rules about what stands behind the proxy know more
    tier, server = case.answering
    if case.cause is not Cause.TIMEOUT:
        return _turned_away(case, tier, server)
    if line := case.sign(server, *_OF_THE_DIRECTORY):
        return _directory(case, server, alike=_peers(case, tier, server)[0], line=line, sure=True)
    alike, peers_well = _peers(case, tier, server, only=Cause.TIMEOUT)
    if alike and not peers_well:
        return _directory(case, server, alike=alike, line=None, sure=False)
    return _authentication(
        case,
        tier,
        server,
        line=case.sign(server, Sign.AUTH_BROKEN) or _proxy_log(case, Sign.BACKEND_LOGIN_SILENT),
        sure=_again(case) is not None or _admits_waiting(case.result),
    )


def mailbox_server_is_troubled(case: Case) -> bool:
    """Whether direct probes of the mailbox server fail up to and including the login, not for the account's sake."""
    return any(_is_down(seen.result) for seen in case.direct(case.mailbox_server))


def _is_down(result: ProbeResult) -> bool:
    early = result.failed_phase in BEFORE_LOGIN or result.cause in (Cause.REFUSED, Cause.UNREACHABLE)
    return result.result.is_failure and (early or (result.failed_phase is Phase.AUTH and _has_trouble(result)))


def _has_trouble(result: ProbeResult) -> bool:
    at_login = result.failed_phase is Phase.AUTH and result.cause in (Cause.TIMEOUT, Cause.CLOSED, Cause.BYE)
    return at_login or result.cause is Cause.AUTH_UNAVAILABLE


def _again(case: Case) -> Sighting | None:
    """Another account that meets the same at the same server."""
    others = case.at(case.result.server)
    return next((seen for seen in others if seen.result.cause is case.cause and _has_trouble(seen.result)), None)


def _peers(
    case: Case, tier: Tier, server: str | None, *, only: Cause | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The other servers of that tier which meet the same trouble, and those which let somebody in."""
    same_tier = [
        seen
        for seen in case.sightings
        if seen.result.server not in (server, case.result.server)
        and (seen.result.probe in DIRECT_PROBES) == (tier is Tier.MAILBOX_SERVER)
    ]
    alike = [seen for seen in same_tier if _has_trouble(seen.result) and only in (None, seen.result.cause)]
    return _servers(alike), _servers([seen for seen in same_tier if was_let_in(seen.result)])


def _servers(sightings: list[Sighting]) -> tuple[str, ...]:
    return tuple(sorted({seen.result.server for seen in sightings}))


def _proxy_log(case: Case, sign: Sign) -> LogLine | None:
    proxies = [proxy.name for proxy in case.organization.proxies]
    return next((line for proxy in proxies if (line := case.sign(proxy, sign))), None)


def _admits_waiting(result: ProbeResult) -> bool:
    """Dovecot tells a client whose login hangs that it waits for its own authentication process."""
    return any("authentication process to respond" in line for line in result.transcript)


def _directory(case: Case, server: str | None, *, alike: Collection[str], line: LogLine | None, sure: bool) -> Verdict:
    together = sorted({*alike, *([server] if server else [])})
    who = listed(together) if alike else case.entrance.name
    same = f"; {who} fail alike, so it is what they share" if alike else ""
    return Verdict(
        tier=Tier.DIRECTORY,
        confidence=Confidence.CERTAIN if sure else Confidence.PROBABLE,
        server=None if alike else server,
        dependency=Dependency.DIRECTORY,
        because=f"{case.entrance.name} {what_happened(case.result)}: it cannot ask its directory of users"
        f"{f', and {log_says(line.server, line)}' if line else ''}{same}{affected(case, server)}",
    )


def _authentication(case: Case, tier: Tier, server: str | None, *, line: LogLine | None, sure: bool) -> Verdict:
    return Verdict(
        tier=tier,
        confidence=Confidence.CERTAIN if sure or line else Confidence.PROBABLE,
        server=server,
        dependency=Dependency.AUTHENTICATION,
        because=f"{case.entrance.name} {what_happened(case.result)}, so the authentication service"
        f" {f'of {server} ' if server else ''}hangs or is broken"
        f"{f': {log_says(line.server, line)}' if line else ''}{affected(case, server)}",
    )


def _turned_away(case: Case, tier: Tier, server: str | None) -> Verdict:
    line = case.sign(server, Sign.PROCESS_LIMIT, Sign.AUTH_BROKEN)
    broken = line is not None and line == case.sign(server, Sign.AUTH_BROKEN)
    why = log_says(server, line) if line else "look for a process limit or a crash"
    return Verdict(
        tier=tier,
        confidence=Confidence.CERTAIN if line or _again(case) else Confidence.PROBABLE,
        server=server,
        dependency=Dependency.AUTHENTICATION if broken else None,
        because=f"{case.entrance.name} {what_happened(case.result)}: {why}{affected(case, server)}",
    )
