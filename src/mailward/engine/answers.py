"""The Manager port on a running engine: what may be asked of it, and by which names."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import partial

import mailward
from mailward.engine.availability_answers import AvailabilityAnswers
from mailward.engine.engine import Engine
from mailward.engine.entries import entries
from mailward.engine.latencies import points, step_for
from mailward.engine.measuring import monitor_counts, recovery_counts
from mailward.engine.repair_answers import RepairAnswers
from mailward.engine.reports import Reports
from mailward.health.filters import matches
from mailward.health.monitors import health
from mailward.health.rollup import rollup
from mailward.health.sets import report
from mailward.health.settings import RollupSettings
from mailward.model import items
from mailward.model.availability import AvailabilityReport
from mailward.model.errors import ConfigError, NotFound, Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.health import HealthSetReport, MonitorHealth, RollupReport
from mailward.model.holds import Hold
from mailward.model.identity import identity_of, parse_identity
from mailward.model.items import ProbeItem
from mailward.model.latencies import Latencies
from mailward.model.measures import Measures
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.notification import Notification
from mailward.model.organization import Organization
from mailward.model.probing import ProbeResult
from mailward.model.wire import moment_to_text
from mailward.monitors.coverage import Coverage
from mailward.monitors.notified import placed
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.planning import MANAGER
from mailward.ports.manager import ItemInstance, ManagerStatus, ServerEntry

log = logging.getLogger(__name__)

_LATE = timedelta(seconds=1)
_TOLD_IN_THE_LOOP = 200
"""More monitors, such as those of a proxy with each database, take a thread, so that no probe waits for them."""


class Answers(RepairAnswers):
    """Answers from what the engine knows; reads the store only for history."""

    def __init__(self, engine: Engine) -> None:
        """Answer for *engine*, by the configuration it has at the moment of each question."""
        super().__init__(engine, self._name_of)
        self._reports = Reports(engine.assessment)
        self._availability = AvailabilityAnswers(engine)
        self._entries: tuple[Organization, tuple[ServerEntry, ...]] | None = None

    async def prepare(self) -> None:
        """Count and read beforehand what the first overview and the first page of availability would wait for."""
        await self.report()
        try:
            await self.availability(moment_to_text(self._engine.parts.clock.now())[:7])
        except TemporaryFailure as failure:
            log.info("the availability of this month is computed when somebody asks: %s", failure)

    async def status(self) -> ManagerStatus:
        """How the manager itself is doing."""
        engine = self._engine
        return ManagerStatus(
            organization=self._organization.name,
            version=mailward.__version__,
            started_at=engine.started_at,
            servers=len(self._organization.servers),
            monitors=len(engine.assessment),
            unhealthy=sum(status.state is AlertValue.UNHEALTHY for status in engine.assessment.unwell),
            probes_late=engine.probes_late(by=_LATE),
            store_reachable=engine.ledger.trouble is None,
            pending_results=engine.ledger.pending,
            configuration_loaded_at=engine.loaded_at,
            configuration_error=engine.configuration_error,
            mode=engine.snapshot.recovery.mode.value,
            leads=engine.repairing is not None and engine.repairing.recovering.leading.held is not None,
            stopped=engine.repairing.stopped() if engine.repairing is not None else None,
        )

    async def measures(self) -> Measures:
        """What was counted since the manager started, and what is counted at this moment."""
        engine = self._engine
        statuses = engine.assessment.statuses
        return replace(
            engine.tally.measures(),
            monitors=await asyncio.to_thread(monitor_counts, statuses),
            recoveries=recovery_counts(self._recoveries_known()),
            allowances=await self._allowances(),
            probes_running=engine.timetable.running,
            schedule_lag=engine.schedule_lag(),
            loop_lag=engine.parts.loop_lag(),
        )

    async def servers(self) -> tuple[ServerEntry, ...]:
        """Servers and access points of the organization, from the outside in, by name."""
        if self._entries is None or self._entries[0] is not self._organization:
            self._entries = (self._organization, entries(self._organization))
        return self._entries[1]

    async def health(
        self, *, server: str | None = None, health_set: str | None = None, state: str | None = None
    ) -> tuple[MonitorHealth, ...]:
        """Monitors, worst first."""
        statuses = self._statuses(server)
        rows = partial(health, health_set=health_set, state=state, holds=self._held())
        return rows(statuses) if len(statuses) <= _TOLD_IN_THE_LOOP else await asyncio.to_thread(rows, statuses)

    async def report(self, *, server: str | None = None) -> tuple[HealthSetReport, ...]:
        """Health sets of each server."""
        if server is None:
            return await self._reports.all(self._held())
        return report(self._statuses(server), holds=self._held())

    async def availability(self, month: str) -> AvailabilityReport:
        """How much of a month each health set was up."""
        reports, holds = await self.report(), await self.holds(ended=True)
        return await self._availability.of(month, reports=reports, holds=holds)

    async def rollup(self, *, minimum_online_percent: int = 70, group_size: int = 12) -> tuple[RollupReport, ...]:
        """Health sets over groups of servers."""
        settings = RollupSettings(minimum_online_percent=minimum_online_percent, group_size=group_size)
        return rollup(report(self._engine.assessment.statuses), self._organization, settings)

    async def items(self, *, health_set: str | None = None, server: str | None = None) -> tuple[ItemInstance, ...]:
        """The probes and monitors of this organization, by server and identity."""
        name = None if server is None else self._name_of(server)
        # In a thread: a proxy has an item for every database.
        return await asyncio.to_thread(_items, self._engine.coverage, health_set, name)

    async def item_help(self, item: str) -> ProbeItem | None:
        """The entry of a probe in the table of items; a monitor's name gives its associated probe."""
        probe = parse_identity(item).probes[0]
        return next((known for known in items.PROBES if known.name == probe), None)

    async def probe(self, identity: str, *, server: str, actor: str = "") -> tuple[ProbeResult, ...]:
        """
        Run a probe now, before its turn, on every target that is named; their results, judged and stored.

        Raises:
            Refused: No such item or server, or that server has no such probe.
        """
        named = parse_identity(identity)
        name = self._name_of(server)
        here = [
            planned
            for planned in self._engine.coverage.probes
            if planned.key.server == name and named.health_set in (None, planned.health_set)
        ]
        # A monitor judges several probes; the first of them that this server has is the one to run.
        item = next((probe for probe in named.probes if any(p.key.probe == probe for p in here)), None)
        chosen = [p for p in here if p.key.probe == item and named.has_target(p.key.target)]
        if not chosen:
            raise NotFound(_no_such_probe(str(named), name, here))
        if actor:
            self._engine.tell(f"{actor} had {named} probed on {name}", actor=actor)
        return tuple(await asyncio.gather(*(self._engine.ask(planned.key) for planned in chosen)))

    async def results(
        self, *, probe: str | None = None, server: str | None = None, failed: bool | None = None, limit: int = 50
    ) -> tuple[ProbeResult, ...]:
        """Stored results, the newest first."""
        item = None if probe is None else parse_identity(probe).probes[0]
        name = None if server is None else self._name_of(server)
        return await self._engine.parts.store.results(probe=item, server=name, failed=failed, limit=limit)

    async def latencies(self, server: str, *, probe: str, target: str, since: datetime) -> Latencies:
        """How long a probe's conversations took since then, from the roll-ups."""
        name, item = self._name_of(server), parse_identity(probe).probes[0]
        step = step_for(self._engine.parts.clock.now() - since)
        rollups = await self._engine.parts.store.coarse_rollups(
            probe=item, server=name, target=target, since=since, step=step
        )
        return Latencies(server=name, probe=item, target=target, since=since, step=step, points=points(rollups))

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
        """Stored events."""
        return await self._engine.parts.store.events(
            after=after,
            before=before,
            kinds=kinds,
            subject=subject,
            since=since,
            limit=limit,
            newest_first=newest_first,
        )

    async def follow(self, *, after: int) -> AsyncIterator[Event]:
        """Events with ids above *after*, then every new one as it is stored."""
        async for event in self._engine.ledger.follow(after):
            yield event

    async def notified(self, notifications: Sequence[Notification], *, actor: str) -> tuple[Notification, ...]:
        """Take what another system says; the servers it names are looked at at once, where that is configured."""
        found = await asyncio.to_thread(placed, notifications, self._organization)
        self._engine.notified(found)
        log.info("%d notifications, %d of them about servers here, from %s", len(found), _about_servers(found), actor)
        return found

    async def reload(self, *, actor: str) -> ManagerStatus:
        """Read the configuration again; what is wrong with it is refused and changes nothing."""
        try:
            self._engine.reload(actor=actor)
        except ConfigError as error:
            raise Refused(str(error)) from error
        return await self.status()

    def _held(self) -> tuple[Hold, ...]:
        repairing = self._engine.repairing
        return repairing.holding.in_force() if repairing is not None else ()

    def _name_of(self, text: str) -> str:
        """The name of a server, an access point, or mailward itself."""
        others = {name.lower(): name for name in (*self._organization.access_points, MANAGER)}
        if text.lower() in others:
            return others[text.lower()]
        try:
            return self._organization.server_named(text).name
        except Refused as refused:
            nearest = get_close_matches(text.lower(), others, n=1, cutoff=0.7)
            if nearest and "did you mean" not in str(refused):
                raise NotFound(f"there is no server {text!r}; did you mean {others[nearest[0]]!r}?") from refused
            raise

    def _statuses(self, server: str | None) -> tuple[MonitorStatus, ...]:
        """The states of all monitors, or of one server's."""
        assessment = self._engine.assessment
        return assessment.statuses if server is None else assessment.of_server(self._name_of(server))


def _items(coverage: Coverage, health_set: str | None, server: str | None) -> tuple[ItemInstance, ...]:
    found = [item for item in _instances(coverage, server) if matches(health_set, item.identity.split("/")[0])]
    return tuple(sorted(found, key=lambda item: (item.server, item.identity)))


def _instances(coverage: Coverage, server: str | None) -> Iterator[ItemInstance]:
    for planned in coverage.probes:
        if server not in (None, planned.key.server):
            continue
        yield ItemInstance(
            identity=identity_of(planned.health_set, planned.key.probe, planned.key.target),
            item_type="Probe",
            name=planned.key.probe,
            server=planned.key.server,
            target_resource=planned.key.target,
            interval=None if planned.on_request else planned.interval,
            timeout=planned.timeout,
        )
    for definition in coverage.monitors:
        key = definition.key
        if server not in (None, key.server):
            continue
        yield ItemInstance(
            identity=identity_of(key.health_set, key.item, key.target),
            item_type="Monitor",
            name=key.item,
            server=key.server,
            target_resource=key.target,
        )


def _about_servers(notifications: Sequence[Notification]) -> int:
    return sum(bool(one.server) for one in notifications)


def _no_such_probe(wanted: str, server: str, here: Sequence[PlannedProbe]) -> str:
    known = sorted({identity_of(p.health_set, p.key.probe, p.key.target) for p in here})
    if not known:
        return f"{server} has no probe {wanted}: nothing is probed there"
    shown = ", ".join(known[:8]) + (" …" if len(known) > 8 else "")
    return f"{server} has no probe {wanted}; it has {shown}"
