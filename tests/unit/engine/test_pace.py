from datetime import UTC, datetime, timedelta

import pytest

from mailward.engine.pace import interval_after, may_be_hastened
from mailward.model.probing import Cause, ProbeResult, ResultType

MINUTE = timedelta(seconds=60)
LONGEST = timedelta(minutes=5)


def a_result(result: ResultType, cause: Cause | None = None) -> ProbeResult:
    return ProbeResult(
        probe="ImapDeepTestProbe",
        health_set="IMAP.Protocol",
        server="mbx1",
        target="DB1",
        at=datetime(2026, 11, 24, tzinfo=UTC),
        took=timedelta(0),
        result=result,
        cause=cause,
    )


@pytest.mark.parametrize(("in_row", "minutes"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 4), (6, 5), (60, 5), (10_000, 5)])
def test_time_outs_are_followed_by_longer_and_longer_waits_up_to_a_bound(in_row, minutes):
    timed_out = a_result(ResultType.TIMED_OUT, Cause.TIMEOUT)

    assert timedelta(minutes=minutes) == interval_after(timed_out, MINUTE, in_row, longest=LONGEST)


@pytest.mark.parametrize(("in_row", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 5)])
def test_a_rejected_password_is_repeated_less_and_less_from_the_first_time_on(in_row, minutes):
    rejected = a_result(ResultType.FAILED, Cause.AUTH_REJECTED)

    assert timedelta(minutes=minutes) == interval_after(rejected, MINUTE, in_row, longest=LONGEST)
    assert not may_be_hastened(rejected)


@pytest.mark.parametrize("cause", [Cause.REFUSED, Cause.STORE_ERROR, Cause.BYE])
def test_a_plain_failure_keeps_its_pace_so_that_recovery_is_noticed_soon(cause):
    failed = a_result(ResultType.FAILED, cause)

    assert interval_after(failed, MINUTE, 100, longest=LONGEST) == MINUTE
    assert may_be_hastened(failed)


def test_an_interval_longer_than_the_bound_is_not_shortened_by_it():
    timed_out = a_result(ResultType.TIMED_OUT)

    assert timedelta(hours=1) == interval_after(timed_out, timedelta(hours=1), 9, longest=LONGEST)
