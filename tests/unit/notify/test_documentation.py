"""Whatever the channel, what it sends says where the monitors are explained, in the channel's language."""

from datetime import UTC, datetime

from mailward.model.alerting import Alert, AlertStatus, Urgency
from mailward.model.channels import Channel, ChannelKind
from mailward.notify.alertmanager_form import annotations
from mailward.notify.message import message_of
from mailward.notify.webhook import body

ADDRESS = "https://wiki.example.org/docs/reference/monitors.md#imapselftestmonitor"
ALERT = Alert(
    key="mailbox server/be1",
    status=AlertStatus.FIRING,
    urgency=Urgency.CRITICAL,
    title="CRÍTICO be1: serviço IMAP com falha desde 02:14 UTC",
    text=f"CRÍTICO be1\n\nO QUE SIGNIFICAM\n- ImapSelfTestMonitor\n    {ADDRESS}\n",
    starts_at=datetime(2026, 11, 24, 2, 14, tzinfo=UTC),
    annotations={"documentation": ADDRESS, "runbook_url": ADDRESS},
)
MAIL = Channel(name="mail", kind=ChannelKind.SMTP, sender="mailward@example.org", recipients=("kim@example.net",))


def test_a_mail_has_it_in_its_text_and_its_subject_may_have_accents():
    message = message_of(ALERT, MAIL, identity="one")

    assert f"    {ADDRESS}\n" in message.get_content()
    assert ALERT.title == message["Subject"]
    assert message.as_bytes().isascii()


def test_programs_get_it_as_an_annotation_in_a_webhook_and_in_alertmanager():
    hooked = body(ALERT, receiver="hook")

    assert ADDRESS == hooked["commonAnnotations"]["runbook_url"] == annotations(ALERT)["runbook_url"]
    assert ADDRESS in annotations(ALERT)["description"]
