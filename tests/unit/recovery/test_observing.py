"""Observed healthy: with data, and without another state within the window."""

from datetime import timedelta

import pytest

from mailward.model import items
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.recovery.observing import observe
from mailward.testing.platform import NOON

MINUTE = timedelta(minutes=1)
WINDOW = 10 * MINUTE


def status(state=AlertValue.HEALTHY, *, since=NOON - MINUTE, item=items.QUEUE_MONITOR):
    key = MonitorKey(server="be1", health_set=items.IMAP, item=item, target="be1")
    return MonitorStatus(key=key, state=state, since=since, because="a test says so")


def observed(*statuses, after):
    return observe(statuses, began=NOON, window=WINDOW, now=NOON + after)


def test_healthy_all_the_time_is_observed_healthy_at_the_end_and_no_sooner():
    assert observed(status(), after=9 * MINUTE).is_healthy is None
    assert observed(status(), after=WINDOW).is_healthy is True


def test_one_that_becomes_healthy_meanwhile_has_a_whole_window_from_then_on():
    late = status(since=NOON + 4 * MINUTE)

    assert observed(late, after=WINDOW).is_healthy is None
    assert NOON + 14 * MINUTE == observed(late, after=WINDOW).until
    assert observed(late, after=14 * MINUTE).is_healthy is True


@pytest.mark.parametrize(
    "state", [AlertValue.DEGRADED, AlertValue.UNHEALTHY, AlertValue.UNAVAILABLE, AlertValue.UNINITIALIZED]
)
def test_anything_else_at_the_end_is_not_healthy(state):
    assert observed(status(state), after=9 * MINUTE).is_healthy is None
    found = observed(status(state), after=WINDOW)
    assert found.is_healthy is False
    assert state.value in found.because


def test_every_monitor_counts():
    unwell = status(AlertValue.UNHEALTHY, item=items.SELF_TEST_MONITOR)

    assert observed(status(), unwell, after=WINDOW).is_healthy is False


def test_no_monitor_at_all_proves_nothing():
    assert observed(after=WINDOW).is_healthy is False
