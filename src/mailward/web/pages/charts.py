"""Which charts a server's page has, over how much time, and what stands in the table each is drawn from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from mailward.model import items
from mailward.model.event import Event
from mailward.model.health import MonitorHealth
from mailward.model.latencies import Latencies, LatencyPoint
from mailward.model.probing import Phase, PhaseOutcome, ProbeResult
from mailward.ports.manager import ItemInstance
from mailward.web.pages.matrix import is_wrong
from mailward.web.pages.rendering import milliseconds

_LOOKS = frozenset(
    {
        items.COMMAND_TIME_CHECK,
        items.QUEUE_CHECK,
        items.DISK_SPACE_CHECK,
        items.HEALTH_MANAGER_CHECK,
        items.REPLICATION_CHECK,
    }
)
"""Looks that are no conversation: how long they took says nothing of the service."""


class Span(Enum):
    """How much time a chart shows."""

    SIX_HOURS = "6h"
    DAY = "day"
    WEEK = "week"
    MONTH = "30d"

    @property
    def length(self) -> timedelta:
        """As a duration."""
        return _LENGTHS[self]

    @property
    def said(self) -> str:
        """As a link says it."""
        return _SAID[self]


_LENGTHS = {
    Span.SIX_HOURS: timedelta(hours=6),
    Span.DAY: timedelta(days=1),
    Span.WEEK: timedelta(days=7),
    Span.MONTH: timedelta(days=30),
}
_SAID = {Span.SIX_HOURS: "6 hours", Span.DAY: "a day", Span.WEEK: "a week", Span.MONTH: "30 days"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """The latencies of one probe on one target."""

    latencies: Latencies
    targets: tuple[str, ...]
    """What else of that probe could be shown."""
    phases: tuple[Phase, ...]
    """Those that happened, as a user meets them."""
    rows: tuple[tuple[LatencyPoint, tuple[str, ...]], ...]
    """Each point with the milliseconds of every phase, as written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One phase of a conversation in its waterfall, in percent of the whole."""

    phase: Phase
    outcome: PhaseOutcome
    took: timedelta
    begins: float
    width: float


def targets_of(instances: Iterable[ItemInstance]) -> dict[str, tuple[str, ...]]:
    """The targets of each probe that holds conversations, by name."""
    found: dict[str, set[str]] = {}
    for one in instances:
        if one.item_type == "Probe" and one.name not in _LOOKS:
            found.setdefault(one.name, set()).add(one.target_resource)
    return {probe: tuple(sorted(found[probe])) for probe in sorted(found)}


def choose_targets(
    targets: Mapping[str, Sequence[str]], monitors: Iterable[MonitorHealth], wanted: str | None
) -> dict[str, str]:
    """
    Choose for each probe the target that is shown.

    The *wanted* one where the probe has it; otherwise the one that is worst off; otherwise the first by name.

    Args:
        targets: Of each probe.
        monitors: Worst first.
        wanted: What the reader has chosen.
    """
    first = [*([wanted] if wanted else []), *(one.target_resource for one in monitors if is_wrong(one.alert_value))]
    return {probe: next((one for one in first if one in own), own[0]) for probe, own in targets.items()}


def chart(latencies: Latencies, targets: tuple[str, ...]) -> Chart:
    """Lay out one chart's table."""
    happened = {share.phase for point in latencies.points for share in point.phases}
    phases = tuple(phase for phase in Phase if phase in happened)
    return Chart(
        latencies=latencies,
        targets=targets,
        phases=phases,
        rows=tuple((point, _cells(point, phases)) for point in latencies.points),
    )


def _cells(point: LatencyPoint, phases: Sequence[Phase]) -> tuple[str, ...]:
    took = {share.phase: milliseconds(share.took) for share in point.phases}
    return tuple(took.get(phase, "") for phase in phases)


def marks(events: Iterable[Event], *, since: datetime) -> tuple[Event, ...]:
    """What was done to the server since then, to be marked in its charts, the oldest first."""
    return tuple(sorted((event for event in events if event.at >= since), key=lambda event: (event.at, event.id)))


def waterfall(result: ProbeResult) -> tuple[Bar, ...]:
    """The phases of a conversation one after the other, each from where the one before it ended."""
    whole = sum((timing.took for timing in result.phases), timedelta(0)) or timedelta(microseconds=1)
    bars, begins = [], 0.0
    for timing in result.phases:
        width = 100 * (timing.took / whole)
        bars.append(
            Bar(
                phase=timing.phase,
                outcome=timing.outcome,
                took=timing.took,
                begins=round(begins, 2),
                width=round(max(width, 0.5), 2),
            )
        )
        begins += width
    return tuple(bars)
