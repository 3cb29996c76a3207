"""
The availability of a month, computed from what was recorded: no figure is kept anywhere.

A health set was up while it was Healthy or Degraded and down while it was Unhealthy. Whatever says nothing of the
service is counted apart, and makes the figure neither better nor worse: **set aside** is maintenance, Repairing and
Disabled; **not measured** is Unavailable, Uninitialized, what did not exist, and the time in which mailward did not
run. A manager that was killed left no word of when: that time counts with the state before it.

How a health set stood when the month began is told by the first event after it, which says what it changed; without
one, it is as it is now.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mailward.health.spans import Span, covered, merged
from mailward.model.availability import Availability, AvailabilityReport, Outage
from mailward.model.event import Event, EventKind
from mailward.model.health import HealthSetReport
from mailward.model.holds import Hold, HoldKind
from mailward.model.items import IMAP
from mailward.model.monitoring import AlertValue

KINDS = (
    EventKind.HEALTH_SET_CHANGED,
    EventKind.MONITOR_RETIRED,
    EventKind.MANAGER_STARTED,
    EventKind.MANAGER_STOPPED,
    EventKind.RECOVERY_ENDED,
)
"""The events it is computed from."""
OVERALL = "all customer touch points"
_UP = frozenset({AlertValue.HEALTHY.value, AlertValue.DEGRADED.value})
_ASIDE = frozenset({AlertValue.REPAIRING.value, AlertValue.DISABLED.value})
_NO_DATA: Mapping[str, object] = {}
_DOWN = AlertValue.UNHEALTHY.value
MENDED_WITHIN = timedelta(minutes=10)
"""So long after an outage a recovery that mended it may still look whether it did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What a month is computed from."""

    events: Sequence[Event]
    """Those of `KINDS` from the month's beginning until now, in order."""
    reports: Sequence[HealthSetReport]
    """The health sets as they are now."""
    holds: Sequence[Hold] = ()
    """Maintenance, also what has ended."""
    was_running: bool = True
    """Whether mailward ran when the month began."""
    touch_points: frozenset[str] = frozenset()
    """The servers at whose health set IMAP users meet the service."""


@dataclass(frozen=True, slots=True)
class _Apart:
    """What counts neither as up nor as down for one server: in order, without overlaps."""

    away: Sequence[Span]
    """When mailward did not run."""
    any: Sequence[Span]
    """That, and the server's maintenance."""


_Stretch = tuple[datetime, datetime, str | None, Event | None, Event | None]
"""Since, until, the state of a health set (None: it did not exist), the events with which it began and ended."""


@dataclass(slots=True)
class _Course:
    """What is known of one health set."""

    present: str | None
    """Its state now."""
    exists: bool
    """Whether it still does."""
    changes: list[Event] = field(default_factory=list)
    retired: datetime | None = None
    """When the last of its monitors that were retired was."""

    @property
    def is_calm(self) -> bool:
        """Whether it was in one state all the time."""
        return self.exists and not self.changes


@dataclass(kw_only=True, slots=True)
class _Tally:
    """What a month comes to so far."""

    up: timedelta = timedelta(0)
    down: timedelta = timedelta(0)
    set_aside: timedelta = timedelta(0)
    not_measured: timedelta = timedelta(0)

    def count(self, since: datetime, until: datetime, state: str | None, apart: "_Apart") -> timedelta:
        """Add a span in one state, less what is counted apart; return how much of it counts with its state."""
        time = until - since
        if apart.any:
            away, either = covered(apart.away, since, until), covered(apart.any, since, until)
            self.not_measured += away
            self.set_aside += either - away
            time -= either
        if state in _UP:
            self.up += time
        elif state == _DOWN:
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

    def row(self, server: str, health_set: str, *, is_touch_point: bool) -> Availability:
        """What it comes to."""
        measured = self.up + self.down
        return Availability(
            server=server,
            health_set=health_set,
            up=self.up,
            down=self.down,
            set_aside=self.set_aside,
            not_measured=self.not_measured,
            percent=100 * (self.up / measured) if measured else None,
            is_touch_point=is_touch_point,
        )


def essence(event: Event) -> Event:
    """The event with no more than it is computed from: tens of thousands of them are kept."""
    at_fault = _at_fault(event)
    return Event(
        id=event.id,
        at=event.at,
        kind=event.kind,
        subject=event.subject,
        because=event.because,
        before=event.before,
        after=event.after,
        operation=event.operation,
        data=_NO_DATA if at_fault is None else {"verdict": {"server": at_fault}},
    )


def month_of(text: str) -> Span:
    """
    Read a month, YYYY-MM.

    Raises:
        ValueError: It is none.
    """
    year, dash, month = text.partition("-")
    if not (dash and len(year) == 4 and len(month) == 2 and text.isascii() and (year + month).isdigit()):
        raise ValueError(f"{text[:40]!r} is no month; write it as 2026-11")
    since = datetime(int(year), int(month), 1, tzinfo=UTC)
    return Span(since, datetime(since.year + since.month // 12, since.month % 12 + 1, 1, tzinfo=UTC))


def availability(month: str, recorded: Recorded, *, now: datetime) -> AvailabilityReport:
    """
    Compute one month.

    Args:
        month: YYYY-MM, in UTC.
        recorded: What happened.
        now: The present; what comes after it is no part of the month yet.

    Raises:
        ValueError: *month* is none, or has not begun.
    """
    whole = month_of(month)
    if whole.since >= now:
        raise ValueError(f"{month} has not begun")
    counted = Span(whole.since, min(whole.until, now))
    away = merged(_away(recorded, until=now))
    maintenance = _maintenance(recorded.holds, now=now)
    everywhere = _Apart(away, away)
    apart = {server: _Apart(away, merged((*away, *spans))) for server, spans in maintenance.items()}
    mended = _mended(recorded.events)
    courses = _courses(recorded)
    rows: list[Availability] = []
    outages: list[Outage] = []
    calm: dict[str | None, _Tally] = {}  # most of many thousand were in one state all the time: counted once
    for server, health_set in sorted(courses):
        course = courses[server, health_set]
        own = apart.get(server.lower(), everywhere)
        is_calm = course.is_calm and own is everywhere and course.present != _DOWN
        tally = calm.get(course.present) if is_calm else None
        if tally is None:
            tally = _Tally()
            for stretch in _stretches(course, counted.since, now):
                since, until = max(stretch[0], counted.since), min(stretch[1], counted.until)
                if since < until:
                    down = tally.count(since, until, stretch[2], own)
                    if stretch[2] == _DOWN:
                        span = Span(since, until)
                        outages.append(_outage((server, health_set), stretch, span, down, mended=mended, now=now))
            if is_calm:
                calm[course.present] = tally
        is_touch_point = health_set == IMAP and server in recorded.touch_points
        rows.append(tally.row(server, health_set, is_touch_point=is_touch_point))
    touch_points = [row for row in rows if row.is_touch_point]
    return AvailabilityReport(
        month=month,
        since=counted.since,
        until=counted.until,
        overall=_together(touch_points) if touch_points else None,
        rows=tuple(sorted(rows, key=_worst_first)),  # those alike stay in order of their names
        outages=tuple(sorted(outages, key=lambda one: (one.began, one.server, one.health_set), reverse=True)),
    )


def _courses(recorded: Recorded) -> dict[tuple[str, str], _Course]:
    """What is known of each health set, by its server and name."""
    courses = {
        (report.server, report.health_set): _Course(report.alert_value.value, exists=True)
        for report in recorded.reports
    }
    of_subject = {f"{server}/{health_set}": course for (server, health_set), course in courses.items()}
    retired: dict[str, datetime] = {}
    for event in recorded.events:
        if event.kind is EventKind.HEALTH_SET_CHANGED:
            course = of_subject.get(event.subject)
            if course is None:
                server, _, health_set = event.subject.partition("/")
                course = of_subject[event.subject] = courses[server, health_set] = _Course(None, exists=False)
            course.changes.append(event)
        elif event.kind is EventKind.MONITOR_RETIRED:
            retired["/".join(event.subject.split("/", 2)[:2])] = event.at
    for subject, at in retired.items():
        if subject in of_subject:
            of_subject[subject].retired = at
    return courses


def _stretches(course: _Course, since: datetime, now: datetime) -> Iterable[_Stretch]:
    """The states a health set was in, from the month's beginning until now."""
    state = course.changes[0].before if course.changes else course.present
    began: Event | None = None
    for event in course.changes:
        at = max(event.at, since)
        yield since, at, state, began, event
        since, state, began = at, event.after, event
    if not course.exists:
        gone = course.retired or since
        yield since, gone, state, began, None
        since, state, began = max(gone, since), None, None
    yield since, now, state, began, None


def _away(recorded: Recorded, *, until: datetime) -> Iterable[Span]:
    """When mailward did not run."""
    stopped = None if recorded.was_running else datetime.min.replace(tzinfo=UTC)
    for event in recorded.events:
        if event.kind is EventKind.MANAGER_STOPPED and stopped is None:
            stopped = event.at
        elif event.kind is EventKind.MANAGER_STARTED and stopped is not None:
            yield Span(stopped, event.at)
            stopped = None
    if stopped is not None:
        yield Span(stopped, until)


def _maintenance(holds: Iterable[Hold], *, now: datetime) -> Mapping[str, tuple[Span, ...]]:
    """When each server was in maintenance, by its name in small letters."""
    found: dict[str, list[Span]] = defaultdict(list)
    for hold in holds:
        if hold.kind is HoldKind.MAINTENANCE:
            ends = [end for end in (hold.until, hold.ended_at, now) if end is not None]
            found[hold.server.lower()].append(Span(hold.since, min(ends)))
    return {server: merged(spans) for server, spans in found.items()}


def _mended(events: Iterable[Event]) -> Mapping[str, list[Event]]:
    """The ends of recoveries that healed, by server."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.kind is EventKind.RECOVERY_ENDED and event.after == "healed":
            found[event.subject].append(event)
    return found


def _outage(
    of: tuple[str, str],
    stretch: _Stretch,
    span: Span,
    down: timedelta,
    *,
    mended: Mapping[str, list[Event]],
    now: datetime,
) -> Outage:
    server, health_set = of
    _, _, _, began, ended = stretch
    healer = _healer((server, _at_fault(began)), span, mended) if ended is not None else None
    because = healer.because if healer is not None else ended.because if ended is not None else ""
    return Outage(
        server=server,
        health_set=health_set,
        began=span.since,
        ended=None if span.until >= now else span.until,
        down=down,
        because=began.because if began is not None else "",
        mended=because,
        event=began.id if began is not None else None,
        operation=healer.operation if healer is not None else None,
    )


def _at_fault(event: Event | None) -> str | None:
    """The server that the verdict of an event blames."""
    verdict = event.data.get("verdict") if event is not None else None
    server = verdict.get("server") if isinstance(verdict, Mapping) else None
    return server if isinstance(server, str) else None


def _healer(servers: Iterable[str | None], outage: Span, mended: Mapping[str, list[Event]]) -> Event | None:
    """The recovery of one of *servers* that ended healed during the outage, or looked after it whether it had."""
    ends = [event for server in servers if server is not None for event in mended.get(server, ())]
    fitting = [event for event in ends if outage.since <= event.at <= outage.until + MENDED_WITHIN]
    return min(fitting, key=lambda event: abs(event.at - outage.until), default=None)


def _together(rows: Iterable[Availability]) -> Availability:
    """All of them as one."""
    tally = _Tally()
    for row in rows:
        tally.add(row)
    return tally.row(OVERALL, IMAP, is_touch_point=True)


def _worst_first(row: Availability) -> tuple[bool, float]:
    return (not row.is_touch_point, row.percent if row.percent is not None else 101.0)
