"""The live view, one picture at a time."""

from collections import deque
from dataclasses import replace

import pytest

from mailward.cli.terminal import Terminal
from mailward.cli.watch import View, frame, summary
from mailward.model.monitoring import AlertValue
from mailward.testing.manager_values import EVENTS, HEALTH

READER = Terminal(width=120, colours=False)
SICK, ILL, WELL = HEALTH


def a_view(*, healthy=1, **how) -> View:
    many = tuple(replace(WELL, target_resource=f"proxy{number}") for number in range(healthy))
    return View(rows=(SICK, ILL, *many), events=deque(EVENTS), **how)


def test_with_room_everything_is_there():
    lines = frame(a_view(foot=("try this",)), READER, 40)

    assert "3 monitors: 1 Healthy, 1 Degraded, 1 Unhealthy   (Ctrl-C ends)" == lines[0]
    text = "\n".join(lines)
    assert all(name in text for name in ("ImapProxyTestMonitor", "fault: store of mbx2", "Last events:", "try this"))
    assert "more" not in text


@pytest.mark.parametrize("height", range(8, 60))
@pytest.mark.parametrize("healthy", [0, 1, 50])
def test_a_picture_is_never_higher_than_the_terminal_and_always_shows_the_worst(height, healthy):
    lines = frame(a_view(healthy=healthy, foot=("", "try this")), READER, height)

    assert len(lines) <= height
    assert any("ImapDeepTestMonitor" in line for line in lines)


def test_rows_without_room_are_counted_by_state():
    assert "… and 41 more: 41 Healthy" in "\n".join(frame(a_view(healthy=50), READER, 24))


def test_healthy_rows_give_way_before_the_reason():
    text = "\n".join(frame(a_view(healthy=50), READER, 20))

    assert "its store refuses to open" in text


def test_events_are_a_line_each():
    narrow = frame(a_view(), Terminal(width=60, colours=False), 40)
    events = narrow[narrow.index("Last events:") + 1 :]

    assert 2 == len(events)
    assert all(len(line) <= 60 for line in events)


def test_an_old_picture_says_that_it_is_old():
    assert "this picture is old: no manager" in frame(a_view(trouble="this picture is old: no manager"), READER, 30)


def test_states_nobody_is_in_are_not_counted_except_healthy():
    assert "1 monitors: 0 Healthy, 1 Degraded   (Ctrl-C ends)" == summary(
        (replace(SICK, alert_value=AlertValue.DEGRADED),), READER
    )
