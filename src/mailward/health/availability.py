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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mailward.health.courses import DOWN, Apart, Course, Setting, Tally, at_fault
from mailward.health.spans import Span, merged
from mailward.model.availability import Availability, AvailabilityReport, Outage
from mailward.model.event import Event, EventKind
from mailward.model.health import HealthSetReport
from mailward.model.holds import Hold, HoldKind
from mailward.model.items import IMAP

KINDS = (
    EventKind.HEALTH_SET_CHANGED,
    EventKind.MONITOR_RETIRED,
    EventKind.MANAGER_STARTED,
    EventKind.MANAGER_STOPPED,
    EventKind.RECOVERY_ENDED,
)
"""The events it is computed from."""
OVERALL = "all customer touch points"
_NO_DATA: Mapping[str, object] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What else than events a month is computed from."""

    reports: Sequence[HealthSetReport]
    """The health sets as they are now."""
    holds: Sequence[Hold] = ()
    """Maintenance, also what has ended."""
    was_running: bool = True
    """Whether mailward ran when the month began."""
    touch_points: frozenset[str] = frozenset()
    """The servers at whose health set IMAP users meet the service."""


def essence(event: Event) -> Event:
    """The event with no more than it is computed from: tens of thousands of them are kept."""
    blamed = at_fault(event)
    return Event(
        id=event.id,
        at=event.at,
        kind=event.kind,
        subject=event.subject,
        because=event.because,
        before=event.before,
        after=event.after,
        operation=event.operation,
        data=_NO_DATA if blamed is None else {"verdict": {"server": blamed}},
    )


_NO_MONTH = "{!r} is no month; write it as 2026-11"


def month_of(text: str) -> Span:
    """
    Read a month, YYYY-MM.

    Raises:
        ValueError: It is none.
    """
    year, dash, month = text.partition("-")
    if not (dash and len(year) == 4 and len(month) == 2 and text.isascii() and (year + month).isdigit()):
        raise ValueError(_NO_MONTH.format(text[:40]))
    try:
        since = datetime(int(year), int(month), 1, tzinfo=UTC)
        return Span(since, datetime(since.year + since.month // 12, since.month % 12 + 1, 1, tzinfo=UTC))
    except ValueError:  # the 13th, and the last before the year 10000
        raise ValueError(_NO_MONTH.format(text[:40])) from None


class Month:
    """
    What was recorded of a month; it can be counted at any time, and again when more is recorded.

    However it is handed in, in one go or bit by bit, the same record comes to the same figures. `first` and `last` are
    the numbers of the first and the last event of it.
    """

    def __init__(self, month: str) -> None:
        """
        Nothing is recorded yet of *month*, YYYY-MM in UTC.

        Raises:
            ValueError: It is none.
        """
        self._name = month
        self.span = month_of(month)
        self.first: int | None = None
        self.last = 0
        self._courses: dict[str, Course] = {}
        self._affected: dict[str, dict[str, Course]] = defaultdict(dict)
        """Whose outages a recovery of that server may have mended."""
        self._retired: dict[str, datetime] = {}
        self._life: list[Event] = []
        self._mended: dict[str, list[Event]] = defaultdict(list)

    def add(self, events: Iterable[Event]) -> None:
        """Record events of `KINDS` from the month's beginning on, in order; not while it is counted."""
        for event in events:
            self.first, self.last = self.first or event.id, event.id
            if event.kind is EventKind.HEALTH_SET_CHANGED:
                self._change(event)
            elif event.kind is EventKind.MONITOR_RETIRED:
                self._retired["/".join(event.subject.split("/", 2)[:2])] = event.at
            elif event.kind in (EventKind.MANAGER_STARTED, EventKind.MANAGER_STOPPED):
                self._life.append(event)
            elif event.kind is EventKind.RECOVERY_ENDED and event.after == "healed":
                self._mended[event.subject].append(event)
                for course in self._affected[event.subject].values():
                    course.forget()

    def report(self, standing: Standing, *, now: datetime) -> AvailabilityReport:
        """
        Count the month.

        Args:
            standing: How everything stands.
            now: The present; what comes after it is no part of the month yet.

        Raises:
            ValueError: The month has not begun.
        """
        if self.span.since >= now:
            raise ValueError(f"{self._name} has not begun")
        setting = Setting(counted=Span(self.span.since, min(self.span.until, now)), now=now, mended=self._mended)
        outages: list[Outage] = []
        rows = sorted(self._rows(standing, setting, outages), key=_worst_first)
        touch_points = [row for row in rows if row.is_touch_point]
        return AvailabilityReport(
            month=self._name,
            since=setting.counted.since,
            until=setting.counted.until,
            overall=_together(touch_points) if touch_points else None,
            rows=tuple(rows),
            outages=tuple(sorted(outages, key=lambda one: (one.began, one.server, one.health_set), reverse=True)),
        )

    def _rows(self, standing: Standing, setting: Setting, outages: list[Outage]) -> Iterable[Availability]:
        """Count each health set, in order of their names; its outages are added to *outages*."""
        away = tuple(merged(self._away(standing, until=setting.now)))
        everywhere = Apart(away, away)
        maintenance = _maintenance(standing.holds, now=setting.now)
        apart = {server: Apart(away, merged((*away, *spans))) for server, spans in maintenance.items()}
        present = {(report.server, report.health_set): report.alert_value.value for report in standing.reports}
        names = dict.fromkeys(present)
        names.update(((course.server, course.health_set), None) for course in self._courses.values())
        calm: dict[str, Callable[..., Availability]] = {}
        for key in sorted(names):
            server, health_set = key
            state, own = present.get(key), apart.get(server.lower(), everywhere)
            is_touch_point = health_set == IMAP and server in standing.touch_points
            subject = f"{server}/{health_set}"
            course = self._courses.get(subject)
            # Most of many thousand were in one state all the time: counted once.
            row = calm.get(state) if course is None and state is not None and own is everywhere else None
            if row is None:
                counted = course or Course(server=server, health_set=health_set)
                tally, found = counted.count(setting, own, present=state, retired=self._retired.get(subject))
                outages.extend(found)
                row = tally.row()
                if course is None and state is not None and state != DOWN and own is everywhere:
                    calm[state] = row
            yield row(server=server, health_set=health_set, is_touch_point=is_touch_point)

    def _change(self, event: Event) -> None:
        course = self._courses.get(event.subject)
        if course is None:
            server, _, health_set = event.subject.partition("/")
            course = self._courses[event.subject] = Course(server=server, health_set=health_set)
            self._affected[server][event.subject] = course
        blamed = at_fault(event)
        if blamed is not None:
            self._affected[blamed][event.subject] = course
        course.add(event)

    def _away(self, standing: Standing, *, until: datetime) -> Iterable[Span]:
        """When mailward did not run."""
        stopped = None if standing.was_running else datetime.min.replace(tzinfo=UTC)
        for event in self._life:
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


def _together(rows: Iterable[Availability]) -> Availability:
    """All of them as one."""
    tally = Tally()
    for row in rows:
        tally.add(row)
    return tally.row()(server=OVERALL, health_set=IMAP, is_touch_point=True)


def _worst_first(row: Availability) -> tuple[bool, float]:
    return (not row.is_touch_point, row.percent if row.percent is not None else 101.0)
