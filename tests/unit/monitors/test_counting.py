"""What two looks at counters say together."""

from datetime import timedelta

import pytest

from mailward.model.counters import CommandTotal, CommandTotals, RunningCommand
from mailward.monitors.counting import Stuck, began_anew, still_stuck, times_between
from mailward.testing.platform import NOON

SECOND = timedelta(seconds=1)


def totals(**finished):
    named = {name.replace("_", " "): CommandTotal(count=n, took=took) for name, (n, took) in finished.items()}
    return CommandTotals(at=NOON, finished=named)


def test_the_mean_is_of_what_ended_in_between():
    before = totals(FETCH=(100, 1000 * SECOND), NOOP=(5, SECOND))
    after = totals(FETCH=(102, 1004 * SECOND), NOOP=(7, SECOND), UID_FETCH=(1, 6 * SECOND))

    times = times_between(before, after)

    assert (5, 2 * SECOND) == (times.count, times.mean)
    assert ("UID FETCH", 6 * SECOND) == (times.slowest, times.slowest_mean)


def test_a_phone_that_waits_for_news_is_no_slow_command():
    times = times_between(totals(), totals(IDLE=(3, 5000 * SECOND), NOOP=(1, SECOND)))

    assert (1, SECOND) == (times.count, times.mean)


@pytest.mark.parametrize("after", [totals(FETCH=(3, SECOND)), totals(FETCH=(3, SECOND), IDLE=(9, SECOND))])
def test_where_none_ended_there_is_no_mean(after):
    assert 0 == times_between(totals(FETCH=(3, SECOND)), after).count


def test_fewer_than_before_means_that_the_service_was_started():
    assert began_anew(totals(FETCH=(3, SECOND)), totals(FETCH=(2, SECOND)))
    assert began_anew(totals(FETCH=(3, SECOND)), totals(NOOP=(9, SECOND)))
    assert not began_anew(totals(FETCH=(3, SECOND)), totals(FETCH=(3, SECOND), NOOP=(1, SECOND)))


def a_command(**more):
    return RunningCommand(**{"pid": 7, "name": "APPEND", "cpu_ticks": 3, **more})


def test_a_command_without_progress_counts_from_when_it_was_first_seen():
    known = (Stuck(command=a_command(), since=NOON),)

    assert known == still_stuck(known, [a_command()], NOON + 60 * SECOND)


@pytest.mark.parametrize("moved_on", [a_command(cpu_ticks=4), a_command(name="FETCH"), a_command(pid=8)])
def test_one_that_works_or_another_one_counts_from_now(moved_on):
    (stuck,) = still_stuck((Stuck(command=a_command(), since=NOON),), [moved_on], NOON + SECOND)

    assert NOON + SECOND == stuck.since


def test_idle_and_what_is_gone_are_not_stuck():
    assert () == still_stuck((Stuck(command=a_command(), since=NOON),), [a_command(name="IDLE")], NOON)


def test_a_clock_that_goes_back_makes_nothing_older():
    (stuck,) = still_stuck((Stuck(command=a_command(), since=NOON),), [a_command()], NOON - SECOND)

    assert NOON - SECOND == stuck.since
