"""The weekly report of what mailward would have done."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailward.alerts.weekly import is_due, weekly_report
from mailward.config.languages import languages
from mailward.model.channels import Channel, ChannelKind
from mailward.model.recovery import Mode, Operation, OperationKind, OperationStatus

MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
CHANNELS = (
    Channel(name="mail", kind=ChannelKind.SMTP),
    Channel(name="hook", kind=ChannelKind.WEBHOOK),
    Channel(name="pager", kind=ChannelKind.WEBHOOK, urgent_only=True),
    Channel(name="am", kind=ChannelKind.ALERTMANAGER),
    Channel(name="ping", kind=ChannelKind.DEAD_MAN),
)


def an_operation(**changes: object) -> Operation:
    known = Operation(
        id=7,
        kind=OperationKind.MAILBOX_SERVER,
        target="be1",
        server="be1",
        mode=Mode.RECOMMEND,
        status=OperationStatus.TRANSIENT,
        because="gone",
        started_at=MONDAY - timedelta(days=2),
        data={
            "recommended": [
                {"step": "start the IMAP service", "server": "be1", "command": ["systemctl", "start", "dovecot"]}
            ]
        },
    )
    return replace(known, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "mode", "due"),
    [
        (MONDAY, Mode.RECOMMEND, True),
        (MONDAY, Mode.APPROVE, True),
        (MONDAY, Mode.ACT, False),
        (MONDAY, Mode.OBSERVE, False),
        (MONDAY - timedelta(hours=1), Mode.RECOMMEND, False),
        (MONDAY + timedelta(days=1), Mode.RECOMMEND, False),
    ],
)
def test_it_goes_out_on_monday_mornings_where_mailward_may_not_act_by_itself(now, mode, due):
    assert due == is_due(now, mode=mode)


def test_it_names_each_deed_with_its_exact_command_and_its_story():
    alert, _ = weekly_report([an_operation()], CHANNELS, organization="example", now=MONDAY)

    assert "example: mailward would have acted once last week" == alert.title
    assert "start the IMAP service on be1" in alert.text
    assert "    systemctl start dovecot" in alert.text
    assert "mailward why 7" in alert.text
    assert all(len(line) <= 78 for line in alert.text.splitlines())


def test_a_long_command_can_be_pasted_and_what_servers_said_controls_no_terminal():
    command = ["ssh", "-oBatchMode=yes", "mailward@be1.example.net", "mailward-host", "restart", "dovecot.service"]
    entry = {"step": "start\x1b[2J", "server": "be1", "command": command}

    alert, _ = weekly_report(
        [an_operation(data={"recommended": [entry]})], CHANNELS, organization="example", now=MONDAY
    )

    assert "\x1b" not in alert.text
    assert all(len(line) <= 78 for line in alert.text.splitlines())
    assert " ".join(command) in " ".join(alert.text.replace(" \\\n", " ").split())


def test_what_recommended_nothing_is_passed_over_and_an_empty_week_is_told_too():
    alert, notices = weekly_report([an_operation(data={})], CHANNELS, organization="example", now=MONDAY)

    assert "not once" in alert.title
    assert "Nothing broke" in alert.text
    assert notices


def test_only_channels_that_people_read_get_it_and_each_week_has_its_own_identity():
    _, notices = weekly_report([], CHANNELS, organization="example", now=MONDAY)
    _, later = weekly_report([], CHANNELS, organization="example", now=MONDAY + timedelta(hours=5))
    _, next_week = weekly_report([], CHANNELS, organization="example", now=MONDAY + timedelta(days=7))

    assert ["mail", "hook"] == [notice.channel for notice in notices]
    assert [one.identity for one in notices] == [one.identity for one in later]
    assert not {one.identity for one in notices} & {one.identity for one in next_week}


def test_each_channel_gets_it_in_its_language():
    known = languages(["pt-BR"])
    channels = [CHANNELS[0], replace(CHANNELS[1], language="pt-BR")]

    alert, (mail, hook) = weekly_report(
        [an_operation()], channels, organization="example", now=MONDAY, languages=known, language=known["pt-BR"]
    )

    assert "example: mailward would have acted once last week" == mail.alert.title
    assert "example: o mailward teria agido uma vez na semana passada" == hook.alert.title == alert.title
    assert "iniciar o serviço IMAP em be1" in hook.alert.text
