"""`mailward notify` and `alerts`: who is told what."""

import json
from dataclasses import replace

import pytest

from mailward.cli.notify import fate
from mailward.model.wire import listing
from mailward.testing.repair_values import ALERTS, NOON, NOTICES

SENT, FAILED = NOTICES


def test_alerts_are_one_line_each_and_the_list_has_the_whole_text(ask):
    table, whole = ask("alerts").out, ask("alerts", "--format", "list").out

    assert "critical" in table
    assert "mbx2: nobody reads mail of DB2" in table
    assert "12 mailboxes in DB2 since 12:00." not in table
    assert "12 mailboxes in DB2 since 12:00." in whole
    assert listing(ALERTS) == json.loads(ask("alerts", "--format", "json").out)


@pytest.mark.parametrize("form", ["table", "list", "json"])
def test_an_alert_says_where_its_monitor_is_explained(ask, form):
    out = ask("alerts", "--format", form).out

    assert "mailward items help ImapSelfTestMonitor" in out
    assert "docs/reference/monitors.md#imapselftestmonitor" in out


def test_when_nothing_fires_that_is_said_and_no_failure(ask, served):
    served.fake.firing = ()
    ran = ask("alerts")

    assert (0, "", "mailward: nothing fires\n") == (ran.code, ran.out, ran.err)


def test_the_outbox_shows_what_became_of_each_notice(ask):
    out = ask("notify", "list").out

    assert "failed, waits" in out
    assert "connection refused" in out
    assert listing((FAILED, SENT)) == json.loads(ask("notify", "list", "--format", "json").out)
    assert listing((FAILED,)) == json.loads(ask("notify", "list", "--limit", "1", "--format", "json").out)
    assert "NextTry  : " in ask("notify", "list", "--format", "list").out


@pytest.mark.parametrize(
    ("notice", "said"),
    [
        (SENT, "sent"),
        (FAILED, "failed, waits"),
        (replace(FAILED, last_error=""), "waits"),
        (replace(FAILED, gave_up_at=NOON), "given up"),
    ],
)
def test_a_notice_has_one_fate(notice, said):
    assert said == fate(notice)


def test_a_test_says_how_each_channel_went_and_fails_when_one_did(ask, served):
    assert 0 == ask("notify", "test").code
    served.fake.channels["pager"] = "127.0.0.9:443: connection refused"
    ran = ask("notify", "test")

    assert 1 == ran.code
    assert ["mail sent", "pager failed 127.0.0.9:443: connection refused"] == [
        " ".join(line.split()) for line in ran.out.splitlines()[2:]
    ]
    assert 0 == ask("notify", "test", "mail").code


def test_a_test_of_an_unknown_channel_names_those_there_are(ask):
    ran = ask("notify", "test", "fax")

    assert 1 == ran.code
    assert "known: mail" in ran.err


def test_a_test_without_any_channel_is_a_failure_that_says_how_to_name_one(ask, served):
    served.fake.channels.clear()
    ran = ask("notify", "test")

    assert 1 == ran.code
    assert "mailward config explain notify" in ran.err
