"""
When each planned probe runs next.

Decides, does nothing: it is told the moment (monotonic seconds) and what ended, and answers what to start. Rules:
starts are spread over the interval and jittered; a mailbox carries one conversation at a time, and so does a lane; a
confirmation goes before others that wait, and waits for no lane; a hung target holds back only what shares its mailbox
or lane.
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from mailward.engine.pace import interval_after
from mailward.model.probing import ProbeResult
from mailward.monitors.coverage import Coverage
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.samples import ProbeKey
from mailward.ports.chance import Chance

FIRST_WITHIN = timedelta(minutes=1)
"""After a start nobody waits for minutes to see what is probed every five; the later starts spread by their jitter."""


#: Who goes first of those that are due at the same moment: confirmations, then who was set down first.
_Turn = tuple[bool, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """A probe to start now."""

    planned: PlannedProbe
    late: float
    """Seconds after the moment it was due; waiting for its own mailbox or lane does not count."""
    confirmation: bool
    writing: bool


@dataclass(slots=True)
class _Entry:
    planned: PlannedProbe
    failing_interval: timedelta
    """How often a failing target is probed: the member of a lane keeps its turn until it recovers."""
    due: float
    confirmation: bool = False
    started: float | None = None
    last_write: float | None = None
    ending: object = None
    in_row: int = 0
    wish: tuple[float, bool] | None = None
    """To be hastened once it has ended: the moment, and whether as a confirmation."""


class Timetable:
    """The heap of what is due, and what waits for a mailbox or lane."""

    def __init__(self, settings: ProbingSettings, *, chance: Chance, running_max: int = 2000) -> None:
        self._settings = settings
        self._chance = chance
        self._running_max = running_max
        self._entries: dict[ProbeKey, _Entry] = {}
        self._heap: list[tuple[float, _Turn, ProbeKey]] = []
        self._order = count()
        self._running: dict[ProbeKey, tuple[str, ...]] = {}
        """What is under way, and the mailbox and lane it occupies."""
        self._waiting: dict[str, list[tuple[_Turn, ProbeKey]]] = {}
        """For each occupied mailbox or lane: who waits for it, confirmations first."""

    def plan(self, coverage: Coverage, settings: ProbingSettings, *, now: float) -> None:
        """Take over a new set of probes. Those that stay keep their time; new ones start spread over a minute."""
        self._settings = settings
        wanted = {planned.key: planned for planned in coverage.probes}
        lanes = {lane.name: lane for lane in coverage.lanes}
        places = {key: (lane, place) for lane in coverage.lanes for place, key in enumerate(lane.members)}
        lane_starts = {
            name: now + self._chance.between(0, lane.interval.total_seconds()) for name, lane in lanes.items()
        }
        for key in self._entries.keys() - wanted.keys():
            del self._entries[key]
        for key, planned in wanted.items():
            failing_interval = planned.interval
            first = now + self._chance.between(0, min(planned.interval, FIRST_WITHIN).total_seconds())
            if planned.on_request:
                first = math.inf
            if key in places:
                lane, place = places[key]
                failing_interval = lane.interval
                first = lane_starts[lane.name] + place * lane.interval.total_seconds()
            entry = self._entries.get(key)
            if entry is None:
                self._entries[key] = _Entry(planned, failing_interval, first)
                if not planned.on_request:
                    self._push(key, first)
            else:
                entry.planned, entry.failing_interval = planned, failing_interval

    def due(self, now: float) -> list[Start]:
        """Return what to start now; each counts as under way until `finished` is told of it."""
        return list(self._starts(now))

    def next_due(self) -> float | None:
        """The moment to call `due` again; None when nothing will be due before something ends."""
        if len(self._running) >= self._running_max:
            return None
        return self._heap[0][0] if self._heap else None

    def finished(self, key: ProbeKey, result: ProbeResult, *, now: float) -> None:
        """A started probe ended."""
        self._free(self._running.pop(key), now)
        entry = self._entries.get(key)
        if entry is None:
            return
        if entry.started is None:  # it was dropped and planned anew while this run of before was under way
            if entry.due < math.inf:
                self._push(key, entry.due)
            return
        started, entry.started = entry.started, None
        ending = (result.result, result.cause)
        entry.in_row = entry.in_row + 1 if ending == entry.ending else 1
        entry.ending = ending
        if result.wrote:
            entry.last_write = now
        interval = entry.failing_interval if result.result.is_failure else entry.planned.interval
        if entry.planned.target is not None:  # a look opens no session that could be too many
            interval = interval_after(result, interval, entry.in_row, longest=self._settings.back_off_max)
        entry.confirmation = False
        entry.due = max(now, started + interval.total_seconds() * self._jitter())
        if entry.planned.on_request:
            entry.due = math.inf
        if entry.wish is not None and entry.wish[0] < entry.due:
            at, entry.confirmation = entry.wish
            entry.due = max(now, at)  # it waited for its own last run, not for us
        entry.wish = None
        if entry.due < math.inf:
            self._push(key, entry.due)

    def hasten(self, key: ProbeKey, *, at: float, confirmation: bool = False) -> None:
        """Run the probe at *at* if it would come later; one that is under way now is run again after it ended."""
        entry = self._entries.get(key)
        if entry is None:
            return
        if entry.started is not None:
            entry.wish = (at, confirmation)
        elif at < entry.due or (confirmation and not entry.confirmation):
            # What waits in its lane since long becomes a confirmation, which waits for none.
            entry.due, entry.confirmation = at, confirmation
            self._push(key, at)

    def worst_lateness(self, now: float) -> float:
        """Seconds by which the most overdue probe that waits for nothing but us is late; 0 when none is."""
        return max(0.0, now - self._heap[0][0]) if self._heap else 0.0

    def late(self, now: float, *, by: float) -> int:
        """How many probes that wait for nothing but us are more than *by* seconds late."""
        return sum(
            entry.due < now - by
            for due, _, key in self._heap
            if due < now - by and (entry := self._entries.get(key)) is not None and entry.due == due
        )

    @property
    def running(self) -> int:
        """How many probes are under way."""
        return len(self._running)

    def _starts(self, now: float) -> Iterator[Start]:
        while self._heap and self._heap[0][0] <= now and len(self._running) < self._running_max:
            due, turn, key = heapq.heappop(self._heap)
            entry = self._entries.get(key)
            if entry is None or entry.due != due or entry.started is not None or key in self._running:
                continue
            needed = _needed(entry)
            occupied = next((name for name in needed if name in self._waiting), None)
            if occupied is not None:
                heapq.heappush(self._waiting[occupied], (turn, key))
                continue
            for name in needed:
                self._waiting[name] = []
            self._running[key] = needed
            entry.started = now
            yield Start(
                planned=entry.planned,
                late=now - due,
                confirmation=entry.confirmation,
                writing=self._is_writing_due(entry, now),
            )

    def _is_writing_due(self, entry: _Entry, now: float) -> bool:
        every = entry.planned.write_every
        return every is not None and (entry.last_write is None or now - entry.last_write >= every.total_seconds())

    def _free(self, names: tuple[str, ...], now: float) -> None:
        for name in names:
            waiting = self._waiting.pop(name)
            while waiting:
                _, key = heapq.heappop(waiting)
                entry = self._entries.get(key)
                if entry is not None and entry.started is None:
                    entry.due = now  # it waited for its own mailbox, not for us: it counts as due from now on
                    self._push(key, now)

    def _push(self, key: ProbeKey, due: float) -> None:
        turn = (not self._entries[key].confirmation, next(self._order))
        heapq.heappush(self._heap, (due, turn, key))

    def _jitter(self) -> float:
        share = self._settings.jitter_percent / 100
        return self._chance.between(1 - share, 1 + share)


def _needed(entry: _Entry) -> tuple[str, ...]:
    """
    The mailbox and the lane a probe occupies.

    A confirmation does not wait for its lane: behind a proxy that hangs every member takes its whole time-out, and in
    turns the third failure of one would come after minutes.
    """
    planned = entry.planned
    lane = None if entry.confirmation else planned.lane
    names = (planned.mailbox and f"mailbox {planned.mailbox}", lane and f"lane {lane}")
    return tuple(name for name in names if name)
