"""What probing will cost: what `config check` prints, so that nobody is surprised by their log files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from mailward.model import items
from mailward.model.organization import Organization
from mailward.monitors.coverage import Coverage
from mailward.monitors.planned import Lane, PlannedProbe
from mailward.monitors.planning import servers_behind

_DAY = timedelta(days=1)
_LINES_LOGIN = 2
"""Dovecot writes a line at login (on a proxy: "Started proxying") and one at the end of each session."""
_LINES_NO_LOGIN = 1
"""A session that never logs in leaves only its disconnect line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerCost:
    """What one server sees of us in a day, all being well."""

    server: str
    conversations: int
    log_lines: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountCost:
    """What one health mailbox sees of us."""

    account: str
    conversations: int
    """A day."""
    sessions_max: int
    """At once: two while a writing turn waits in IDLE, and one for the store's copy elsewhere or a hand-run probe."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What probing costs."""

    servers: tuple[ServerCost, ...]
    accounts: tuple[AccountCost, ...]
    lanes: tuple[Lane, ...]
    """With each lane's covering time: after how long every database has been seen through that proxy."""


def cost(coverage: Coverage, organization: Organization) -> Cost:
    """
    Count what *coverage* costs per server and account and day when nothing fails.

    A conversation through an access point is shared evenly by the proxies behind it; every one through a proxy is also
    one on the mailbox server of the database. Back-off makes broken targets cheaper, fast confirmation hardly dearer.
    """
    conversations: dict[str, float] = dict.fromkeys(organization.servers, 0.0)
    lines: dict[str, float] = dict.fromkeys(organization.servers, 0.0)
    accounts: dict[str, list[float]] = {}
    for probe in coverage.probes:
        if probe.target is None or probe.on_request:
            continue
        daily, second = _DAY / probe.interval, _second_sessions(probe)
        for server, share in _servers_met(probe, organization).items():
            conversations[server] += (daily + second) * share
            lines[server] += (daily + second) * share * (_LINES_NO_LOGIN if probe.mailbox is None else _LINES_LOGIN)
        if probe.target.account is not None:
            known = accounts.setdefault(probe.target.account.user, [0.0, 1])
            known[0] += daily + second
            known[1] = max(known[1], 2 if second else 1)
    return Cost(
        servers=tuple(
            ServerCost(server=name, conversations=round(conversations[name]), log_lines=round(lines[name]))
            for name in organization.servers
        ),
        accounts=tuple(
            AccountCost(account=user, conversations=round(daily), sessions_max=int(sessions))
            for user, (daily, sessions) in sorted(accounts.items())
        ),
        lanes=coverage.lanes,
    )


def _second_sessions(probe: PlannedProbe) -> float:
    """A writing turn opens a second session that waits in IDLE."""
    return 0.0 if probe.write_every is None else _DAY / max(probe.write_every, probe.interval)


def _servers_met(probe: PlannedProbe, organization: Organization) -> Mapping[str, float]:
    """Server -> how many conversations on it one run of *probe* makes, on average."""
    if probe.key.probe != items.CTP_PROBE:
        return {probe.key.server: 1.0}
    met: dict[str, float] = {}
    access_point = organization.access_points.get(probe.key.server)
    behind = servers_behind(organization, access_point) if access_point is not None else ()
    proxies = [server.name for server in behind if server.is_proxy] if access_point is not None else [probe.key.server]
    for proxy in proxies:
        met[proxy] = met.get(proxy, 0.0) + 1 / len(proxies)
    database = organization.databases.get(probe.database or "")
    if database is not None and database.active in organization.servers:
        met[database.active] = met.get(database.active, 0.0) + 1
    return met
