from datetime import UTC, datetime, timedelta

import pytest

from mailward.model.evidence import DiskUsage
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.monitors.samples import ProbeKey, Sample, free_percent, probe_key, sample_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RESULT = ProbeResult(
    probe="ImapDeepTestProbe",
    health_set="IMAP.Protocol",
    server="mbx1",
    target="DB1",
    at=NOON,
    took=timedelta(seconds=15),
    result=ResultType.TIMED_OUT,
    failed_phase=Phase.SELECT,
    cause=Cause.TIMEOUT,
    detail="no answer",
    confirmation=True,
    level=7.5,
    transcript=("C: a1 SELECT INBOX",),
)


def a_usage(*, free: int = 50, inodes: tuple[int | None, int | None] = (None, None), total: int = 100) -> DiskUsage:
    return DiskUsage(
        server="mbx1",
        path="/srv/mail",
        free_bytes=free,
        total_bytes=total,
        free_inodes=inodes[0],
        total_inodes=inodes[1],
    )


def test_a_sample_is_of_the_moment_the_attempt_ended():
    assert NOON + timedelta(seconds=15) == sample_of(RESULT).at


def test_a_sample_keeps_what_rules_read():
    sample = sample_of(RESULT, certificate_on_disk="aa")

    assert (ResultType.TIMED_OUT, Cause.TIMEOUT, Phase.SELECT) == (sample.result, sample.cause, sample.phase)
    assert (True, "aa", 7.5) == (sample.confirmation, sample.certificate_on_disk, sample.level)


def test_a_result_names_its_probe():
    assert ProbeKey(probe="ImapDeepTestProbe", server="mbx1", target="DB1") == probe_key(RESULT)
    assert "ImapDeepTestProbe of mbx1, DB1" == str(probe_key(RESULT))
    assert "ImapSelfTestProbe of mbx1" == str(ProbeKey(probe="ImapSelfTestProbe", server="mbx1", target="mbx1"))


def test_what_was_said_is_the_verdict_and_without_one_the_facts():
    verdict = Verdict(tier=Tier.STORE, confidence=Confidence.CERTAIN, because="the store of DB1 hangs")

    assert "select timeout: no answer" == sample_of(RESULT).said
    assert "the store of DB1 hangs" == Sample(at=NOON, result=ResultType.FAILED, verdict=verdict).said
    assert "NotApplicable" == Sample(at=NOON, result=ResultType.NOT_APPLICABLE).said


@pytest.mark.parametrize(
    ("usage", "free"),
    [
        (a_usage(), (50.0, "space")),
        (a_usage(inodes=(1, 100)), (1.0, "inodes")),
        (a_usage(inodes=(90, 100)), (50.0, "space")),
        (a_usage(inodes=(0, 0)), (50.0, "space")),
        (a_usage(free=0, total=0), (100.0, "space")),
    ],
)
def test_space_or_inodes_are_free_whichever_is_less(usage, free):
    assert free == free_percent(usage)
