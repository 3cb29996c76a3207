"""What would keep mailward from acting, or people from hearing of it, is told before it matters."""

import pytest

from mailward.config.check import check

QUIET = """
[organization]
name = "example"
[health_mailboxes]
user = "health-{name}"
password_environment = "PASSWORD"
[servers.mail]
roles = ["mailbox"]
imap.source_address = "127.0.0.5"
host.service = "systemd:dovecot"
[access_points."mail.example.org"]
servers = ["mail"]
imap.source_address = "127.0.0.5"
[databases.DB1]
copies = ["mail"]
[notify.oncall]
kind = "webhook"
url = "http://127.0.0.1:9/hook"
[escalation]
support = "the mail team"
"""
MAIL = "kind = 'smtp'\nhost = '127.0.0.1'\nsender = 'a@example.org'\nrecipients = ['b@example.org']\n"
WEBHOOK = 'kind = "webhook"\nurl = "http://127.0.0.1:9/hook"\n'


def warnings(main):
    checked = check(main)
    assert () == checked.mistakes
    return [f"{concern.about}: {concern.text}" for concern in checked.warnings]


@pytest.mark.parametrize("mode", ["observe", "recommend", "approve", "act"])
def test_a_whole_configuration_raises_no_concern(write, mode):
    assert [] == warnings(write(QUIET, more=f"[recovery]\nmode = '{mode}'"))


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("recommend", []),
        ("approve", ['recovery.mode: is "approve", but no server has host.service: nothing could ever be done']),
        ("act", ['recovery.mode: is "act", but no server has host.service: nothing could ever be done']),
    ],
)
def test_acting_on_servers_whose_service_is_not_known_is_told(write, mode, told):
    text = QUIET.replace('host.service = "systemd:dovecot"', "")

    assert told == warnings(write(text, more=f"[recovery]\nmode = '{mode}'"))


def test_a_class_that_may_do_more_than_the_organization_is_told_if_somebody_wrote_it(write):
    more = "[recovery]\nmode = 'approve'\nclasses = { restart = 'act', move = 'recommend', start = 'approve' }"

    text = 'is "act", but recovery.mode is "approve", which is the most anything may do'
    assert [f"recovery.classes.restart: {text}"] == warnings(write(QUIET, more=more))


def test_restarting_servers_of_which_none_may_be_is_told(write):
    more = "[recovery]\nmode = 'act'\nclasses.server-restart = 'act'"

    assert [
        'recovery.classes.server-restart: is "act", but no server is restartable: no server will ever be restarted'
    ] == warnings(write(QUIET, more=more))
    own = "[servers.mail]\nrestartable = true\nhost.control = 'systemd'"
    assert [] == warnings(write(QUIET, more=more, own=own))


@pytest.mark.parametrize(
    ("channels", "begins"),
    [
        ("", "notify: there is no channel"),
        ("[notify.ping]\nkind = 'dead-man'\nurl = 'http://127.0.0.1/'\n", "notify: there is no channel"),
        (f"[notify.mail]\n{MAIL}is_watched_mail = true\n", "notify: every channel is mail that is read by way of what"),
    ],
)
def test_nobody_who_could_be_told_is_told_at_once(write, channels, begins):
    (found,) = warnings(write(QUIET.replace(f"[notify.oncall]\n{WEBHOOK}", channels)))

    assert found.startswith(begins)


def test_watched_mail_beside_another_channel_is_fine(write):
    assert [] == warnings(write(QUIET, more=f"[notify.mail]\n{MAIL}is_watched_mail = true\n"))


def test_an_alert_without_anybody_to_call_is_told(write):
    (found,) = warnings(write(QUIET.replace('support = "the mail team"', "")))

    assert found.startswith("escalation.support: is empty")


@pytest.mark.parametrize(
    ("channel", "begins"),
    [
        (
            "kind = 'webhook'\nurl = 'https://example.org/?token=hunter2'",
            "notify.more.url: has a part after ?, where secrets often are",
        ),
        (
            "kind = 'webhook'\nurl = 'http://example.org/'\nbearer_token_environment = 'X'",
            "notify.more.url: is not encrypted: the token can be read on the way",
        ),
        (
            f"{MAIL.replace('127.0.0.1', 'r.example.org')}user = 'u'\npassword_environment = 'X'\nstarttls = false",
            "notify.more.starttls: is off, and a password is never sent without encryption: ",
        ),
        (f"{MAIL}ca_file = 'no'", "notify.more.ca_file: cannot be read: "),
        (f"{MAIL}user = 'u'\npassword_file = 'no'", "notify.more: the secret file "),
    ],
)
def test_a_channel_that_gives_a_secret_away_or_could_not_send_is_told(write, channel, begins):
    (found,) = warnings(write(QUIET, more=f"[notify.more]\n{channel}"))

    assert found.startswith(begins)
    assert "hunter2" not in found


@pytest.mark.parametrize(
    "channel",
    [
        "kind = 'webhook'\nurl = 'http://localhost:8080/'\nbearer_token_environment = 'X'",
        "kind = 'webhook'\nurl = 'http://[::1]:8080/'\nbearer_token_environment = 'X'",
        f"{MAIL.replace('127.0.0.1', 'r.example.org')}user = 'u'\npassword_environment = 'X'\nstarttls = true",
        f"{MAIL.replace('127.0.0.1', 'r.example.org')}user = 'u'\npassword_environment = 'X'\ntls = true",
        f"{MAIL.replace('127.0.0.1', 'r.example.org')}user = 'u'\npassword_environment = 'X'",
        f"{MAIL}user = 'u'\npassword_environment = 'X'\nstarttls = false",
    ],
)
def test_what_stays_on_this_machine_or_is_encrypted_is_fine(write, channel):
    assert [] == warnings(write(QUIET, more=f"[notify.more]\n{channel}"))


def test_a_stop_file_is_told_with_the_way_to_go_on(write, tmp_path):
    (tmp_path / "STOP").touch()

    (found,) = check(write(QUIET)).warnings

    assert (str(tmp_path / "STOP"), (f"rm {tmp_path}/STOP",)) == (found.about, found.lines)


def test_a_certificate_on_another_host_is_not_looked_for_here(write):
    more = "[servers.mail.host]\nreach = 'ssh:u@mail.example.org'\ncertificate_file = '/no/such/file'"

    assert [] == warnings(write(QUIET, more=more))
