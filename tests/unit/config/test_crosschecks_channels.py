"""A channel that could not tell anybody anything is a mistake, not a silence."""

from datetime import timedelta

import pytest

from mailward.config.load import load
from mailward.model.channels import Channel, ChannelKind
from mailward.model.organization import SecretKind, SecretRef

SERVER = """
[organization]
name = "example"
[servers.be1]
roles = ["mailbox"]
"""
SMTP = "kind = 'smtp'\nhost = 'relay'\nsender = 'a@example.org'\nrecipients = ['b@example.org']\n"


@pytest.mark.parametrize(
    ("channel", "texts"),
    [
        ("", ['kind is missing; one of "smtp", "webhook", "alertmanager", "dead-man"']),
        ("kind = 'sms'", ['kind must be "smtp", "webhook", "alertmanager" or "dead-man", not "sms"']),
        (
            "kind = 'smtp'",
            [
                "host is missing; name the relay that takes mail for others",
                'recipients is missing; give addresses, such as ["oncall@example.org"]',
                "sender is missing; give the address mail comes from",
            ],
        ),
        (SMTP, []),
        (SMTP.replace("['b@example.org']", "[]"), ["recipients is empty; nobody would be told"]),
        (
            f"{SMTP}tls = true\nstarttls = true",
            ["starttls is a second way to encrypt: tls does it from the first byte; keep one"],
        ),
        (f"{SMTP}tls = true\nstarttls = false", []),
        (
            f"{SMTP}user = 'u'",
            ["user has no password; give password_file, password_environment or password_credential"],
        ),
        (f"{SMTP}user = 'u'\npassword_file = 5", ["password_file must be text in quotation marks"]),
        (f"{SMTP}password_file = 'x'", ["user is missing; whose password is it?"]),
        (
            f"{SMTP}user = 'u'\npassword_file = 'x'\npassword_environment = 'X'",
            ["password_environment is a second place for the same password; keep one"],
        ),
        (f"{SMTP}interval = '5s'", ['interval means nothing to the kind "smtp"; take it out']),
        (f"{SMTP}url = 'http://x'", ['url means nothing to the kind "smtp"; take it out']),
        (
            "kind = 'webhook'",
            [
                "url is missing; give the address, or url_file, url_environment or url_credential where it holds a"
                " secret"
            ],
        ),
        ("kind = 'webhook'\nurl_file = 5", ["url_file must be text in quotation marks"]),
        ("kind = 'webhook'\nurl = 'http://localhost:8080/hook'", []),
        ("kind = 'alertmanager'\nurl_credential = 'am'", []),
        (
            "kind = 'alertmanager'\nurl = 'http://127.0.0.1:9093'\nurl_file = 'x'",
            ["url_file is a second place for the same address; keep one"],
        ),
        (
            "kind = 'webhook'\nurl = 'http://127.0.0.1/'\nbearer_token_file = 'x'\nbearer_token_credential = 'x'",
            ["bearer_token_credential is a second place for the same token; keep one"],
        ),
        (
            "kind = 'dead-man'\nurl_file = 'x'\nurgent_only = true",
            ['urgent_only means nothing to the kind "dead-man"; take it out'],
        ),
        (
            "kind = 'webhook'\nurl = 'https://me:hunter2@example.org/x'",
            [
                "url has a user or password in it, which many people can read and no channel sends; give the address"
                " without them, and a token by bearer_token_file, bearer_token_environment or bearer_token_credential"
            ],
        ),
    ],
)
def test_a_channel_says_what_it_lacks_and_what_it_would_pass_over(write, channel, texts, mistakes_of):
    main = write(f"{SERVER}[notify.oncall]\n{channel}")

    assert [f"notify.oncall.{text}" for text in texts] == sorted(mistakes_of(main))


def test_two_channels_must_differ_by_more_than_case(write, mistakes_of):
    main = write(f"{SERVER}[notify.oncall]\n{SMTP}[notify.OnCall]\n{SMTP}")

    assert ['notify.OnCall differs from "oncall" only by case; they would be one'] == mistakes_of(main)


def test_channels_become_values_in_the_order_they_are_written(write, tmp_path):
    main = write(
        f"""{SERVER}
[notify.mail]
{SMTP}
tls = true
ca_file = "ca.pem"
user = "mailward"
password_file = "secrets/relay"
urgent_only = true
is_watched_mail = true
timeout = "20s"
[notify.ping]
kind = "dead-man"
url_credential = "ping"
interval = "5m"
[notify.hook]
kind = "webhook"
url = "https://example.org/hook"
bearer_token_environment = "TOKEN"
"""
    )

    assert (
        Channel(
            name="mail",
            kind=ChannelKind.SMTP,
            host="relay",
            port=465,
            tls=True,
            ca_file=str(tmp_path / "ca.pem"),
            user="mailward",
            password=SecretRef(kind=SecretKind.FILE, name=str(tmp_path / "secrets/relay")),
            sender="a@example.org",
            recipients=("b@example.org",),
            urgent_only=True,
            is_watched_mail=True,
            timeout=timedelta(seconds=20),
        ),
        Channel(
            name="ping",
            kind=ChannelKind.DEAD_MAN,
            url_secret=SecretRef(kind=SecretKind.CREDENTIAL, name="ping"),
            interval=timedelta(minutes=5),
        ),
        Channel(
            name="hook",
            kind=ChannelKind.WEBHOOK,
            url="https://example.org/hook",
            bearer_token=SecretRef(kind=SecretKind.ENVIRONMENT, name="TOKEN"),
        ),
    ) == load(main).channels


def test_guidelines_may_have_several_lines(write):
    text = "First read the page.\nThen call."

    assert text == load(write(f'{SERVER}[escalation]\nguidelines = """{text}"""')).escalation.guidelines
