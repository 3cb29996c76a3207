"""A manager that answers with the values it was given, and refuses what a real one refuses."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from mailward.model.alerting import Alert, Notice
from mailward.model.copies import DatabaseCopy
from mailward.model.errors import NotFound, Refused
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceStatus
from mailward.model.health import HealthSetReport, MonitorHealth, RollupReport
from mailward.model.holds import Hold
from mailward.model.items import PROBES, ProbeItem
from mailward.model.latencies import Latencies
from mailward.model.measures import Measures
from mailward.model.probing import ProbeResult
from mailward.model.protocol_log import LoggedSession, ProtocolLogStanding
from mailward.ports.manager import ItemInstance, ManagerStatus, RecoveryStory, ServerEntry
from mailward.testing.manager_moves import FakeMoves

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class FakeManager(FakeMoves):
    """A Manager over canned values, which tests may change while it runs."""

    def __init__(
        self,
        *,
        status: ManagerStatus | None = None,
        measures: Measures | None = None,
        health: Sequence[MonitorHealth] = (),
        report: Sequence[HealthSetReport] = (),
        rollup: Sequence[RollupReport] = (),
        items: Sequence[ItemInstance] = (),
        results: Sequence[ProbeResult] = (),
        latencies: Sequence[Latencies] = (),
        events: Sequence[Event] = (),
        servers: Sequence[str] = (),
        entries: Sequence[ServerEntry] = (),
        stories: Sequence[RecoveryStory] = (),
        services: Mapping[str, ServiceStatus] | None = None,
        copies: Sequence[DatabaseCopy] = (),
        holds: Sequence[Hold] = (),
        alerts: Sequence[Alert] = (),
        notices: Sequence[Notice] = (),
        protocol_logs: Sequence[ProtocolLogStanding] = (),
        sessions: Sequence[LoggedSession] = (),
        now: datetime = _EPOCH,
    ) -> None:
        super().__init__(
            servers=servers,
            stories=stories,
            services=services,
            copies=copies,
            protocol_logs=protocol_logs,
            sessions=sessions,
            holds=holds,
            alerts=alerts,
            notices=notices,
            now=now,
        )
        self.status_now = status or a_status()
        self.measured = measures or Measures(since=_EPOCH)
        self.monitors = tuple(health)
        self.health_sets = tuple(report)
        self.groups = tuple(rollup)
        self.instances = tuple(items)
        self.entries = tuple(entries)
        self.probed = tuple(results)
        self.timed = tuple(latencies)
        self.recorded = list(events)
        self.configuration_mistakes: str | None = None
        """What is wrong with the configuration; the next reload is refused with it."""
        self.reloaded_by: list[str] = []
        self.rollups_asked: list[tuple[int, int]] = []
        """Percent and group size of each roll-up asked for."""
        self._news = asyncio.Condition()
        self._stopped = False

    async def status(self) -> ManagerStatus:
        """The canned status."""
        self._answer()
        return self.status_now

    async def measures(self) -> Measures:
        """The canned counts."""
        self._answer()
        return self.measured

    async def servers(self) -> tuple[ServerEntry, ...]:
        """The canned entries."""
        self._answer()
        return self.entries

    async def health(
        self, *, server: str | None = None, health_set: str | None = None, state: str | None = None
    ) -> tuple[MonitorHealth, ...]:
        """The canned rows that match."""
        self._answer()
        wanted = self._server(server)
        return tuple(
            row
            for row in self.monitors
            if (wanted is None or row.server == wanted)
            and (health_set is None or fnmatchcase(row.health_set_name.lower(), health_set.lower()))
            and (state is None or row.alert_value.value == state)
        )

    async def report(self, *, server: str | None = None) -> tuple[HealthSetReport, ...]:
        """The canned rows that match."""
        self._answer()
        wanted = self._server(server)
        return tuple(row for row in self.health_sets if wanted is None or row.server == wanted)

    async def rollup(self, *, minimum_online_percent: int = 70, group_size: int = 12) -> tuple[RollupReport, ...]:
        """The canned groups, whatever the numbers say; what was asked is kept in `rollups_asked`."""
        self._answer()
        self.rollups_asked.append((minimum_online_percent, group_size))
        return self.groups

    async def items(self, *, health_set: str | None = None, server: str | None = None) -> tuple[ItemInstance, ...]:
        """The canned instances that match."""
        self._answer()
        wanted = self._server(server)
        return tuple(
            item
            for item in self.instances
            if (wanted is None or item.server == wanted)
            and (health_set is None or fnmatchcase(item.identity.split("/")[0].lower(), health_set.lower()))
        )

    async def item_help(self, item: str) -> ProbeItem | None:
        """The catalogue's entry."""
        self._answer()
        return next((known for known in PROBES if known.name.lower() == item.lower()), None)

    async def probe(self, identity: str, *, server: str, actor: str = "") -> tuple[ProbeResult, ...]:
        """The canned results of that item on that server; take note of who asked."""
        self._answer()
        wanted = self._server(server)
        words = [word.lower() for word in identity.replace("\\", "/").split("/")]
        found = tuple(one for one in self.probed if one.server == wanted and one.probe.lower() in words)
        if not found:
            raise NotFound(f"there is no probe {identity!r} on {wanted}")
        self.probed_by.append(actor)
        return found

    async def results(
        self, *, probe: str | None = None, server: str | None = None, failed: bool | None = None, limit: int = 50
    ) -> tuple[ProbeResult, ...]:
        """The canned results that match."""
        self._answer()
        wanted = self._server(server)
        found = [
            one
            for one in self.probed
            if (probe is None or one.probe.lower() == probe.lower())
            and (wanted is None or one.server == wanted)
            and (failed is None or one.result.is_failure == failed)
        ]
        return tuple(sorted(found, key=lambda one: one.at, reverse=True)[:limit])

    async def latencies(self, server: str, *, probe: str, target: str, since: datetime) -> Latencies:
        """The canned points since then; none for another probe or target."""
        self._answer()
        name = self._known(server)
        found = next((one for one in self.timed if (one.server, one.probe, one.target) == (name, probe, target)), None)
        kept = tuple(point for point in found.points if point.start >= since) if found else ()
        step = found.step if found else timedelta(minutes=5)
        return Latencies(server=name, probe=probe, target=target, since=since, step=step, points=kept)

    async def events(
        self,
        *,
        after: int = 0,
        before: int | None = None,
        kinds: Sequence[EventKind] = (),
        subject: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[Event, ...]:
        """The recorded events that match."""
        self._answer()
        found = [
            event
            for event in self.recorded
            if event.id > after
            and (before is None or event.id < before)
            and (since is None or event.at >= since)
            and (not kinds or event.kind in kinds)
            and (subject is None or f"{event.subject}/".startswith(f"{subject}/"))
        ]
        return tuple((found[::-1] if newest_first else found)[:limit])

    async def follow(self, *, after: int) -> AsyncIterator[Event]:
        """The recorded events above *after*, then each that `record` adds, until `stop`."""
        while True:
            for event in [event for event in self.recorded if event.id > after]:
                after = event.id
                yield event
            async with self._news:
                await self._news.wait_for(lambda seen=after: self._stopped or self._newest() > seen)  # type: ignore[misc]
            if self._stopped:
                return

    async def reload(self, *, actor: str) -> ManagerStatus:
        """Take note of who asked; refused while `configuration_mistakes` says so."""
        self._answer()
        if self.configuration_mistakes is not None:
            raise Refused(self.configuration_mistakes)
        self.reloaded_by.append(actor)
        return self.status_now

    async def record(self, event: Event) -> Event:
        """Number *event*, keep it, and tell the followers."""
        numbered = replace(event, id=self._newest() + 1)
        async with self._news:
            self.recorded.append(numbered)
            self._news.notify_all()
        return numbered

    async def stop(self) -> None:
        """End every follower."""
        async with self._news:
            self._stopped = True
            self._news.notify_all()

    def _newest(self) -> int:
        return self.recorded[-1].id if self.recorded else 0

    def _names(self) -> set[str]:
        return {
            *super()._names(),
            *(row.server for row in self.monitors),
            *(row.server for row in self.health_sets),
            *(row.server for row in self.instances),
            *(row.server for row in self.probed),
            *(entry.name for entry in self.entries),
        }


def a_status() -> ManagerStatus:
    """The status of a manager that has just started and is well."""
    return ManagerStatus(
        organization="example",
        version="0",
        started_at=_EPOCH,
        servers=0,
        monitors=0,
        unhealthy=0,
        probes_late=0,
        store_reachable=True,
        pending_results=0,
        configuration_loaded_at=_EPOCH,
    )
