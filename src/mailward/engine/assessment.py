"""
The monitors of an organization, each with its state and its memory.

Holds what the pure steps of `monitors` return and hands it back with the next sample. What changed comes out as a
`Change` to be stored, and as wishes to probe again soon.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

from mailward.engine.ledger import Change
from mailward.health.changes import health_set_changes
from mailward.model.event import Event
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.organization import Organization
from mailward.monitors.changes import mailboxes_in, monitor_changes, retirement
from mailward.monitors.coverage import Coverage
from mailward.monitors.definition import MonitorDefinition
from mailward.monitors.judging import Step, begin, order, take, wake
from mailward.monitors.samples import ProbeKey, Sample
from mailward.monitors.transitions import MonitorEvent


@dataclass(slots=True)
class _Monitor:
    definition: MonitorDefinition
    step: Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessed:
    """What came of a sample."""

    change: Change = field(default_factory=Change)
    probe_after: timedelta | None = None
    """Probe the same target again this long after the attempt ended."""


class Assessment:
    """Every monitor there is."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        self._monitors: dict[MonitorKey, _Monitor] = {}
        self._judging: dict[ProbeKey, tuple[MonitorKey, ...]] = {}
        self._sets: dict[tuple[str, str], tuple[MonitorKey, ...]] = {}
        """The monitors of each (server, health set)."""
        self._of_server: dict[str, tuple[MonitorKey, ...]] = {}
        self._unwell: dict[MonitorKey, None] = {}
        """Those that are anything but Healthy: few, whatever the organization's size."""
        self._timers: list[tuple[datetime, MonitorKey]] = []
        self._changed_sets: dict[tuple[str, str], None] = {}
        """Those of which something that is reported has changed since `take_changed_sets`."""

    def __len__(self) -> int:
        """How many monitors there are."""
        return len(self._monitors)

    @property
    def sets(self) -> tuple[tuple[str, str], ...]:
        """Every (server, health set)."""
        return tuple(self._sets)

    def of_set(self, name: tuple[str, str]) -> tuple[MonitorStatus, ...]:
        """The states of the monitors of one (server, health set); none where there is no such set any more."""
        return tuple(self._monitors[key].step.status for key in self._sets.get(name, ()))

    def take_changed_sets(self) -> tuple[tuple[str, str], ...]:
        """Those whose monitors have changed, come or gone since the last call; the time of a result is no change."""
        changed = tuple(self._changed_sets)
        self._changed_sets = {}
        return changed

    @property
    def statuses(self) -> tuple[MonitorStatus, ...]:
        """The state of every monitor."""
        return tuple(monitor.step.status for monitor in self._monitors.values())

    def status_of(self, key: MonitorKey) -> MonitorStatus | None:
        """The state of one monitor, or None."""
        monitor = self._monitors.get(key)
        return monitor.step.status if monitor is not None else None

    def of_server(self, server: str) -> tuple[MonitorStatus, ...]:
        """The states of one server's monitors."""
        return tuple(self._monitors[key].step.status for key in self._of_server.get(server, ()))

    @property
    def unwell(self) -> tuple[MonitorStatus, ...]:
        """The states of the monitors that are anything but Healthy, or flap."""
        return tuple(self._monitors[key].step.status for key in self._unwell)

    @property
    def definitions(self) -> Mapping[MonitorKey, MonitorDefinition]:
        """What every monitor is."""
        return {key: monitor.definition for key, monitor in self._monitors.items()}

    def use(
        self, coverage: Coverage, organization: Organization, *, now: datetime, stored: Iterable[MonitorStatus] = ()
    ) -> Change:
        """
        Take over a new set of monitors: those that stay go on, new ones begin, those that are gone are retired.

        Args:
            coverage: What there is to judge from now on.
            organization: Whom it serves.
            now: The present moment.
            stored: Last states from before a restart; one that belongs to no monitor any more is retired.
        """
        self._organization = organization
        known = {status.key: status for status in stored} | {status.key: status for status in self.statuses}
        monitors: dict[MonitorKey, _Monitor] = {}
        for definition in coverage.monitors:
            old = self._monitors.get(definition.key)
            if old is not None and old.definition.settings.enabled == definition.settings.enabled:
                monitors[definition.key] = _Monitor(definition, old.step)
            else:
                monitors[definition.key] = _Monitor(definition, begin(definition, known.get(definition.key), now))
        retired = [status for key, status in known.items() if key not in monitors]
        self._monitors = monitors
        self._changed_sets = dict.fromkeys((*self._sets, *_sets(monitors)))
        self._judging = _judges(coverage.monitors)
        self._sets = _sets(monitors)
        self._of_server = _by_server(monitors)
        self._unwell = {}
        self._timers = []
        for key, monitor in monitors.items():
            self._set_timer(key, monitor.step)
            self._note_health(key, monitor.step.status)
        return Change(
            retired=tuple(status.key for status in retired),
            events=tuple(retirement(status, organization=organization, at=now) for status in retired),
        )

    def observe(self, probe: ProbeKey, sample: Sample, *, now: datetime) -> Assessed:
        """Judge one sample with every monitor that looks at this probe."""
        steps = []
        for key in self._judging.get(probe, ()):
            monitor = self._monitors[key]
            steps.append((monitor, take(monitor.definition, monitor.step.status, monitor.step.history, sample, now)))
        change = self._take_over(steps, now)
        wishes = [step.probe_after for _, step in steps if step.probe_after is not None]
        return Assessed(change=change, probe_after=min(wishes, default=None))

    def let_pass(self, *, now: datetime) -> Change:
        """Let time pass: grace periods that end, monitors that heard nothing for too long."""
        due: dict[MonitorKey, None] = {}
        while self._timers and self._timers[0][0] <= now:
            _, key = heapq.heappop(self._timers)
            due[key] = None
        steps = []
        for key in due:
            monitor = self._monitors.get(key)
            if monitor is not None:
                step = wake(monitor.definition, monitor.step.status, monitor.step.history, now)
                steps.append((monitor, step))
        return self._take_over(steps, now)

    def order(self, key: MonitorKey, event: MonitorEvent, *, because: str, now: datetime) -> Change:
        """
        Carry out what was ordered of one monitor: a repair's beginning or end, switching off or on.

        Nothing comes of an order for a monitor that does not exist.

        Raises:
            Refused: It cannot be in this state.
        """
        monitor = self._monitors.get(key)
        if monitor is None:
            return Change()
        step = order(
            monitor.definition, monitor.step.status, monitor.step.history, event=event, now=now, because=because
        )
        return self._take_over([(monitor, step)], now)

    def _take_over(self, steps: Sequence[tuple[_Monitor, Step]], now: datetime) -> Change:
        moved = {
            (monitor.definition.key.server, monitor.definition.key.health_set)
            for monitor, step in steps
            if step.status.state is not monitor.step.status.state
        }
        sets_before = {name: self._members(name) for name in moved}
        changed: list[MonitorStatus] = []
        events: list[Event] = []
        for monitor, step in steps:
            old, monitor.step = monitor.step, step
            self._set_timer(monitor.definition.key, step)
            self._note_health(monitor.definition.key, step.status)
            told = monitor_changes(
                monitor.definition, before=old.status, step=step, organization=self._organization, at=now
            )
            events.extend(told)
            if told or _is_news(old.status, step.status):
                changed.append(step.status)
                self._changed_sets[monitor.definition.key.server, monitor.definition.key.health_set] = None
        for name in sorted(moved):
            databases = self._affected(name)
            events.extend(
                health_set_changes(
                    name,
                    before=sets_before[name],
                    after=self._members(name),
                    at=now,
                    databases=databases,
                    mailboxes=mailboxes_in(databases, self._organization),
                )
            )
        return Change(statuses=tuple(changed), events=tuple(events))

    def _affected(self, name: tuple[str, str]) -> tuple[str, ...]:
        """The databases whose users feel what is wrong in a health set now."""
        broken = [
            self._monitors[key].definition
            for key in self._sets[name]
            if self._monitors[key].step.status.broken_since is not None
        ]
        return tuple(dict.fromkeys(database for definition in broken for database in definition.databases))

    def _members(self, name: tuple[str, str]) -> tuple[MonitorStatus, ...]:
        return tuple(self._monitors[key].step.status for key in self._sets[name])

    def _note_health(self, key: MonitorKey, status: MonitorStatus) -> None:
        if status.state is AlertValue.HEALTHY and not status.flapping:
            self._unwell.pop(key, None)
        else:
            self._unwell[key] = None

    def _set_timer(self, key: MonitorKey, step: Step) -> None:
        if step.wake_at is not None:
            heapq.heappush(self._timers, (step.wake_at, key))


def _judges(definitions: Iterable[MonitorDefinition]) -> dict[ProbeKey, tuple[MonitorKey, ...]]:
    judging: dict[ProbeKey, list[MonitorKey]] = {}
    for probe, key in chain.from_iterable(((probe, d.key) for probe in d.probes) for d in definitions):
        judging.setdefault(probe, []).append(key)
    return {probe: tuple(keys) for probe, keys in judging.items()}


def _by_server(keys: Iterable[MonitorKey]) -> dict[str, tuple[MonitorKey, ...]]:
    servers: dict[str, list[MonitorKey]] = {}
    for key in keys:
        servers.setdefault(key.server, []).append(key)
    return {name: tuple(members) for name, members in servers.items()}


def _sets(keys: Iterable[MonitorKey]) -> dict[tuple[str, str], tuple[MonitorKey, ...]]:
    sets: dict[tuple[str, str], list[MonitorKey]] = {}
    for key in keys:
        sets.setdefault((key.server, key.health_set), []).append(key)
    return {name: tuple(members) for name, members in sets.items()}


def _is_news(before: MonitorStatus, after: MonitorStatus) -> bool:
    """Whether a state is worth writing although nothing happened: everything but the time of the last result."""
    return (before.state, before.broken_since, before.verdict, before.because) != (
        after.state,
        after.broken_since,
        after.verdict,
        after.because,
    )
