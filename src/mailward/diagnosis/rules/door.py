"""Conversations that end before the login: the name, the way, the listener, the handshake, the greeting."""

from mailward.diagnosis.case import BEFORE_LOGIN, SPOKEN_AT_DOOR, Case, Sighting
from mailward.diagnosis.sentences import affected, listed, log_says, passed, what_happened
from mailward.diagnosis.wording.logs import Sign
from mailward.model.evidence import LogLine, ServiceState
from mailward.model.items import PROXY_TEST_PROBE, SELF_TEST_PROBE
from mailward.model.probing import Cause, Phase
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict

_NO_WAY = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE})
_NO_ANSWER = _NO_WAY | {Cause.REFUSED}


def name_service(case: Case) -> Verdict | None:
    """
    The name could not be looked up. That a name does not exist is the name service's own, conclusive answer; that it
    did not answer is certain only when another name failed too.
    """
    if case.phase is not Phase.DNS and case.cause not in (Cause.NAME_UNKNOWN, Cause.NAME_SERVICE_FAILED):
        return None
    others = [seen.result.server for seen in case.sightings if seen.result.failed_phase is Phase.DNS]
    sure = case.cause is Cause.NAME_UNKNOWN or bool(others)
    also = f"; so did that of {listed(others)}" if others else ""
    what = (
        f"the name of {case.entrance.name} does not exist"
        if case.cause is Cause.NAME_UNKNOWN
        else f"the look-up of the name of {case.entrance.name} failed"
    )
    return Verdict(
        tier=Tier.NAME_SERVICE,
        confidence=Confidence.CERTAIN if sure else Confidence.PROBABLE,
        dependency=Dependency.NAME_SERVICE,
        because=f"{what}{also}",
    )


def access_point_itself(case: Case) -> Verdict | None:
    """
    Nobody behind the access point was reached. Servers behind it that are well themselves leave the access point (its
    name, load balancer or forwarding); if all of them are broken, they are the fault (design §3; field notes §F:
    HAProxy without a healthy server accepts and closes).
    """
    entrance = case.entrance
    if entrance.tier is not Tier.ACCESS_POINT or case.phase not in BEFORE_LOGIN or not entrance.servers:
        return None
    seen = {name: case.at(name, PROXY_TEST_PROBE, SELF_TEST_PROBE) for name in entrance.servers}
    well = [looks[0] for looks in seen.values() if looks and all(look.healthy for look in looks)]
    broken = [name for name, looks in seen.items() if any(look.failed for look in looks)]
    if broken and entrance.server:
        return None  # one server only: what it meets itself says more
    if len(broken) == len(seen):
        proxied = entrance.passes_on
        one_source = case.phase is Phase.CONNECT  # a ban would look the same everywhere
        return Verdict(
            tier=_broken_tier(case, broken, proxied=proxied),
            confidence=Confidence.PROBABLE if one_source else Confidence.CERTAIN,
            server=entrance.server,
            dependency=_broken_dependency(case, broken),
            because=f"{entrance.name} {what_happened(case.result)}, and everything behind it is broken as well:"
            f" {_how_each(case, broken)}{affected(case, entrance.server)}",
        )
    if len(well) == len(seen):
        sure = all(look.during for look in well)
        return Verdict(
            tier=Tier.ACCESS_POINT,
            confidence=Confidence.CERTAIN if sure else Confidence.PROBABLE,
            dependency=Dependency.NETWORKING if case.cause in _NO_ANSWER else None,
            because=f"{entrance.name} {what_happened(case.result)}, while {listed(entrance.servers)} behind it"
            f" {'is' if len(well) == 1 else 'are'} well: {passed(well[0], case.now)}",
        )
    return None


def prober_is_kept_out(case: Case) -> Verdict | None:
    """
    We are not let in, others are: a ban (fail2ban), a firewall or a route between the prober and this server. Proof
    that others are let in is a conversation through a proxy that reached this mailbox server, or a user's login in its
    log (design §2: "being banned … is a fault of the monitoring").
    """
    server = case.entrance.server
    if case.phase is not Phase.CONNECT or case.cause not in _NO_ANSWER or server is None:
        return None
    served = next((seen for seen in case.through(server) if seen.healthy), None)
    user = case.served_somebody(server)
    if served is None and user is None:
        return None
    status = case.service(server)
    running = status is not None and status.state is ServiceState.RUNNING
    proof = passed(served, case.now) if served else log_says(server, user) if user else ""
    sure = (served is not None and served.during) or (user is not None and running)
    return Verdict(
        tier=Tier.MONITORING,
        confidence=Confidence.CERTAIN if sure else Confidence.PROBABLE,
        dependency=Dependency.MONITORING,
        because=f"{server} {what_happened(case.result)} for mailward only: {proof}; look for a ban or a firewall rule"
        " against the prober's address",
    )


def no_way_there(case: Case) -> Verdict | None:
    """
    Packets vanish or no route exists. A cut network, a host that is off and a ban of the prober look alike from here
    (field notes §H). Certain only when the host reports its service as running and a proxy does not get there either.
    """
    if case.phase is not Phase.CONNECT or case.cause not in _NO_WAY:
        return None
    server = case.entrance.server
    status = case.service(server)
    elsewhere = next((seen for seen in case.sightings if seen.healthy and seen.result.server != server), None)
    other = f"; {passed(elsewhere, case.now)}" if elsewhere else ""
    running = status is not None and status.state is ServiceState.RUNNING
    nobody = any(seen.result.cause is Cause.BACKEND_UNAVAILABLE for seen in case.through(server, not_by=server))
    reason = "the host or the way to it is down"
    if running:
        reason = "its host says the service runs, so the network is cut" + ("" if nobody else " or keeps mailward out")
    return Verdict(
        tier=Tier.NETWORK,
        confidence=Confidence.CERTAIN if running and nobody else Confidence.PROBABLE,
        server=server,
        dependency=Dependency.NETWORKING,
        because=f"{case.entrance.name} {what_happened(case.result)}: {reason}{other}{affected(case, server)}",
    )


def nobody_serves(case: Case) -> Verdict | None:
    """
    The host is there and its IMAP service is not: the connection is refused, or taken and left without handshake or
    greeting, or ended at once. A broken authentication service keeps Dovecot from greeting at all. Certain when another
    conversation meets the same, seen from another account or through a proxy, or when the log says why.
    """
    if case.phase not in BEFORE_LOGIN or case.cause in (Cause.LIMIT, Cause.COMMAND_REJECTED):
        return None
    server, entrance = case.entrance.server, case.entrance
    line = case.sign(server, Sign.AUTH_BROKEN, Sign.PASSWORDS_UNREADABLE)
    admitted = _admits_broken_authentication(case)
    why = _why_nobody_serves(case, server, line)
    status = case.service(server)
    unclear = status is not None and status.state is ServiceState.RUNNING and case.cause is Cause.REFUSED
    doubt = "; its host says the service runs: look for a closed listener or a firewall" if unclear and not why else ""
    return Verdict(
        tier=case.answering[0],
        confidence=Confidence.CERTAIN if why or admitted else Confidence.PROBABLE,
        server=server,
        dependency=Dependency.AUTHENTICATION if line or admitted else None,
        because=f"{entrance.name} {what_happened(case.result)}{f', and {why}' if why else ''}{doubt}"
        f"{affected(case, server)}",
    )


def _admits_broken_authentication(case: Case) -> bool:
    """Whether the server itself says, to us or to another probe, that its authentication is why it does not greet."""
    here = (*case.at(case.result.server), *case.at(case.entrance.server))
    met = [case.result, *(seen.result for seen in here if seen.failed)]
    return any(result.cause is Cause.AUTH_UNAVAILABLE and result.failed_phase in SPOKEN_AT_DOOR for result in met)


def _why_nobody_serves(case: Case, server: str | None, line: LogLine | None) -> str:
    said = line or case.sign(server, Sign.PROCESS_LIMIT)
    if said:
        return log_says(server, said)
    also = _also_broken(case, server)
    if also is None:
        return ""
    if also.result.server != server:
        return f"{also.result.probe} through {also.result.server} fails as well"
    return f"its {also.result.probe} for {also.result.target} fails as well"


def full_house(case: Case) -> Verdict | None:
    """Turned away at the door for too many connections: nobody has said who we are yet, so it is the server's limit."""
    if case.phase not in BEFORE_LOGIN or case.cause is not Cause.LIMIT:
        return None
    server = case.entrance.server
    line = case.sign(server, Sign.PROCESS_LIMIT)
    return Verdict(
        tier=case.answering[0],
        confidence=Confidence.CERTAIN if line else Confidence.PROBABLE,
        server=server,
        because=f"{case.entrance.name} takes no more connections: it {what_happened(case.result)}"
        f"{f', and {log_says(server, line)}' if line else ''}{affected(case, server)}",
    )


def _also_broken(case: Case, server: str | None) -> Sighting | None:
    """
    Somebody else who finds this server silent: a proxy that says its back end is unavailable, or another probe of ours.
    Two of ours that get no connection are one source only: a ban or a firewall would meet them both.
    """
    if server is None:
        return None
    connected = BEFORE_LOGIN - {Phase.CONNECT} if case.phase is not Phase.CONNECT else frozenset()
    own = [seen for seen in case.at(server) if seen.failed and seen.result.failed_phase in connected]
    relayed = [
        seen
        for seen in case.through(server, not_by=server)
        if seen.failed and seen.result.cause in (Cause.BACKEND_UNAVAILABLE, Cause.TIMEOUT)
    ]
    return next(iter([*relayed, *own]), None)


def _how_each(case: Case, servers: list[str]) -> str:
    parts = []
    for name in servers[:3]:
        look = next(look for look in case.at(name, PROXY_TEST_PROBE, SELF_TEST_PROBE) if look.failed)
        parts.append(f"{name} {what_happened(look.result)}")
    return ", ".join(parts)


def _broken_tier(case: Case, broken: list[str], *, proxied: bool) -> Tier:
    causes = {
        look.result.cause if look.result.failed_phase is Phase.CONNECT else None
        for name in broken
        for look in case.at(name, PROXY_TEST_PROBE, SELF_TEST_PROBE)
        if look.failed
    }
    if causes and causes <= _NO_WAY:
        return Tier.NETWORK
    return Tier.PROXY if proxied else Tier.MAILBOX_SERVER


def _broken_dependency(case: Case, broken: list[str]) -> Dependency | None:
    return Dependency.NETWORKING if _broken_tier(case, broken, proxied=True) is Tier.NETWORK else None
