"""
Which probes follow from an organization (design, section 2: the table of probes).

With proxies every tier is probed: access point, proxy, mailbox server, copies. Without proxies (one box, the most
common installation) the customer touch point is the access point's public name, and nothing of IMAP.Proxy exists.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from mailward.model import items
from mailward.model.copies import CopyKind
from mailward.model.organization import (
    AccessPoint,
    Database,
    HealthMailbox,
    ImapEndpoint,
    LmtpEndpoint,
    Organization,
    Server,
)
from mailward.model.target import ProbeTarget, Turn
from mailward.monitors.planned import Lane, PlannedProbe
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.samples import ProbeKey

MANAGER = "mailward"
"""The server name under which mailward's own health is shown."""
PASSIVE = ":passive"
"""Ends the target of a passive copy's probe and monitor, so that a move retires one instance and begins another."""


def deep_test_of(database: Database, server: str) -> ProbeKey:
    """The deep test of the copy of *database* on *server*, be it the active one or not."""
    target = database.name if server == database.active else f"{database.name}{PASSIVE}"
    return ProbeKey(probe=items.DEEP_TEST_PROBE, server=server, target=target)


def delivery_of(database: Database, proxy: str) -> ProbeKey:
    """The probe of delivery to *database* through that proxy."""
    return ProbeKey(probe=items.DELIVERY_PROBE, server=proxy, target=database.name)


def notification_of(server: str) -> ProbeKey:
    """The look at what other systems say of a server or access point."""
    return ProbeKey(probe=items.NOTIFICATION_CHECK, server=server, target=server)


class ProbePlanner:
    """Reads one organization; holds what every probe target shares."""

    def __init__(self, organization: Organization, settings: ProbingSettings) -> None:
        self._organization = organization
        self._settings = settings
        self._has_proxies = bool(organization.proxies)
        self._server_names = names_of_servers(organization)
        self._active, self._passive = copies_by_server(organization)
        self._database_users = {
            database.health_mailbox.user
            for database in organization.databases.values()
            if database.health_mailbox is not None
        }

    def probes(self) -> Iterator[PlannedProbe]:
        """Every probe that belongs to one server alone."""
        for server in self._organization.mailbox_servers:
            yield self._self_test(server)
            yield from self._deep_tests(server)
        for server in self._organization.proxies:
            yield self._proxy_test(server)
        for server in self._organization.servers.values():
            yield from (self._disk(server, path) for path in server.host.store_paths)
            yield from self._counters(server)
        if self._organization.routing is not None:
            for database in self._organization.databases.values():
                yield from (self._replication(database, server) for server in database.passive if _follows(database))
        yield from self._notifications()
        yield PlannedProbe(
            key=ProbeKey(probe=items.HEALTH_MANAGER_CHECK, server=MANAGER, target=MANAGER),
            health_set=items.MONITORING,
            interval=self._settings.health_manager_interval,
            timeout=self._settings.health_manager_interval,
        )

    def _notifications(self) -> Iterator[PlannedProbe]:
        interval = self._settings.notification_interval
        if interval is None:
            return
        for name in (*self._organization.servers, *self._organization.access_points):
            yield PlannedProbe(
                key=notification_of(name), health_set=items.NOTIFICATIONS, interval=interval, timeout=interval
            )

    def touch_points(self) -> Iterator[tuple[Lane, tuple[PlannedProbe, ...]]]:
        """The customer touch points: one lane per access point and per proxy."""
        for access_point in self._organization.access_points.values():
            behind = servers_behind(self._organization, access_point)
            proxies = [server for server in behind if server.is_proxy]
            names = {server.name for server in behind}
            databases = [
                database for database in self._organization.databases.values() if proxies or database.active in names
            ]
            waits = [access_point.backend_timeout, *(proxy.backend_timeout for proxy in proxies)]
            timeout = max(waits) + self._settings.ctp_margin if proxies else self._settings.deep_test_timeout
            yield from self._touch_point(access_point.name, access_point.imap, timeout, databases, direct=not proxies)
        for server in self._organization.proxies:
            timeout = server.backend_timeout + self._settings.ctp_margin
            databases = list(self._organization.databases.values())
            yield from self._touch_point(server.name, server.imap, timeout, databases, direct=False)

    def deliveries(self) -> Iterator[PlannedProbe]:
        """Delivery to each database through each proxy that takes mail."""
        for server in self._organization.proxies:
            for database in self._organization.databases.values():
                if server.lmtp is not None and database.health_mailbox is not None:
                    yield self._conversation(
                        key=delivery_of(database, server.name),
                        health_set=items.IMAP,
                        endpoint=server.imap,
                        interval=timedelta(0),
                        timeout=server.backend_timeout + self._settings.ctp_margin,
                        account=database.health_mailbox,
                        database=database.name,
                        delivery=server.lmtp,
                    )

    def _touch_point(
        self, name: str, endpoint: ImapEndpoint, timeout: timedelta, databases: list[Database], *, direct: bool
    ) -> Iterator[tuple[Lane, tuple[PlannedProbe, ...]]]:
        reachable = [database for database in databases if database.health_mailbox is not None]
        if not reachable:
            return
        interval = self._settings.ctp_interval or timedelta(seconds=120 if direct else 30)
        keys = tuple(ProbeKey(probe=items.CTP_PROBE, server=name, target=database.name) for database in reachable)
        lane = Lane(name=f"{items.CTP_PROBE}/{name}", server=name, interval=interval, members=keys)
        yield (
            lane,
            tuple(
                self._conversation(
                    key=key,
                    health_set=items.IMAP,
                    endpoint=endpoint,
                    interval=lane.covering_time,
                    timeout=timeout,
                    account=database.health_mailbox,
                    database=database.name,
                    lane=lane.name,
                )
                for key, database in zip(keys, reachable, strict=True)
            ),
        )

    def _self_test(self, server: Server) -> PlannedProbe:
        interval = self._settings.self_test_interval or timedelta(seconds=20 if self._has_proxies else 30)
        return self._conversation(
            key=ProbeKey(probe=items.SELF_TEST_PROBE, server=server.name, target=server.name),
            health_set=items.IMAP_PROTOCOL,
            endpoint=server.imap,
            interval=interval,
            timeout=self._settings.self_test_timeout,
            account=server.health_mailbox,
        )

    def _proxy_test(self, server: Server) -> PlannedProbe:
        return self._conversation(
            key=ProbeKey(probe=items.PROXY_TEST_PROBE, server=server.name, target=server.name),
            health_set=items.IMAP_PROXY,
            endpoint=server.imap,
            interval=self._settings.proxy_test_interval,
            timeout=self._settings.proxy_test_timeout,
            account=None,
        )

    def _deep_tests(self, server: Server) -> Iterator[PlannedProbe]:
        """One per active copy, one per passive copy; with no active copy, one on the local health mailbox."""
        active = self._active.get(server.name, ())
        for database in active:
            if database.health_mailbox is not None:
                yield self._deep_test(
                    server, target=database.name, account=database.health_mailbox, database=database.name
                )
        if not active and server.health_mailbox is not None:
            yield self._deep_test(server, target=server.name, account=server.health_mailbox, database=None)
        for database in self._passive.get(server.name, ()):
            if database.health_mailbox is not None:
                yield self._passive_copy(server, database)

    def _deep_test(
        self, server: Server, *, target: str, account: HealthMailbox | None, database: str | None
    ) -> PlannedProbe:
        return self._conversation(
            key=ProbeKey(probe=items.DEEP_TEST_PROBE, server=server.name, target=target),
            health_set=items.IMAP_PROTOCOL,
            endpoint=server.imap,
            interval=self._settings.deep_test_interval,
            timeout=self._settings.deep_test_timeout,
            account=account,
            database=database,
            write_every=self._settings.write_turn_every,
        )

    def _passive_copy(self, server: Server, database: Database) -> PlannedProbe:
        return self._conversation(
            key=ProbeKey(probe=items.DEEP_TEST_PROBE, server=server.name, target=database.name + PASSIVE),
            health_set=items.IMAP_PROTOCOL,
            endpoint=server.imap,
            interval=self._settings.passive_copy_interval,
            timeout=self._settings.passive_copy_timeout,
            account=database.health_mailbox,
            database=database.name,
            turn=Turn.EXAMINE,
        )

    def _conversation(
        self,
        *,
        key: ProbeKey,
        health_set: str,
        endpoint: ImapEndpoint,
        interval: timedelta,
        timeout: timedelta,
        account: HealthMailbox | None,
        database: str | None = None,
        lane: str | None = None,
        turn: Turn = Turn.READ,
        write_every: timedelta | None = None,
        delivery: LmtpEndpoint | None = None,
    ) -> PlannedProbe:
        mailbox = None
        if account is not None:
            # A passive copy is a mailbox of its own, and so is a local one whose name several servers share.
            follows_database = account.user in self._database_users and turn is not Turn.EXAMINE
            mailbox = account.user if follows_database else f"{account.user} on {key.server}"
        return PlannedProbe(
            key=key,
            health_set=health_set,
            interval=interval,
            timeout=timeout,
            target=ProbeTarget(
                probe=key.probe,
                health_set=health_set,
                server=key.server,
                target=key.target,
                endpoint=endpoint,
                timeout=timeout,
                account=account,
                database=database,
                turn=turn,
                identity=self._organization.identity,
                server_names=self._server_names,
                delivery=delivery,
            ),
            database=database,
            mailbox=mailbox,
            lane=lane,
            on_request=delivery is not None,
            write_every=write_every,
            canary_name=None if account is None else database or f"@{key.server}",
        )

    def _replication(self, database: Database, server: str) -> PlannedProbe:
        return PlannedProbe(
            key=ProbeKey(probe=items.REPLICATION_CHECK, server=server, target=database.name),
            health_set=items.IMAP_PROTOCOL,
            interval=self._settings.replication_interval,
            timeout=self._settings.replication_timeout,
        )

    def _counters(self, server: Server) -> Iterator[PlannedProbe]:
        """A proxy only passes commands on: how long they take is counted where they are carried out."""
        if not server.has_counters:
            return
        if server.is_mailbox:
            yield PlannedProbe(
                key=ProbeKey(probe=items.COMMAND_TIME_CHECK, server=server.name, target=server.name),
                health_set=items.IMAP,
                interval=self._settings.command_time_interval,
                timeout=self._settings.command_time_timeout,
            )
        yield PlannedProbe(
            key=ProbeKey(probe=items.QUEUE_CHECK, server=server.name, target=server.name),
            health_set=items.IMAP,
            interval=self._settings.queue_interval,
            timeout=self._settings.queue_timeout,
        )

    def _disk(self, server: Server, path: str) -> PlannedProbe:
        return PlannedProbe(
            key=ProbeKey(probe=items.DISK_SPACE_CHECK, server=server.name, target=path),
            health_set=items.SERVER_RESOURCES,
            interval=self._settings.disk_interval,
            timeout=self._settings.disk_timeout,
        )


def _follows(database: Database) -> bool:
    """Whether its passive copies have something to follow: on shared storage there is nothing to copy."""
    return database.replication in (CopyKind.REPLICATOR, CopyKind.SYNC)


def servers_behind(organization: Organization, access_point: AccessPoint) -> tuple[Server, ...]:
    """The servers an access point leads to; where none are named, all proxies, or all mailbox servers without any."""
    named = tuple(organization.servers[name] for name in access_point.servers if name in organization.servers)
    return named or organization.proxies or organization.mailbox_servers


def copies_by_server(
    organization: Organization,
) -> tuple[Mapping[str, tuple[Database, ...]], Mapping[str, tuple[Database, ...]]]:
    """(active, passive) copies of each server, in one pass: asking server by server is slow with thousands of both."""
    active: dict[str, tuple[Database, ...]] = {}
    passive: dict[str, tuple[Database, ...]] = {}
    for database in organization.databases.values():
        active[database.active] = (*active.get(database.active, ()), database)
        for server in database.passive:
            passive[server] = (*passive.get(server, ()), database)
    return active, passive


def names_of_servers(organization: Organization) -> tuple[tuple[str, str], ...]:
    """(name as a server shows itself, our name of it), lower case on the left; a name two servers share is left out."""
    owners: dict[str, set[str]] = {}
    for server in organization.servers.values():
        for name in (server.name, *server.known_as):
            owners.setdefault(name.lower(), set()).add(server.name)
    return tuple((name, next(iter(servers))) for name, servers in sorted(owners.items()) if len(servers) == 1)
