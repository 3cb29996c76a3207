from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from mailward.model.errors import Refused
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.monitors.transitions import (
    KEEPS,
    MOVES,
    REFUSES,
    MonitorEvent,
    advance,
    state_diagram,
    transition_table,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = MonitorKey(server="mbx1", health_set="IMAP.Protocol", item="ImapDeepTestMonitor", target="DB1")
ORDERS = {
    MonitorEvent.REPAIR_STARTED,
    MonitorEvent.REPAIR_ENDED,
    MonitorEvent.SWITCHED_OFF,
    MonitorEvent.SWITCHED_ON,
}
AUTOMATIC = [event for event in MonitorEvent if event not in ORDERS]


def a_monitor(state: AlertValue, *, broken_since: datetime | None = None) -> MonitorStatus:
    return MonitorStatus(key=KEY, state=state, since=NOON, because="as before", broken_since=broken_since)


def walk(monitor: MonitorStatus, events: Sequence[MonitorEvent]) -> list[MonitorStatus]:
    """Every status on the way; what is refused changes nothing."""
    way = [monitor]
    for event in events:
        if (way[-1].state, event) not in REFUSES:
            way.append(advance(way[-1], event, at=NOON))
    return way


@pytest.mark.parametrize("pair", list(product(AlertValue, MonitorEvent)))
def test_every_event_in_every_state_has_exactly_one_answer(pair):
    assert 1 == (pair in MOVES) + (pair in KEEPS) + (pair in REFUSES)


@pytest.mark.parametrize("pair", list(MOVES))
def test_every_move_goes_somewhere_else_for_a_reason(pair):
    state, because = MOVES[pair]

    assert state is not pair[0]
    assert because


@pytest.mark.parametrize("pair", list(product(AlertValue, AUTOMATIC)))
def test_only_orders_are_ever_refused(pair):
    assert pair not in REFUSES


@pytest.mark.parametrize("state", [AlertValue.REPAIRING, AlertValue.DISABLED])
def test_nothing_automatic_ends_a_repair_or_wakes_a_disabled_monitor(state):
    for events in product(AUTOMATIC, repeat=3):
        assert state is walk(a_monitor(state), events)[-1].state


def test_nothing_becomes_unhealthy_but_through_a_broken_rule_or_a_repair_that_has_to_prove_itself():
    proofs = {MonitorEvent.RULE_BROKE, MonitorEvent.REPAIR_ENDED, MonitorEvent.RULE_WARNED}

    for events in product([event for event in MonitorEvent if event not in proofs], repeat=3):
        assert AlertValue.UNHEALTHY not in {
            monitor.state for monitor in walk(a_monitor(AlertValue.UNINITIALIZED), events)
        }


def test_whatever_happens_a_healthy_or_disabled_monitor_is_not_broken():
    well = (AlertValue.HEALTHY, AlertValue.DISABLED)

    for events in product(MonitorEvent, repeat=4):
        monitors = walk(a_monitor(AlertValue.UNINITIALIZED), events)
        assert [] == [monitor for monitor in monitors if monitor.state in well and monitor.broken_since is not None]


def test_a_fault_goes_from_healthy_through_degraded_to_unhealthy_and_back():
    states = []
    monitor = a_monitor(AlertValue.HEALTHY)

    for event in (
        MonitorEvent.RULE_BROKE,
        MonitorEvent.GRACE_EXPIRED,
        MonitorEvent.RULE_HELD,
        MonitorEvent.RECOVERED,
    ):
        monitor = advance(monitor, event, at=NOON)
        states.append(monitor.state.value)

    assert ["Degraded", "Unhealthy", "Unhealthy", "Healthy"] == states


def test_old_news_returns_the_very_same_status():
    monitor = a_monitor(AlertValue.HEALTHY)

    assert monitor is advance(monitor, MonitorEvent.RULE_HELD, at=NOON)


def test_a_move_carries_its_moment_and_the_callers_reason():
    later = NOON + timedelta(seconds=5)

    monitor = advance(a_monitor(AlertValue.HEALTHY), MonitorEvent.RULE_BROKE, at=later, because="3 failures in a row")

    assert (later, "3 failures in a row", later) == (monitor.since, monitor.because, monitor.broken_since)


def test_broken_since_stays_through_silence_and_single_good_results():
    monitor = a_monitor(AlertValue.UNHEALTHY, broken_since=NOON)

    for event in (MonitorEvent.RULE_HELD, MonitorEvent.NO_ANSWER, MonitorEvent.RULE_BROKE):
        monitor = advance(monitor, event, at=NOON + timedelta(minutes=5))

    assert (AlertValue.DEGRADED, NOON) == (monitor.state, monitor.broken_since)


def test_a_warning_that_breaks_starts_the_grace_period_then():
    warned = advance(a_monitor(AlertValue.HEALTHY), MonitorEvent.RULE_WARNED, at=NOON)
    later = NOON + timedelta(days=3)

    broken = advance(warned, MonitorEvent.RULE_BROKE, at=later)

    assert (AlertValue.DEGRADED, None) == (warned.state, warned.broken_since)
    assert (AlertValue.DEGRADED, later, NOON) == (broken.state, broken.broken_since, broken.since)


def test_the_end_of_a_repair_has_to_prove_itself():
    monitor = advance(a_monitor(AlertValue.REPAIRING), MonitorEvent.REPAIR_ENDED, at=NOON)

    assert (AlertValue.DEGRADED, NOON) == (monitor.state, monitor.broken_since)


def test_ending_a_repair_that_was_never_started_is_refused_with_what_to_do():
    with pytest.raises(Refused, match="start a repair before ending one"):
        advance(a_monitor(AlertValue.HEALTHY), MonitorEvent.REPAIR_ENDED, at=NOON)


def test_the_diagram_shows_every_move_and_no_other():
    diagram = state_diagram()

    for (state, event), (following, _) in MOVES.items():
        line = next(
            line for line in diagram.splitlines() if line.startswith(f"    {state.value} --> {following.value}:")
        )
        assert event.value in line
    assert len({(state, following) for (state, _), (following, _) in MOVES.items()}) == diagram.count("-->") - 1


def test_the_table_has_a_row_for_every_state_and_event():
    assert 2 + len(AlertValue) * len(MonitorEvent) == len(transition_table().splitlines())
