from datetime import UTC, datetime, timedelta

import pytest

from mailward.model.probing import Cause, Certificate, ResultType
from mailward.monitors.definition import Reading, Standing
from mailward.monitors.resource_rules import CertificateRule, DiskForecast
from mailward.monitors.samples import Sample

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULE = CertificateRule(unhealthy_below=timedelta(days=7), degraded_below=timedelta(days=21))
DISK = DiskForecast(
    unhealthy_below_percent=5,
    forecast=timedelta(hours=24),
    trend_window=timedelta(hours=6),
    trend_minimum=timedelta(minutes=30),
)


def a_certificate(left: timedelta, *, verified: bool = True, problem: str | None = None) -> Certificate:
    return Certificate(
        subject="imap.example.net",
        issuer="Example CA",
        names=("imap.example.net",),
        not_before=NOON - timedelta(days=60),
        not_after=NOON + left,
        sha256="aa",
        verified=verified,
        problem=problem,
    )


def a_sample(certificate: Certificate | None, *, cause: Cause | None = None, on_disk: str | None = None) -> Sample:
    return Sample(
        at=NOON,
        result=ResultType.FAILED if cause else ResultType.SUCCEEDED,
        cause=cause,
        certificate=certificate,
        certificate_on_disk=on_disk,
    )


@pytest.mark.parametrize(
    ("left", "standing"),
    [
        (timedelta(days=60), Standing.HELD),
        (timedelta(days=21), Standing.HELD),
        (timedelta(days=20, hours=23), Standing.WARNS),
        (timedelta(days=7), Standing.WARNS),
        (timedelta(days=6, hours=23), Standing.BROKE),
        (timedelta(days=-1), Standing.BROKE),
    ],
)
def test_a_certificate_warns_before_it_breaks(left, standing):
    assert standing is RULE.judge([a_sample(a_certificate(left))], NOON).standing


def test_the_reason_says_whose_certificate_and_how_long():
    assert "the certificate of imap.example.net expires in 20 days" == (
        RULE.judge([a_sample(a_certificate(timedelta(days=20)))], NOON).because
    )


def test_a_certificate_that_does_not_verify_breaks_and_says_openssls_words():
    sample = a_sample(
        a_certificate(timedelta(days=60), verified=False, problem="self-signed certificate"), cause=Cause.TLS_UNTRUSTED
    )

    judgement = RULE.judge([sample], NOON)

    assert Standing.BROKE is judgement.standing
    assert "self-signed certificate" in judgement.because


def test_where_verification_is_switched_off_only_the_dates_count():
    rule = CertificateRule(unhealthy_below=timedelta(days=7), degraded_below=timedelta(days=21), verify=False)
    sample = a_sample(a_certificate(timedelta(days=60), verified=False))

    assert Standing.HELD is rule.judge([sample], NOON).standing


def test_another_certificate_on_disk_means_the_service_was_not_reloaded():
    judgement = RULE.judge([a_sample(a_certificate(timedelta(days=60)), on_disk="bb")], NOON)

    assert Standing.WARNS is judgement.standing
    assert "reload the service" in judgement.because
    assert Standing.HELD is RULE.judge([a_sample(a_certificate(timedelta(days=60)), on_disk="aa")], NOON).standing


def test_without_a_certificate_nothing_is_said_unless_tls_itself_failed():
    assert Reading.NOTHING is RULE.read(a_sample(None))
    assert Reading.NOTHING is RULE.read(a_sample(None, cause=Cause.REFUSED))
    assert Reading.BAD is RULE.read(a_sample(None, cause=Cause.TLS_EXPIRED))
    assert Standing.BROKE is RULE.judge([a_sample(None, cause=Cause.TLS_EXPIRED)], NOON).standing


def looks(first: float, last: float, *, over: timedelta, count: int = 30) -> list[Sample]:
    return [
        Sample(
            at=NOON - over + over * place / (count - 1),
            result=ResultType.SUCCEEDED,
            level=first + (last - first) * place / (count - 1),
            detail="space under /srv/mail",
        )
        for place in range(count)
    ]


@pytest.mark.parametrize(
    ("first", "last", "over", "standing"),
    [
        (50, 50, timedelta(hours=6), Standing.HELD),
        (40, 50, timedelta(hours=6), Standing.HELD),
        (50, 49, timedelta(hours=6), Standing.HELD),
        (50, 30, timedelta(hours=6), Standing.WARNS),
        (50, 30, timedelta(minutes=20), Standing.HELD),
        (6, 4.9, timedelta(hours=6), Standing.BROKE),
    ],
)
def test_a_disk_breaks_when_little_is_left_and_warns_when_the_trend_says_so(first, last, over, standing):
    assert standing is DISK.judge(looks(first, last, over=over), NOON).standing


def test_the_forecast_names_the_hours():
    assert "30.0 % free (space under /srv/mail), none in 9 h if it goes on like this" == (
        DISK.judge(looks(50, 30, over=timedelta(hours=6)), NOON).because
    )


def test_a_read_only_store_breaks_whatever_is_free():
    sample = Sample(at=NOON, result=ResultType.FAILED, cause=Cause.STORE_READ_ONLY, level=80, detail="read-only")

    assert Reading.BAD is DISK.read(sample)
    assert Standing.BROKE is DISK.judge([sample], NOON).standing


def test_a_look_that_could_not_be_taken_says_nothing():
    assert Reading.NOTHING is DISK.read(Sample(at=NOON, result=ResultType.NOT_APPLICABLE))
