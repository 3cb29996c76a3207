"""`mailward repairing`: monitors that somebody repairs."""

from datetime import timedelta

import pytest

from mailward.cli import held
from mailward.model.holds import Hold, HoldKind

SUBJECT = "mbx2/IMAP.Protocol/ImapDeepTestMonitor/DB2"


@pytest.fixture
def fake(served):
    served.fake.now = held.now()
    served.fake.held = []
    return served.fake


def put(fake, subject=SUBJECT, kind=HoldKind.REPAIRING):
    number = len(fake.held) + 1
    fake.held.append(
        Hold(id=number, kind=kind, subject=subject, value="on", owner="eva", reason="disks", since=fake.now)
    )


@pytest.mark.parametrize(
    ("typed", "subject"),
    [
        ("IMAP.Protocol/ImapDeepTestMonitor/DB2", SUBJECT),
        (r"imap.protocol\imapdeeptestmonitor\DB2", SUBJECT),
        ("IMAP.ProtocolImapDeepTestMonitorDB2", SUBJECT),
        ("ImapSelfTestMonitor", "mbx2/IMAP.Protocol/ImapSelfTestMonitor"),
    ],
)
def test_a_repair_begins_however_the_monitor_is_written(typed, subject, ask, fake):
    ran = ask("repairing", "on", typed, "--server", "MBX2", "--reason", "new disk", "--for", "1h")

    (kept,) = fake.held
    assert 0 == ran.code
    assert (HoldKind.REPAIRING, subject, timedelta(hours=1)) == (kept.kind, kept.subject, kept.until - kept.since)
    assert "is under repair until" in ran.out


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("ImapDeepTestMonitr", 1, "did you mean 'ImapDeepTestMonitor'"),
        ("ImapDeepTestProbe", 3, "is a probe; what is under repair is a monitor"),
        ("ImapCertificateMonitor", 3, "write HEALTHSET/ImapCertificateMonitor"),
    ],
)
def test_what_is_no_single_monitor_is_refused(typed, code, said, ask, fake):
    ran = ask("repairing", "on", typed, "--server", "mbx2", "--reason", "r")

    assert (code, []) == (ran.code, fake.held)
    assert said in ran.err


def test_a_repair_ends_for_the_monitor_that_is_named_and_no_other(ask, fake):
    put(fake)
    put(fake, "mbx2/IMAP.Protocol/ImapDeepTestMonitor/DB3")
    put(fake, "mbx2/IMAP.Protocol/ImapSelfTestMonitor/mbx2")
    put(fake, "mbx2", HoldKind.MAINTENANCE)

    ran = ask("repairing", "off", "IMAP.Protocol/ImapDeepTestMonitor/db2", "--server", "mbx2")

    assert (0, [True, False, False, False]) == (ran.code, [hold.ended_at is not None for hold in fake.held])


def test_without_a_target_every_repair_of_that_monitor_on_that_server_ends(ask, fake):
    put(fake)
    put(fake, "mbx2/IMAP.Protocol/ImapDeepTestMonitor/DB3")

    ask("repairing", "off", "ImapDeepTestMonitor", "--server", "mbx2")

    assert all(hold.ended_at is not None for hold in fake.held)


def test_ending_a_repair_that_is_not_fails_and_says_so(ask, fake):
    ran = ask("repairing", "off", "ImapSelfTestMonitor", "--server", "mbx2")

    assert (1, "mailward: IMAP.Protocol/ImapSelfTestMonitor of mbx2 is not under repair\n") == (ran.code, ran.err)


def test_a_rehearsal_changes_nothing(ask, fake):
    put(fake)
    before = list(fake.held)
    named = ("IMAP.Protocol/ImapDeepTestMonitor/DB2", "--server", "mbx2")

    assert "would say that" in ask("repairing", "on", *named, "--reason", "r", "--dry-run").out
    assert "would end: " in ask("repairing", "off", *named, "--dry-run").out
    assert before == fake.held
