"""
One failed conversation with everything that may be held against it, arranged the way the rules ask.

Decides what was connected to, who stands behind it, which neighbours count and which log lines are about this very
conversation. It draws no conclusions.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.diagnosis.freshness import Freshness
from mailward.diagnosis.wording.logs import Sign, sign_of
from mailward.model.evidence import Evidence, LogLine, ServerEvidence, ServiceStatus
from mailward.model.items import CTP_PROBE, DEEP_TEST_PROBE, PROXY_TEST_PROBE, SELF_TEST_PROBE
from mailward.model.organization import Organization
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType
from mailward.model.verdict import Tier

BEFORE_LOGIN = frozenset({Phase.CONNECT, Phase.TLS, Phase.GREETING, Phase.CAPABILITY})
SPOKEN_AT_DOOR = frozenset({Phase.GREETING, Phase.CAPABILITY})
"""Where a server can say in words why it lets nobody in."""
IN_MAILBOX = frozenset({Phase.SELECT, Phase.APPEND, Phase.FETCH, Phase.IDLE, Phase.EXPUNGE})
DIRECT_PROBES = (SELF_TEST_PROBE, DEEP_TEST_PROBE)

#: Logs carry whole seconds and hosts' clocks differ a little; more, and the last fault's lines explain the next one.
_LOG_SLACK = timedelta(seconds=1)
_SOMEBODY = re.compile(r"(?:user=<|\bproxy\(|\b(?:imap|pop3|lmtp|lda|doveadm|auth|passwd-file|sql)\()([^,>)<]+)[,>)]")
_AFTER_LOGIN = IN_MAILBOX | {Phase.DELIVERY, Phase.LOGOUT}


def was_let_in(result: ProbeResult) -> bool:
    """Whether the login succeeded, whatever came after it."""
    return result.account is not None and (result.is_healthy or result.failed_phase in _AFTER_LOGIN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """A neighbour's result that counts."""

    result: ProbeResult
    during: bool
    """Whether it was measured while the fault lasted; a success from before it proves nothing for certain."""

    @property
    def healthy(self) -> bool:
        """Whether the neighbour did all it set out to do."""
        return self.result.is_healthy

    @property
    def failed(self) -> bool:
        """Whether what the neighbour probed did not do what it should."""
        return self.result.result.is_failure


@dataclass(frozen=True, kw_only=True, slots=True)
class Entrance:
    """What was connected to."""

    tier: Tier
    """PROXY, MAILBOX_SERVER, or ACCESS_POINT (also: a host nobody has configured)."""
    name: str
    servers: tuple[str, ...] = ()
    """The configured servers it may be: itself, or those behind an access point."""
    passes_on: bool = False
    """Whether another server stands behind it."""

    @property
    def server(self) -> str | None:
        """The one server it is, where that is certain."""
        return self.servers[0] if len(self.servers) == 1 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Everything the rules may look at."""

    result: ProbeResult
    organization: Organization
    evidence: Evidence
    now: datetime
    since: datetime
    """When it broke, as far as is known."""
    log_from: datetime
    """Log lines from before are about something else."""
    entrance: Entrance
    mailbox_server: str | None
    """The server whose mailbox database the conversation was about, by our name."""
    sightings: tuple[Sighting, ...]

    @property
    def phase(self) -> Phase | None:
        """Where it failed."""
        return self.result.failed_phase

    @property
    def cause(self) -> Cause | None:
        """Why; a time-out without a cause is a TIMEOUT."""
        timed_out = Cause.TIMEOUT if self.result.result is ResultType.TIMED_OUT else None
        return self.result.cause or timed_out

    @property
    def database(self) -> str | None:
        """The mailbox database it was about, when it is one we know."""
        return self.result.target if self.result.target in self.organization.databases else None

    @property
    def answering(self) -> tuple[Tier, str | None]:
        """Tier and name of the server that talked to us, once something did: an access point only passes bytes."""
        server = self.entrance.server
        if self.entrance.tier is not Tier.ACCESS_POINT or server is None or server not in self.organization.servers:
            return self.entrance.tier, server
        return self.tier_of(server), server

    def tier_of(self, server: str) -> Tier:
        """The tier that a configured server is."""
        return Tier.PROXY if self.organization.servers[server].is_proxy else Tier.MAILBOX_SERVER

    def at(self, server: str | None, *probes: str) -> tuple[Sighting, ...]:
        """Sightings of these probes (all, when none is named) on *server*."""
        return tuple(
            sighting
            for sighting in self.sightings
            if sighting.result.server == server and (not probes or sighting.result.probe in probes)
        )

    def direct(self, server: str | None) -> tuple[Sighting, ...]:
        """What was seen of a mailbox server without a proxy in between; this conversation included, where it is one."""
        own = self.result.probe in DIRECT_PROBES and self.result.server == server
        mine = (Sighting(result=self.result, during=True),) if own else ()
        return mine + self.at(server, *DIRECT_PROBES)

    def through(self, mailbox_server: str | None, *, not_by: str | None = None) -> tuple[Sighting, ...]:
        """What was seen of a mailbox server through access points and proxies other than *not_by*."""
        return tuple(
            sighting
            for sighting in self.sightings
            if sighting.result.probe == CTP_PROBE
            and sighting.result.server != not_by
            and mailbox_server is not None
            and serving(sighting.result, self.organization) == mailbox_server
        )

    def host(self, server: str | None) -> ServerEvidence | None:
        """What the platform shows of *server*."""
        return self.evidence.of(server) if server else None

    def service(self, server: str | None) -> ServiceStatus | None:
        """What the host of *server* says of its IMAP service."""
        host = self.host(server)
        return host.service if host else None

    def sign(self, server: str | None, *signs: Sign) -> LogLine | None:
        """The newest line in the log of *server*, since the fault began, that carries one of these signs."""
        return next((line for sign, line in self._signs(server) if sign in signs), None)

    def served_somebody(self, server: str | None) -> LogLine | None:
        """A line that shows a real user, no probe, being let in on *server* while we were not."""
        probes = health_users(self.organization)
        for line in self._lines(server):
            if sign_of(line.text) is Sign.SERVED_SOMEBODY and line.at is not None and line.at >= self.since:
                named = _SOMEBODY.search(line.text)
                if named and named.group(1) not in probes and named.group(1) != self.result.account:
                    return line
        return None

    def _signs(self, server: str | None) -> Iterator[tuple[Sign, LogLine]]:
        for line in reversed(self._lines(server)):
            sign = sign_of(line.text)
            if sign is not None and not self._about_somebody_else(line):
                yield sign, line

    def _lines(self, server: str | None) -> tuple[LogLine, ...]:
        host = self.host(server)
        if host is None:
            return ()
        return tuple(line for line in host.log if line.at is None or line.at >= self.log_from - _LOG_SLACK)

    def _about_somebody_else(self, line: LogLine) -> bool:
        mine = (self.result.account, self.result.session)
        if any(name and name in line.text for name in mine):
            return False
        named = _SOMEBODY.search(line.text)
        return bool(self.result.account and named and _is_a_user(named.group(1)))


def _is_a_user(name: str) -> bool:
    """Dovecot also writes files and addresses where a user may stand: passwd-file(/etc/x), proxy(10.0.0.1:993)."""
    return "/" not in name and ":" not in name


def build_case(
    result: ProbeResult,
    *,
    organization: Organization,
    neighbours: Sequence[ProbeResult],
    evidence: Evidence,
    now: datetime,
    broken_since: datetime | None,
    well_at: datetime | None,
    freshness: Freshness,
) -> Case:
    """Arrange a failed result and what is known around it."""
    return Case(
        result=result,
        organization=organization,
        evidence=evidence,
        now=now,
        since=broken_since or result.at,
        log_from=well_at or broken_since or result.at,
        entrance=_entrance(result, organization),
        mailbox_server=serving(result, organization),
        sightings=tuple(
            _count(result, neighbours, organization=organization, now=now, since=broken_since, freshness=freshness)
        ),
    )


def serving(result: ProbeResult, organization: Organization) -> str | None:
    """
    The mailbox server a conversation was about, by our name.

    A direct probe: the server itself. A CTP: the server that named itself (`_Mbx`), else the server of the database's
    active copy, else the only server behind a one-box access point.
    """
    if result.probe in DIRECT_PROBES:
        return result.server if result.server in organization.servers else None
    if result.mailbox_server and (named := _our_name(result.mailbox_server, organization)):
        return named
    database = organization.databases.get(result.target)
    if database is not None and result.probe != PROXY_TEST_PROBE:
        return database.active
    point = organization.access_points.get(result.server)
    behind = point.servers if point else ()
    only = organization.servers.get(behind[0]) if len(behind) == 1 else None
    return only.name if only and not only.is_proxy else None


def health_users(organization: Organization) -> frozenset[str]:
    """The accounts only probes use."""
    mailboxes = [database.health_mailbox for database in organization.databases.values()]
    mailboxes += [server.health_mailbox for server in organization.servers.values()]
    return frozenset(mailbox.user for mailbox in mailboxes if mailbox)


def _our_name(name: str, organization: Organization) -> str | None:
    server = organization.find_server(name)
    return server.name if server is not None else None


def _entrance(result: ProbeResult, organization: Organization) -> Entrance:
    server = organization.servers.get(result.server)
    point = organization.access_points.get(result.server)
    if result.probe in DIRECT_PROBES and server is not None:
        return Entrance(tier=Tier.MAILBOX_SERVER, name=server.name, servers=(server.name,))
    if result.probe == PROXY_TEST_PROBE and server is not None:
        return Entrance(tier=Tier.PROXY, name=server.name, servers=(server.name,))
    if point is not None and not (server and server.is_proxy):
        proxied = any(organization.servers[name].is_proxy for name in point.servers if name in organization.servers)
        met = tuple(name for name in point.servers if _is_at(organization, name, result.address))
        servers = met if len(met) == 1 else point.servers
        return Entrance(tier=Tier.ACCESS_POINT, name=point.name, servers=servers, passes_on=proxied)
    if server is not None:
        tier = Tier.PROXY if server.is_proxy else Tier.MAILBOX_SERVER
        return Entrance(tier=tier, name=server.name, servers=(server.name,), passes_on=server.is_proxy)
    return Entrance(tier=Tier.ACCESS_POINT, name=result.server, passes_on=False)


def _is_at(organization: Organization, server: str, address: str | None) -> bool:
    """Whether that server is known to be at the address and port which answered."""
    known = organization.servers.get(server)
    host = (address or "").rpartition(":")[0].strip("[]")
    return bool(
        host and known and host.lower() in {known.imap.host.lower(), *(also.lower() for also in known.known_as)}
    )


def _count(
    result: ProbeResult,
    neighbours: Sequence[ProbeResult],
    *,
    organization: Organization,
    now: datetime,
    since: datetime | None,
    freshness: Freshness,
) -> Iterator[Sighting]:
    """
    The neighbours that count: fresh ones, and of the healthy ones those measured while the fault lasted.

    When nobody knows since when it lasts, every fresh success counts, but only one that ended after this conversation
    began is as good as one measured during the fault.
    """
    for neighbour in neighbours:
        if _key(neighbour) == _key(result) or not freshness.is_fresh(neighbour, organization, now):
            continue
        if neighbour.result in (ResultType.NOT_APPLICABLE, ResultType.PROBER_OVERLOADED):
            continue
        during = neighbour.at + neighbour.took >= (since or result.at)
        if neighbour.result.is_failure or during or since is None:
            yield Sighting(result=neighbour, during=during or neighbour.result.is_failure)


def _key(result: ProbeResult) -> tuple[str, str, str]:
    return result.probe, result.server, result.target
