"""
One health set over a month: the states it was in, what they come to, and its outages.

What is over is counted once and kept: tens of thousands of changes a month come to figures of which a few change.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from mailward.health.spans import Span, covered
from mailward.model.availability import Availability, Outage
from mailward.model.event import Event
from mailward.model.monitoring import AlertValue

MENDED_WITHIN = timedelta(minutes=10)
"""So long after an outage a recovery that mended it may still look whether it did."""
DOWN = AlertValue.UNHEALTHY.value
_UP = frozenset({AlertValue.HEALTHY.value, AlertValue.DEGRADED.value})
_ASIDE = frozenset({AlertValue.REPAIRING.value, AlertValue.DISABLED.value})


@dataclass(frozen=True, slots=True)
class Apart:
    """Which spans count neither as up nor as down for one server: in order, without overlaps."""

    away: Sequence[Span]
    """When mailward did not run."""
    any: Sequence[Span]
    """That, and the server's maintenance."""


@dataclass(kw_only=True, slots=True)
class Tally:
    """What a month comes to so far."""

    up: timedelta = timedelta(0)
    down: timedelta = timedelta(0)
    set_aside: timedelta = timedelta(0)
    not_measured: timedelta = timedelta(0)

    def count(self, since: datetime, until: datetime, state: str | None, apart: "Apart") -> timedelta:
        """Add a span in one state, less what is counted apart; return how much of it counts with its state."""
        time = until - since
        if apart.any:
            away, either = covered(apart.away, since, until), covered(apart.any, since, until)
            self.not_measured += away
            self.set_aside += either - away
            time -= either
        if state in _UP:
            self.up += time
        elif state == DOWN:
            self.down += time
        elif state in _ASIDE:
            self.set_aside += time
        else:
            self.not_measured += time
        return time

    def add(self, row: Availability) -> None:
        """Add what another health set comes to."""
        self.up += row.up
        self.down += row.down
        self.set_aside += row.set_aside
        self.not_measured += row.not_measured

    def row(self) -> Callable[..., Availability]:
        """What it comes to, of whichever `server` and `health_set` it is said."""
        measured = self.up + self.down
        return partial(
            Availability,
            up=self.up,
            down=self.down,
            set_aside=self.set_aside,
            not_measured=self.not_measured,
            percent=100 * (self.up / measured) if measured else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What a health set's states are seen against."""

    counted: Span
    """The month, until now while it lasts."""
    now: datetime
    mended: Mapping[str, Sequence[Event]]
    """The ends of recoveries that healed, by server."""


_Stretch = tuple[datetime, datetime, str | None, Event | None, Event | None]
"""Since, until, the state (None: it did not exist), the events with which it began and ended."""


@dataclass(frozen=True, slots=True)
class _Settled:
    """What the stretches that are over come to, as long as nothing comes to them."""

    changes: int
    apart: Apart
    tally: Tally
    outages: Sequence[Outage]


@dataclass(kw_only=True, slots=True, eq=False)
class Course:
    """One health set of one server."""

    server: str
    health_set: str
    changes: list[Event] = field(default_factory=list)
    changed: datetime | None = None
    """When it changed last; a clock that was set back does not undo what came before."""
    _settled: _Settled | None = None

    def add(self, change: Event) -> None:
        """Take the next change."""
        self.changes.append(change)
        self.changed = change.at if self.changed is None else max(self.changed, change.at)

    def forget(self) -> None:
        """Count anew what is over: what is known of how it was mended has changed."""
        self._settled = None

    def count(
        self, setting: Setting, apart: Apart, *, present: str | None, retired: datetime | None
    ) -> tuple[Tally, Sequence[Outage]]:
        """
        Count the month.

        Args:
            setting: What it is seen against.
            apart: What counts apart for its server.
            present: Its state now; None: it does not exist any more.
            retired: When the last of its monitors that were retired was.
        """
        settled = self._count_settled(setting, apart)
        tally = replace(settled.tally)
        lasting = self._count(self._lasting(setting, present, retired), setting, apart, tally)
        return tally, (*settled.outages, *lasting) if lasting else settled.outages

    def _count_settled(self, setting: Setting, apart: Apart) -> _Settled:
        known = self._settled
        if known is not None and known.changes == len(self.changes) and known.apart == apart:
            return known
        tally = Tally()
        outages = self._count(self._over(setting), setting, apart, tally)
        found = _Settled(len(self.changes), apart, tally, outages)
        # A change that, by its moment, has not come yet will be seen otherwise later.
        self._settled = found if self.changed is not None and self.changed < setting.now else None
        return found

    def _over(self, setting: Setting) -> Iterable[_Stretch]:
        state = self.changes[0].before if self.changes else None
        since, began = setting.counted.since, None
        for event in self.changes:
            at = max(event.at, since)
            yield since, at, state, began, event
            since, state, began = at, event.after, event

    def _lasting(self, setting: Setting, present: str | None, retired: datetime | None) -> Iterable[_Stretch]:
        """The last state until now; what exists no more was in it until it was retired."""
        began = self.changes[-1] if self.changes else None
        since = max(self.changed or setting.counted.since, setting.counted.since)
        state = began.after if began is not None else present
        if present is None:
            gone = retired or since
            yield since, gone, state, began, None
            since, state, began = max(gone, since), None, None
        yield since, setting.now, state, began, None

    def _count(self, stretches: Iterable[_Stretch], setting: Setting, apart: Apart, tally: Tally) -> list[Outage]:
        """Add stretches to *tally*; return the outages among them."""
        outages = []
        for stretch in stretches:
            since, until = max(stretch[0], setting.counted.since), min(stretch[1], setting.counted.until)
            if since < until:
                down = tally.count(since, until, stretch[2], apart)
                if stretch[2] == DOWN:
                    outages.append(self._outage(stretch, Span(since, until), down, setting))
        return outages

    def _outage(self, stretch: _Stretch, span: Span, down: timedelta, setting: Setting) -> Outage:
        _, _, _, began, ended = stretch
        healer = _healer((self.server, at_fault(began)), span, setting.mended) if ended is not None else None
        because = healer.because if healer is not None else ended.because if ended is not None else ""
        return Outage(
            server=self.server,
            health_set=self.health_set,
            began=span.since,
            ended=None if span.until >= setting.now else span.until,
            down=down,
            because=began.because if began is not None else "",
            mended=because,
            event=began.id if began is not None else None,
            operation=healer.operation if healer is not None else None,
        )


def at_fault(event: Event | None) -> str | None:
    """The server that the verdict of an event blames."""
    verdict = event.data.get("verdict") if event is not None else None
    server = verdict.get("server") if isinstance(verdict, Mapping) else None
    return server if isinstance(server, str) else None


def _healer(servers: Iterable[str | None], outage: Span, mended: Mapping[str, Sequence[Event]]) -> Event | None:
    """The recovery of one of *servers* that ended healed during the outage, or looked after it whether it had."""
    ends = [event for server in servers if server is not None for event in mended.get(server, ())]
    fitting = [event for event in ends if outage.since <= event.at <= outage.until + MENDED_WITHIN]
    return min(fitting, key=lambda event: abs(event.at - outage.until), default=None)
