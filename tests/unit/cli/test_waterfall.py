"""The picture of one examination."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.cli.terminal import Terminal
from mailward.cli.waterfall import waterfall_lines
from mailward.model.organization import ImapEndpoint
from mailward.model.probing import Phase, PhaseOutcome, ResultType
from mailward.testing.manager_values import CERTIFICATE, FAILED, NOON, SUCCEEDED, a_phase

ENDPOINT = ImapEndpoint(host="imap.example.org")


def picture(result, *, width=None, colours=False) -> list[str]:
    return list(waterfall_lines(result, ENDPOINT, Terminal(width=width, colours=colours)))


def bars(lines):
    return [line for line in lines if re.match(r"  \w+ +[\d.]+ m?s  ", line)]


def test_each_phase_begins_where_the_one_before_ended():
    drawn = bars(picture(SUCCEEDED, width=100))
    starts = [len(line) - len(line[26:].lstrip()) for line in drawn]

    assert ["connect", "tls", "greeting", "auth", "select", "fetch", "logout"] == [line.split()[0] for line in drawn]
    assert sorted(starts) == starts
    assert starts[0] < starts[3] < starts[-1]


def test_a_phase_too_short_to_be_seen_is_seen():
    drawn = bars(picture(replace(SUCCEEDED, phases=(a_phase(Phase.DNS, 0.001), a_phase(Phase.AUTH, 5000)))))

    assert "▏" in drawn[0]


def test_a_healthy_server_says_what_was_possible_and_who_served():
    assert "✓ healthy: health-db1@example.org can sign in and read, served by mbx1" in picture(SUCCEEDED)


def test_without_an_account_it_only_answers():
    assert "✓ healthy: it answers, and says what it can" in picture(
        replace(SUCCEEDED, account=None, mailbox_server=None)
    )


def test_a_broken_one_names_phase_cause_reason_and_what_the_server_said():
    text = "\n".join(picture(FAILED))

    assert "✗ unhealthy at select: store-error" in text
    assert "its store refuses to open the health mailbox" in text
    assert "fault: store of mbx2 (information store), certain" in text
    assert "said: NO [SERVERBUG] Internal error occurred" in text
    assert re.search(r"select +17\.8 ms +█+[▏▎▍▌▋▊▉]? failed", text)


def test_a_certificate_is_described_with_the_days_left():
    lines = [line.strip() for line in picture(SUCCEEDED)]

    assert "certificate   CN=mbx2.example.org, issued by CN=Example CA" in lines
    assert "verified" in lines
    assert "valid until 2027-01-23, 60 days left" in lines


def test_a_certificate_that_expired_or_does_not_verify_says_so():
    old = replace(CERTIFICATE, not_after=NOON - timedelta(days=2), verified=False, problem="certificate has expired")
    lines = [line.strip() for line in picture(replace(SUCCEEDED, certificate=old))]

    assert "expired on 2026-11-22" in lines
    assert "not verified: certificate has expired" in lines


def test_our_own_lateness_is_not_put_on_the_server():
    late = replace(a_phase(Phase.AUTH, 50), loop_lag=timedelta(milliseconds=40))

    assert "of which 40.0 ms are ours" in "\n".join(picture(replace(SUCCEEDED, phases=(late,))))


def test_what_could_not_be_measured_is_neither_healthy_nor_unhealthy():
    lines = picture(replace(SUCCEEDED, result=ResultType.PROBER_OVERLOADED, phases=(), certificate=None))

    assert "? ProberOverloaded" in lines


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width):
    failed = replace(FAILED, certificate=CERTIFICATE, capabilities=tuple(f"CAPABILITY{number}" for number in range(30)))

    assert all(len(line) <= max(width, 52) for line in picture(failed, width=width))


def test_colours_are_only_added():
    plain, painted = picture(FAILED, width=80), picture(FAILED, width=80, colours=True)

    assert plain == [re.sub(r"\x1b\[\d*m", "", line) for line in painted]


def test_an_address_other_than_the_one_asked_for_is_shown():
    assert "imap.example.org:993 → 127.0.1.1:993" in picture(SUCCEEDED)


def test_a_phase_that_timed_out_is_marked():
    slow = a_phase(Phase.AUTH, 9000, PhaseOutcome.TIMED_OUT)

    assert "timed-out" in "\n".join(bars(picture(replace(FAILED, phases=(slow,)))))
