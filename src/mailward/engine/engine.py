"""
The running manager: starts what is due, explains what failed, judges, remembers, and answers.

Does what the pure parts decide: `Timetable` says what to start, `diagnose` what a failure means, the monitors what
changed. Everything it needs of the world is a port.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.engine.asked import Asked, tell
from mailward.engine.assessment import Assessment
from mailward.engine.canaries import Canaries
from mailward.engine.conduct import Conduct, Look
from mailward.engine.counter_looks import CounterLooks
from mailward.engine.investigation import Investigation
from mailward.engine.ledger import Change, Ledger
from mailward.engine.looks import Looks
from mailward.engine.measuring import Tally
from mailward.engine.neighbours import Neighbourhood
from mailward.engine.out_of_sight import OutOfSight
from mailward.engine.pace import may_be_hastened
from mailward.engine.parts import Parts
from mailward.engine.pulse import Pulse, described, earliest
from mailward.engine.repairing import Repairing
from mailward.engine.start_check import StartCheck
from mailward.engine.tidying import tidy_for_ever
from mailward.engine.timetable import Start, Timetable
from mailward.engine.watching import Watching
from mailward.engine.whereabouts import Moved, Whereabouts
from mailward.model import items
from mailward.model.copies import DatabaseCopy
from mailward.model.errors import ConfigError, NotFound, Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceStatus
from mailward.model.holds import Hold
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.probing import ProbeResult
from mailward.monitors.coverage import Coverage, cover
from mailward.monitors.following_holds import HoldChange, coverage_under, orders, to_look_at
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.samples import ProbeKey, probe_key, sample_of
from mailward.ports.settings import Snapshot

log = logging.getLogger(__name__)

END_WITHIN = timedelta(seconds=4)
"""How long probes under way may take to say good-bye when the manager ends; systemd and people wait for 5 s."""


class Engine:
    """Watches one organization until told to end."""

    def __init__(self, snapshot: Snapshot, parts: Parts) -> None:
        self.snapshot = snapshot
        self.configured: Coverage = cover(snapshot.organization, snapshot.probing, snapshot.monitors)
        self.coverage: Coverage = self.configured
        """What is watched: as configured, under what is held."""
        self.parts = parts
        self.started_at = parts.clock.now()
        self.loaded_at = self.started_at
        self.configuration_error: str | None = None
        self._neighbourhood = Neighbourhood(self.coverage.probes, snapshot.organization)
        self.ledger = Ledger(parts.store, parts.clock)
        self.tally = Tally(self.started_at)
        self.assessment = Assessment(snapshot.organization)
        self.timetable = Timetable(snapshot.probing, chance=parts.chance)
        self._looks = Looks(
            clock=parts.clock, problems=self.problems, map_problem=self.map_problem, copies=self._copies
        )
        self._counter_looks = CounterLooks(clock=parts.clock)
        looks: dict[str, Look] = {
            items.COMMAND_TIME_CHECK: self._counter_looks.at_command_time,
            items.QUEUE_CHECK: self._counter_looks.at_queue,
            items.HEALTH_MANAGER_CHECK: self._looks.at_manager,
            items.DISK_SPACE_CHECK: self._looks.at_disk,
            items.REPLICATION_CHECK: self._looks.at_replication,
        }
        self._conduct = Conduct(probes=parts.probes, looks=looks, clock=parts.clock)
        self._investigation = Investigation(clock=parts.clock, hosts={}, services={})
        self._watching = Watching(on_exit=self._on_exit, on_silence=self._on_silence)
        self._stored_statuses: tuple[MonitorStatus, ...] = ()
        self._canaries = Canaries()
        self._out_of_sight = OutOfSight()
        self._start_check = StartCheck(parts.store, parts.clock, parts.self_check)
        self._under_way: set[asyncio.Task[None]] = set()
        self._asked = Asked()
        self._wanted = asyncio.Event()
        self.whereabouts = Whereabouts(self._moved)
        self._is_watching = False
        self._pulse = Pulse(parts.service_manager, self._described)
        self.repairing = Repairing(self, parts.repair, parts.clock) if parts.repair is not None else None

    async def run(self, stop: asyncio.Event, *, on_running: Callable[[], None] = lambda: None) -> None:
        """
        Watch until *stop* is set, then end within five seconds with everything stored.

        Args:
            stop: Set by whoever wants the manager to end.
            on_running: Called once it watches and can be asked.

        Raises:
            ConfigError: The store cannot be used at all, such as one written by a newer version.
        """
        await self._open()
        await self._read_map()
        self._apply(self.snapshot, event=EventKind.MANAGER_STARTED, because="the manager started")
        loops: tuple[Callable[[], Coroutine[None, None, None]], ...] = (
            self.ledger.run,
            self._schedule,
            self._let_time_pass,
            lambda: self.whereabouts.run(lambda: self.snapshot.moves.poll_every),
            lambda: tidy_for_ever(self.parts.store, self.parts.clock, lambda: self.snapshot.retention),
        )
        if self.repairing is not None:
            loops = (*loops, *self.repairing.loops())
        tasks = [asyncio.create_task(_guarded(loop)) for loop in loops]
        on_running()
        try:
            await stop.wait()
        finally:
            self._pulse.end()
            self._watching.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end()

    def announce(self) -> None:
        """Tell whoever looks after this process that it watches and can be asked."""
        self._pulse.begin(_monotonic())
        self._wanted.set()

    async def ask(self, key: ProbeKey) -> ProbeResult:
        """
        Run a planned probe now, before its turn, and return its judged result.

        Raises:
            NotFound: It is not planned, or no longer.
        """
        if not self.coverage.plans(key):
            raise NotFound(f"{key} is not run: the configuration, or what is held, has no such probe")
        answer = self._asked.wait_for(key)
        self.timetable.hasten(key, at=_monotonic())
        self._wanted.set()
        return await answer

    def latest(self, key: ProbeKey) -> ProbeResult | None:
        """The last result of a probe, or None."""
        return self._investigation.latest(key)

    async def certificate_on_disk(self, result: ProbeResult) -> str | None:
        """The fingerprint of the certificate on the probed server's disk, or None."""
        return await self._investigation.certificate_on_disk(result)

    def reload(self, *, actor: str) -> None:
        """
        Read the configuration again and use it at once.

        Raises:
            ConfigError: It is wrong; the old one stays in force, and the status says so.
        """
        with self._pulse.reloading():
            try:
                snapshot = self.parts.settings.load()
            except ConfigError as error:
                self.configuration_error = str(error)
                self._record(EventKind.CONFIGURATION_REFUSED, "configuration", str(error), actor=actor)
                raise
            self.configuration_error = None
            self.loaded_at = self.parts.clock.now()
            self._apply(snapshot, event=EventKind.CONFIGURATION_LOADED, because=f"loaded anew for {actor}", actor=actor)

    def tell(self, because: str, *, actor: str = "mailward") -> None:
        """Record that somebody had something done to the manager itself."""
        self._record(EventKind.MANAGER_ORDERED, "mailward", because, actor=actor)

    def held_differently(self, change: HoldChange) -> None:
        """What is held has changed: overrides and repairs take effect, and what they concerned is probed at once."""
        before, holds = self.coverage, self._held()
        self.coverage = coverage_under(self.configured, holds, now=self.parts.clock.now())
        self._order(holds)  # before the monitors are taken over, so that each change of state is an event
        if self.coverage != before:
            self._watch_coverage()
        for key in to_look_at(change, before=before, after=self.coverage):
            self.timetable.hasten(key, at=_monotonic())
        self._wanted.set()

    def try_reload(self) -> None:
        """Reload on SIGHUP, where nobody waits for an answer: the log and the status say how it went."""
        with contextlib.suppress(ConfigError):
            self.reload(actor="SIGHUP")

    def probes_late(self, *, by: timedelta) -> int:
        """How many probes are more than *by* late through our own fault."""
        return self.timetable.late(_monotonic(), by=by.total_seconds())

    def schedule_lag(self) -> timedelta:
        """By how much the most overdue probe is late through our own fault."""
        return timedelta(seconds=self.timetable.worst_lateness(_monotonic()))

    def problems(self) -> tuple[str, ...]:
        """What mailward itself is in trouble with: the samples of HealthManagerMonitor."""
        late = self.timetable.worst_lateness(_monotonic())
        lag = self.parts.loop_lag()
        found = []
        if late > 1:
            found.append(f"a probe is {late:.1f} s late")
        if lag > timedelta(milliseconds=500):
            found.append(f"the event loop was blocked for {lag.total_seconds():.1f} s")
        if self.ledger.trouble is not None:
            found.append(f"nothing can be stored: {self.ledger.trouble}")
        if self.configuration_error is not None:
            found.append("the configuration on disk is refused; the old one is in force")
        found.extend(self._start_check.problems())
        found.extend(self._out_of_sight.sentences())
        if (map_problem := self.map_problem()) is not None:
            found.append(map_problem)
        if self.repairing is not None:
            found.extend(self.repairing.problems())
        return tuple(found)

    def map_problem(self) -> str | None:
        """What is wrong with the map of mailbox databases, or None."""
        trouble = self.whereabouts.trouble
        return None if trouble is None else f"the map of mailbox databases: {trouble}"

    def _described(self) -> str:
        return described(
            servers=len(self.snapshot.organization.servers),
            unhealthy=sum(status.state is AlertValue.UNHEALTHY for status in self.assessment.statuses),
            mode=self.snapshot.recovery.mode.value,
            is_refused=self.configuration_error is not None,
        )

    async def _open(self) -> None:
        """Take up what was stored. A store that cannot be reached now does not keep anything from being watched."""
        try:
            await self.parts.store.open()
            self._stored_statuses = await self.parts.store.statuses()
            self._canaries = Canaries(await self.parts.store.canaries())
            self._investigation.remember(await self.parts.store.latest_results())
        except TemporaryFailure as failure:
            self._stored_statuses = ()
            log.error("starting without what was stored before: %s", failure)
        await self._start_check.run(sum(not probe.on_request for probe in self.configured.probes))
        if self.repairing is not None:
            await self.repairing.open()

    def _apply(self, snapshot: Snapshot, *, event: EventKind, because: str, actor: str = "mailward") -> None:
        organization = snapshot.organization.with_active(self.whereabouts.active)
        self.snapshot = snapshot = replace(snapshot, organization=organization)
        self.configured = cover(organization, snapshot.probing, snapshot.monitors)
        platform = self.parts.platform(organization)
        self.whereabouts.use(organization, platform.routing)
        self._investigation.use(hosts=platform.hosts, services=platform.services)
        self._looks.use(hosts=platform.hosts)
        self._counter_looks.use(
            counters=platform.counters,
            proxies=frozenset(server.name for server in organization.proxies),
            settings=snapshot.probing,
        )
        self._record(event, "mailward", because, actor=actor)
        self._watch_anew()
        self._is_watching = True
        if self.repairing is not None:
            self.repairing.use(snapshot, platform)
        self._watching.use(
            services=platform.services,
            sentinels={
                probe.key.server: probe.target
                for probe in self.coverage.probes
                if probe.target is not None
                and probe.key.probe == items.SELF_TEST_PROBE
                and organization.servers[probe.key.server].sentinel
            },
            sentinel=self.parts.sentinel,
        )
        self._wanted.set()

    async def _read_map(self) -> None:
        """What is active where, before anything is watched: a passive copy is never written to."""
        organization = self.snapshot.organization
        if organization.routing is not None:
            self.whereabouts.use(organization, self.parts.platform(organization).routing)
            await self.whereabouts.read()

    def _moved(self, active: Mapping[str, str], moved: tuple[Moved, ...]) -> None:
        """Databases are active elsewhere: what is watched follows, and what is known of the old place is retired."""
        organization = self.snapshot.organization.with_active(active)
        self.snapshot = replace(self.snapshot, organization=organization)
        for one in moved:
            because = self.repairing.why_moved(one) if self.repairing is not None else ""
            self._record(
                EventKind.ACTIVE_COPY_CHANGED,
                one.database,
                because or f"the map sends its users to {one.target} now; mailward did not do that",
                before=one.source,
                after=one.target,
            )
        if not self._is_watching:
            return  # the first reading comes before anything is watched
        self.configured = cover(organization, self.snapshot.probing, self.snapshot.monitors)
        self._watch_anew()
        for one in moved:
            self._hasten_server(one.target)
        self._wanted.set()

    async def _copies(self) -> tuple[DatabaseCopy, ...]:
        if self.repairing is None:
            return ()
        await self.repairing.copying.look_if_old()
        return self.repairing.copying.seen()

    def _watch_anew(self) -> None:
        """Watch what is configured, under what is held."""
        holds = self._held()
        self.coverage = coverage_under(self.configured, holds, now=self.parts.clock.now())
        self._watch_coverage()
        self._order(holds)

    def _watch_coverage(self) -> None:
        """Plan probes and take monitors over as the coverage says."""
        now, organization = self.parts.clock.now(), self.snapshot.organization
        self._neighbourhood = Neighbourhood(self.coverage.probes, organization)
        self.timetable.plan(self.coverage, self.snapshot.probing, now=_monotonic())
        self._counter_looks.limit(self.coverage.thresholds())
        self._asked.keep_only({probe.key for probe in self.coverage.probes})
        change = self.assessment.use(self.coverage, organization, now=now, stored=self._stored_statuses)
        self._stored_statuses = ()
        if change.events:
            self.ledger.add_change(change)

    def _order(self, holds: tuple[Hold, ...]) -> None:
        """Switch monitors off and on, and mark repairs, as the holds say."""
        now = self.parts.clock.now()
        for order in orders(self.coverage, self.assessment.statuses, holds, now=now):
            with contextlib.suppress(Refused):  # a state in which it cannot be: the next change of holds asks again
                self.ledger.add_change(self.assessment.order(order.key, order.event, because=order.because, now=now))

    def _held(self) -> tuple[Hold, ...]:
        return self.repairing.holding.present() if self.repairing is not None else ()

    async def _schedule(self) -> None:
        """Start what is due; sleep until the next is, or until something ends."""
        while True:
            self._wanted.clear()
            for start in self.timetable.due(_monotonic()):
                task = asyncio.create_task(self._run(start), name=str(start.planned.key))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            self._pulse.beat(_monotonic())
            due = earliest(self.timetable.next_due(), self._pulse.next)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else max(0.0, due - _monotonic())):
                    await self._wanted.wait()

    async def _run(self, start: Start) -> None:
        planned = start.planned
        asked = self._asked.take(planned.key)
        result = await self._conduct.run(start, self._canaries.of(planned))
        self.timetable.finished(planned.key, result, now=_monotonic())
        self._wanted.set()
        try:
            result = await self._digest(planned, result)
        finally:
            tell(asked, result)

    async def _digest(self, planned: PlannedProbe, result: ProbeResult) -> ProbeResult:
        """Explain a result, judge it, keep it, and wish for what should be probed next."""
        organization = self.snapshot.organization
        if result.result.is_failure:
            self._hasten_neighbours(result)
        result = await self._investigation.explain(result, organization)
        self._out_of_sight.note(result)
        known = self._canaries.note(planned, result)
        if known is not None:
            self.ledger.add_change(known)
        self.ledger.add_result(result)
        self.tally.judged(result)
        sample = sample_of(result, certificate_on_disk=await self._investigation.certificate_on_disk(result))
        assessed = self.assessment.observe(planned.key, sample, now=self.parts.clock.now())
        if assessed.change.statuses or assessed.change.events:
            self.ledger.add_change(assessed.change)
        if assessed.probe_after is not None and may_be_hastened(result):
            at = _monotonic() + assessed.probe_after.total_seconds()
            self.timetable.hasten(planned.key, at=at, confirmation=True)
            self._wanted.set()
        return result

    def _hasten_neighbours(self, result: ProbeResult) -> None:
        since = self._investigation.failing_since(probe_key(result)) or result.at
        for key in self._neighbourhood.of(result):
            latest = self._investigation.latest(key)
            if latest is None or (latest.at < since and may_be_hastened(latest)):
                self.timetable.hasten(key, at=_monotonic())

    async def _let_time_pass(self) -> None:
        """Grace periods end and silences become news without any probe."""
        while True:
            change = self.assessment.let_pass(now=self.parts.clock.now())
            if change.statuses or change.events:
                self.ledger.add_change(change)
            await asyncio.sleep(0.25)

    def _on_exit(self, server: str, status: ServiceStatus) -> None:
        self._record(EventKind.SERVICE_EXITED, server, status.because, after=status.state.value)
        self._hasten_server(server)
        if self.repairing is not None:
            self.repairing.on_exit(server, status)

    def _on_silence(self, server: str, because: str) -> None:
        self._record(EventKind.SENTINEL_ENDED, server, because)
        self._hasten_server(server)

    def _hasten_server(self, server: str) -> None:
        for probe in self.coverage.probes:
            if probe.key.server == server and probe.target is not None and not probe.on_request:
                self.timetable.hasten(probe.key, at=_monotonic())
        self._wanted.set()

    def _record(
        self,
        kind: EventKind,
        subject: str,
        because: str,
        *,
        actor: str = "mailward",
        before: str | None = None,
        after: str | None = None,
    ) -> None:
        now: datetime = self.parts.clock.now()
        event = Event(at=now, kind=kind, subject=subject, because=because, actor=actor, before=before, after=after)
        self.ledger.add_change(Change(events=(event,)))

    async def _end(self) -> None:
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=END_WITHIN.total_seconds())
        self._record(EventKind.MANAGER_STOPPED, "mailward", "the manager was told to end")
        await self.ledger.close()
        await self.parts.store.close()


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


async def _guarded(loop: Callable[[], Coroutine[None, None, None]]) -> None:
    """A loop that ends by an exception is a bug worth a stack trace in the log, never a silent standstill."""
    try:
        await loop()
    except asyncio.CancelledError:
        raise
    except Exception:
        log.critical("a loop of the engine ended", exc_info=True)
        raise
