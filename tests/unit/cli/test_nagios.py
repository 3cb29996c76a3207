"""The plugin's line and exit code."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.cli.nagios import State, Thresholds, plugin_output, read_range, unknown
from mailward.model.errors import Refused
from mailward.model.probing import Cause, ResultType
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.testing.manager_values import CERTIFICATE, FAILED, NOON, SUCCEEDED

LINE = re.compile(r"IMAP (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+ \| (?P<data>[^|\n]*)")
DATUM = re.compile(r"[a-z_]{1,19}=-?\d+(\.\d+)?(s|)(;[^; ]*){0,4}")
LIMITS = Thresholds(days_warning=read_range("21:"), days_critical=read_range("7:"))


def said(result, thresholds=LIMITS):
    state, line = plugin_output(result, "imap.example.org:993", thresholds)
    match = LINE.fullmatch(line)
    assert match, line
    data = match["data"].split(" ")
    assert all(DATUM.fullmatch(datum) for datum in data), data
    assert len({datum.partition("=")[0] for datum in data}) == len(data)
    assert line.startswith(f"IMAP {state.name}")
    return state, line


def test_a_healthy_server_is_ok_with_its_phases_as_performance_data():
    state, line = said(SUCCEEDED)

    assert State.OK is state
    assert "answered in 0.042 s" in line
    assert "time=0.041500s;;;0 connect=0.000400s;;;0 tls=0.005250s" in line
    assert line.endswith("certificate_days=60.0;21:;7:")


def test_a_broken_server_is_critical_with_the_verdict():
    state, line = said(FAILED)

    assert State.CRITICAL is state
    assert "at select store-error: the self test of mbx2 succeeds" in line


@pytest.mark.parametrize("kind", [ResultType.PROBER_OVERLOADED, ResultType.NOT_APPLICABLE])
def test_what_could_not_be_examined_is_unknown(kind):
    assert State.UNKNOWN is said(replace(SUCCEEDED, result=kind))[0]


def test_a_fault_of_the_monitoring_wakes_nobody():
    ours = Verdict(tier=Tier.MONITORING, confidence=Confidence.PROBABLE, because="the password is wrong")

    assert State.UNKNOWN is said(replace(FAILED, cause=Cause.AUTH_REJECTED, verdict=ours))[0]


@pytest.mark.parametrize(
    ("warning", "critical", "state"),
    [
        ("1", "2", State.OK),
        ("0.01", "2", State.WARNING),
        ("0.01", "0.02", State.CRITICAL),
        ("@0:1", None, State.WARNING),
    ],
)
def test_slowness_is_judged_by_ranges(warning, critical, state):
    limits = Thresholds(
        seconds_warning=read_range(warning), seconds_critical=read_range(critical) if critical else None
    )

    assert state is said(SUCCEEDED, limits)[0]


@pytest.mark.parametrize(("days", "state"), [(60, State.OK), (20, State.WARNING), (6, State.CRITICAL)])
def test_a_certificate_about_to_expire_is_told_in_time(days, state):
    certificate = replace(CERTIFICATE, not_after=NOON + timedelta(days=days))

    assert state is said(replace(SUCCEEDED, certificate=certificate))[0]


def test_a_server_cannot_forge_performance_data_or_lines():
    state, line = said(replace(FAILED, verdict=None, detail="x | time=0s;;;\nIMAP OK - fine\x1b[2J"))

    assert State.CRITICAL is state
    assert "x / time=0s;;; IMAP OK" in line
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("text", "alerts", "quiet"),
    [
        ("10", (-1, 11), (0, 10)),
        ("10:", (9.9,), (10, 1e9)),
        ("~:10", (10.1,), (-1e9, 10)),
        ("10:20", (9, 21), (10, 20)),
        ("@10:20", (10, 15, 20), (9, 21)),
        ("-5:5", (-6, 6), (0,)),
    ],
)
def test_ranges_follow_the_guidelines(text, alerts, quiet):
    limit = read_range(text)

    assert all(limit.alerts(value) for value in alerts)
    assert not any(limit.alerts(value) for value in quiet)


@pytest.mark.parametrize("text", ["", ":", "@", "a", "10:5", "1:2:3", "~", "5s"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(Refused):
        read_range(text)


def test_an_examination_that_never_was_is_one_line_too():
    assert "IMAP UNKNOWN - no / such CA" == unknown("no | such\nCA")
