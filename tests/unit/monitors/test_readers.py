from datetime import UTC, datetime, timedelta

import pytest

from mailward.model.probing import Cause, Phase, ResultType
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.monitors.definition import Reading
from mailward.monitors.readers import HealthMailboxReader, OwnReader, PushReader, ServiceReader
from mailward.monitors.samples import Sample

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_sample(result: ResultType = ResultType.FAILED, *, tier: Tier | None = None, **facts: object) -> Sample:
    verdict = None if tier is None else Verdict(tier=tier, confidence=Confidence.PROBABLE, because="it was said")
    return Sample(at=NOON, result=result, verdict=verdict, **facts)


@pytest.mark.parametrize(
    ("sample", "reading"),
    [
        (a_sample(ResultType.SUCCEEDED), Reading.WELL),
        (a_sample(tier=Tier.STORE), Reading.BAD),
        (a_sample(ResultType.TIMED_OUT), Reading.BAD),
        (a_sample(tier=Tier.UNKNOWN), Reading.BAD),
        (a_sample(tier=Tier.MONITORING), Reading.NOTHING),
        (a_sample(cause=Cause.PROBER_FAULT), Reading.NOTHING),
        (a_sample(ResultType.NOT_APPLICABLE), Reading.NOTHING),
        (a_sample(ResultType.PROBER_OVERLOADED), Reading.NOTHING),
        (a_sample(cause=Cause.PUSH_MISSED), Reading.WELL),
    ],
)
def test_a_failed_observation_is_not_a_failed_server(sample, reading):
    assert reading is ServiceReader().read(sample)


@pytest.mark.parametrize(
    ("sample", "reading"),
    [
        (a_sample(ResultType.SUCCEEDED), Reading.WELL),
        (a_sample(tier=Tier.MONITORING, cause=Cause.AUTH_REJECTED, phase=Phase.AUTH), Reading.BAD),
        (a_sample(tier=Tier.MONITORING, cause=Cause.OVER_QUOTA, phase=Phase.APPEND), Reading.BAD),
        (a_sample(tier=Tier.MONITORING, cause=Cause.UNREACHABLE, phase=Phase.CONNECT), Reading.NOTHING),
        (a_sample(tier=Tier.MONITORING, cause=Cause.PROBER_FAULT, phase=Phase.AUTH), Reading.NOTHING),
        (a_sample(tier=Tier.STORE, cause=Cause.STORE_ERROR, phase=Phase.SELECT), Reading.NOTHING),
    ],
)
def test_the_health_mailbox_is_judged_by_faults_of_its_own(sample, reading):
    assert reading is HealthMailboxReader().read(sample)


@pytest.mark.parametrize(
    ("sample", "reading"),
    [
        (a_sample(ResultType.SUCCEEDED), Reading.NOTHING),
        (a_sample(ResultType.SUCCEEDED, wrote=True, push_took=timedelta(seconds=10)), Reading.WELL),
        (a_sample(ResultType.SUCCEEDED, wrote=True, push_took=timedelta(seconds=10.001)), Reading.BAD),
        (a_sample(cause=Cause.PUSH_MISSED, wrote=True), Reading.BAD),
        (a_sample(cause=Cause.REFUSED), Reading.NOTHING),
    ],
)
def test_only_writing_turns_say_anything_of_push(sample, reading):
    assert reading is PushReader(limit=timedelta(seconds=10)).read(sample)


@pytest.mark.parametrize(
    ("sample", "reading"),
    [
        (a_sample(ResultType.SUCCEEDED), Reading.WELL),
        (a_sample(tier=Tier.MONITORING), Reading.BAD),
        (a_sample(ResultType.NOT_APPLICABLE), Reading.NOTHING),
    ],
)
def test_to_mailwards_own_monitor_a_fault_of_the_monitoring_is_the_news(sample, reading):
    assert reading is OwnReader().read(sample)
