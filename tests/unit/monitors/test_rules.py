from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.probing import Cause, Phase, ResultType
from mailward.monitors.definition import Standing
from mailward.monitors.rules import AboveThreshold, AnyOf, ConsecutiveFailures, FailuresInWindow, PercentInWindow
from mailward.monitors.samples import Sample

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
IN_A_ROW = ConsecutiveFailures(failures=3)
PERCENT = PercentInWindow(minimum_percent=90, minimum_samples=5, window=timedelta(minutes=10))


def samples(pattern: str, *, every: timedelta = timedelta(seconds=30)) -> list[Sample]:
    """ "+" succeeded, "-" failed, "c" failed as a confirmation; the last one at noon."""
    return [
        Sample(
            at=NOON - every * (len(pattern) - 1 - place),
            result=ResultType.SUCCEEDED if sign == "+" else ResultType.FAILED,
            cause=None if sign == "+" else Cause.REFUSED,
            phase=None if sign == "+" else Phase.CONNECT,
            detail="" if sign == "+" else f"number {place}",
            confirmation=sign == "c",
        )
        for place, sign in enumerate(pattern)
    ]


def levels(*values: float | None) -> list[Sample]:
    return [Sample(at=NOON, result=ResultType.SUCCEEDED, level=value) for value in values]


@pytest.mark.parametrize(
    ("pattern", "standing"),
    [
        ("", Standing.NO_DATA),
        ("+", Standing.HELD),
        ("-", Standing.DOUBTFUL),
        ("+-c", Standing.DOUBTFUL),
        ("+-cc", Standing.BROKE),
        ("---", Standing.BROKE),
        ("---+", Standing.HELD),
        ("--+-", Standing.DOUBTFUL),
    ],
)
def test_so_many_failures_in_a_row_break_the_rule_confirmations_included(pattern, standing):
    assert standing is IN_A_ROW.judge(samples(pattern), NOON).standing


def test_the_reason_names_the_number_and_the_last_failure():
    because = IN_A_ROW.judge(samples("+---"), NOON).because

    assert "3 failures in a row, the last: connect refused: number 3" == because


def test_a_run_longer_than_the_memory_is_not_understated():
    assert "10 or more failures in a row" in IN_A_ROW.judge(samples("-" * 10), NOON).because


@pytest.mark.parametrize(
    ("pattern", "standing"),
    [
        ("----", Standing.NO_DATA),
        ("+++++", Standing.HELD),
        ("+++++++++-", Standing.HELD),
        ("++++++++--", Standing.BROKE),
        ("-+++", Standing.NO_DATA),
        ("++++++++++-cc", Standing.HELD),
    ],
)
def test_less_than_the_percentage_of_enough_results_breaks_the_rule(pattern, standing):
    assert standing is PERCENT.judge(samples(pattern), NOON).standing


def test_what_is_older_than_the_window_does_not_count():
    old = samples("-----+++++", every=timedelta(minutes=2))

    assert "80 % of 5" not in PERCENT.judge(old, NOON).because
    assert Standing.HELD is PERCENT.judge(old[4:], NOON + timedelta(minutes=1)).standing


def test_the_percentage_is_said_with_its_numbers():
    because = PERCENT.judge(samples("+++--"), NOON).because

    assert "60 % of 5 results in 10 min succeeded, less than 90 %" in because


@pytest.mark.parametrize(
    ("pattern", "standing"),
    [
        ("++++-", Standing.HELD),
        ("+-+-+-", Standing.BROKE),
        ("+++++---+++", Standing.HELD),
        ("+++++-cc+++", Standing.HELD),
        ("+-+-+---+-", Standing.BROKE),
    ],
)
def test_only_scattered_failures_enter_the_percentage_and_a_few_of_them_at_least(pattern, standing):
    rule = replace(PERCENT, minimum_failures=3, outage=3)

    assert standing is rule.judge(samples(pattern), NOON).standing


@pytest.mark.parametrize(
    ("pattern", "standing"),
    [("", Standing.NO_DATA), ("-+-+", Standing.HELD), ("-+-+-", Standing.BROKE), ("-+-", Standing.DOUBTFUL)],
)
def test_so_many_failures_in_a_window_break_the_rule_in_a_row_or_not(pattern, standing):
    rule = FailuresInWindow(failures=3, window=timedelta(minutes=10))

    assert standing is rule.judge(samples(pattern), NOON).standing


@pytest.mark.parametrize(
    ("values", "standing"),
    [
        ((), Standing.NO_DATA),
        ((501.0, 501.0, 501.0, 500.0), Standing.HELD),
        ((501.0, 501.0, 501.0), Standing.DOUBTFUL),
        ((501.0, 501.0, 501.0, 501.0), Standing.BROKE),
        ((500.0, 501.0, 501.0, 501.0), Standing.DOUBTFUL),
    ],
)
def test_a_counter_must_stay_above_its_threshold(values, standing):
    rule = AboveThreshold(threshold=500, samples=4, what="requests queued")

    assert standing is rule.judge(levels(*values), NOON).standing


def test_any_broken_rule_breaks_a_combination_and_gives_its_reason():
    rule = AnyOf(rules=(IN_A_ROW, PERCENT))

    by_percent = rule.judge(samples("+++--+"), NOON)

    assert Standing.BROKE is by_percent.standing
    assert "67 % of 6" in by_percent.because
    assert Standing.BROKE is rule.judge(samples("---"), NOON).standing
    assert Standing.HELD is rule.judge(samples("+"), NOON).standing


def test_a_combination_remembers_enough_for_each_of_its_rules():
    memory = AnyOf(rules=(IN_A_ROW, PERCENT)).memory

    assert (IN_A_ROW.memory.count, PERCENT.memory.age) == (memory.count, memory.age)


@given(st.lists(st.sampled_from("+-c"), max_size=40))
def test_whatever_came_before_three_failures_at_the_end_break_and_a_success_holds(pattern):
    before: Sequence[str] = pattern

    assert Standing.BROKE is IN_A_ROW.judge(samples("".join(before) + "---"), NOON).standing
    assert Standing.HELD is IN_A_ROW.judge(samples("".join(before) + "+"), NOON).standing
