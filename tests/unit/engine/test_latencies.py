"""How wide a point of a chart is, and what stands in it."""

from datetime import UTC, datetime, timedelta

import pytest

from mailward.engine.latencies import POINTS_MOST, points, step_for
from mailward.model.probing import Phase
from mailward.ports.store import Rollup

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def a_rollup(phase=None, *, start=NOON, count=4, failures=0, ms=40.0, longest=20.0) -> Rollup:
    return Rollup(
        probe="ImapDeepTestProbe",
        server="mbx1",
        target="DB1",
        phase=phase,
        start=start,
        count=count,
        failures=failures,
        took_sum=timedelta(milliseconds=ms),
        took_max=timedelta(milliseconds=longest),
    )


@pytest.mark.parametrize(
    ("hours", "minutes"), [(1, 5), (6, 5), (24, 5), (25, 5), (26, 10), (7 * 24, 60), (30 * 24, 180), (396 * 24, 2880)]
)
def test_a_point_is_as_wide_as_people_think_and_as_narrow_as_fits(hours, minutes):
    assert timedelta(minutes=minutes) == step_for(timedelta(hours=hours))


@pytest.mark.parametrize("hours", [0, 1, 77, 720, 9504, 100_000])
def test_no_span_needs_more_points_than_a_chart_shows(hours):
    step = step_for(timedelta(hours=hours))

    assert timedelta(hours=hours) <= step * POINTS_MOST
    assert timedelta(0) == step % FIVE


def test_a_phase_that_only_some_conversations_reached_is_spread_over_all():
    (point,) = points([a_rollup(), a_rollup(Phase.SELECT, count=1, ms=8)])

    assert timedelta(milliseconds=10) == point.took
    assert [(Phase.SELECT, timedelta(milliseconds=2))] == [(share.phase, share.took) for share in point.phases]


def test_points_and_phases_stand_in_order_however_they_come():
    rollups = [a_rollup(start=NOON + FIVE), a_rollup(Phase.AUTH), a_rollup(Phase.CONNECT), a_rollup()]

    first, second = points(rollups)

    assert (NOON, NOON + FIVE) == (first.start, second.start)
    assert [Phase.CONNECT, Phase.AUTH] == [share.phase for share in first.phases]
    assert () == second.phases


def test_a_phase_without_its_conversation_has_no_point():
    assert () == points([a_rollup(Phase.AUTH)])
