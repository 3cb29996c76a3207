"""From roll-ups to the points of a chart: how wide a point is, and what stands in it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from mailward.model.latencies import LatencyPoint, PhaseShare
from mailward.model.probing import Phase
from mailward.ports.store import Rollup

POINTS_MOST = 300
"""More than a chart on a screen can show apart."""
FINEST = timedelta(minutes=5)
"""The width of a roll-up."""
_WIDTHS = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))


def step_for(span: timedelta, *, most: int = POINTS_MOST) -> timedelta:
    """Return how much time a point stands for, so that *most* points reach over *span*: a width people think in."""
    return next((width for width in _WIDTHS if span <= width * most), -(-span // (_WIDTHS[-1] * most)) * _WIDTHS[-1])


def points(rollups: Iterable[Rollup]) -> tuple[LatencyPoint, ...]:
    """
    Put together what the roll-ups of one probe on one target say of the same step.

    Args:
        rollups: Of the whole conversation and of its phases, each over one step.

    Returns:
        In order of time. A step without a roll-up of the whole conversation has no point.
    """
    whole: dict[datetime, Rollup] = {}
    phases: dict[datetime, dict[Phase, timedelta]] = {}
    for one in rollups:
        if one.phase is None:
            whole[one.start] = one
        else:
            phases.setdefault(one.start, {})[one.phase] = one.took_sum
    return tuple(_point(one, phases.get(start, {})) for start, one in sorted(whole.items()) if one.count)


def _point(one: Rollup, phases: Mapping[Phase, timedelta]) -> LatencyPoint:
    return LatencyPoint(
        start=one.start,
        count=one.count,
        failures=one.failures,
        took=one.took_sum / one.count,
        longest=one.took_max,
        phases=tuple(PhaseShare(phase=phase, took=phases[phase] / one.count) for phase in Phase if phase in phases),
    )
