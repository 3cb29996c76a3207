from pathlib import Path

import pytest

from mailward.config.check import Checked, check, concerns_in_words, cost_in_words

CONFIGURATION = """
[organization]
name = "example"
[health_mailboxes]
user = "health-{name}"
password_file = "{name}"
[servers.mail]
roles = ["mailbox"]
imap.source_address = "127.0.0.5"
[access_points."mail.example.org"]
servers = ["mail"]
imap.source_address = "127.0.0.5"
[databases.DB1]
copies = ["mail"]
"""


@pytest.fixture
def secrets(tmp_path: Path) -> None:
    for name in ("mail", "db1", "proxy"):
        (tmp_path / name).write_text("a password")
        (tmp_path / name).chmod(0o600)


def warnings(checked: Checked) -> list[str]:
    assert () == checked.mistakes
    return [f"{concern.about}: {concern.text}" for concern in checked.warnings]


@pytest.mark.usefixtures("secrets")
def test_a_good_configuration_raises_no_concern_and_says_its_cost(write):
    checked = check(write(CONFIGURATION))

    assert [] == warnings(checked)
    assert checked.snapshot is not None
    assert checked.cost.servers[0].conversations < 6000
    assert cost_in_words(checked.cost)[0].startswith("mail: 5,")
    assert (
        "mail.example.org: 1 databases take turns every 2m; all are covered after 2m" == cost_in_words(checked.cost)[-1]
    )


@pytest.mark.usefixtures("secrets")
def test_the_lines_fail2ban_needs_are_printed(write):
    lines = concerns_in_words(check(write(CONFIGURATION)).advice)

    assert ("    [DEFAULT]", "    ignoreip = 127.0.0.1/8 ::1 127.0.0.5") == lines[-2:]


def test_with_mistakes_there_is_nothing_else(write):
    checked = check(write("[organization]\n"))

    assert (None, None, ()) == (checked.snapshot, checked.cost, checked.warnings)
    assert 2 == len(checked.mistakes)


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("more", "concern"),
    [
        ("[servers.mail.imap.tls]\nverify = false", "servers.mail.imap.tls.verify: is off"),
        ("[servers.mail.imap.tls]\nminimum_version = 'TLSv1'", "servers.mail.imap.tls.minimum_version: accepts TLSv1"),
        ("[servers.mail.imap.tls]\nca_file = 'no'", "servers.mail.imap.tls.ca_file: cannot be read"),
        ("[servers.mail.imap]\nhost = '127.0.0.1'", "servers.mail.imap.host: is the address 127.0.0.1"),
        ("[servers.mail.imap]\nsecurity = 'plain'", "servers.mail.imap.security: is not encrypted; without"),
        (
            "[servers.mail.imap]\nsecurity = 'plain'\nallow_plaintext_auth = true",
            "servers.mail.imap.security: is not encrypted: the password",
        ),
        ("[servers.mail.host]\ncertificate_file = 'no'", "servers.mail.host.certificate_file: cannot be read"),
        ("[probes.ImapCTPProbe]\nmargin = '10ms'", "probes.ImapCTPProbe.margin: leaves no time"),
        (
            "[access_points.other]\nservers = []\nimap.source_address='127.0.0.5'",
            "access_points.other: names no servers",
        ),
        (
            "[servers.proxy]\nroles = ['proxy']\nbackend_timeout = '20s'\nimap.source_address = '127.0.0.5'\n"
            "[access_points.b]\nservers = ['proxy']\nbackend_timeout = '9s'\nimap.source_address = '127.0.0.5'",
            "access_points.b.backend_timeout: is 9s, but proxy waits 20s",
        ),
        (
            "[servers.mail.health_mailbox]\nlogin_as = 'master'",
            "health mailbox health-mail: logs in as master user master",
        ),
    ],
)
def test_what_is_doubtful_is_told(write, more, concern):
    (found,) = warnings(check(write(CONFIGURATION, more=more)))

    assert found.startswith(concern)


@pytest.mark.usefixtures("secrets")
def test_a_source_address_of_another_machine_is_told(write):
    (found,) = warnings(check(write(CONFIGURATION.replace("127.0.0.5", "192.0.2.77"))))

    assert found.startswith("source_address: the source address 192.0.2.77 is not an address of this machine")


@pytest.mark.usefixtures("secrets")
def test_probing_from_the_ordinary_address_is_told_once(write):
    (found,) = warnings(check(write(CONFIGURATION.replace('imap.source_address = "127.0.0.5"', ""))))

    assert found.startswith(
        "servers.mail, access_points.mail.example.org: is probed from this machine's ordinary address"
    )


@pytest.mark.usefixtures("secrets")
def test_a_password_file_that_everybody_may_read_is_told_and_not_shown(write, tmp_path):
    (tmp_path / "db1").chmod(0o644)

    (found,) = warnings(check(write(CONFIGURATION)))

    assert "can be read by everybody on this machine (mode 0644)" in found
    assert "a password" not in found


@pytest.mark.usefixtures("secrets")
def test_without_databases_or_local_health_mailbox_less_is_seen_and_told(write):
    text = "[organization]\nname = 'x'\n[servers.mail]\nroles = ['mailbox']\nimap.source_address = '127.0.0.5'\n"

    assert ["servers.mail", "databases"] == [concern.about for concern in check(write(text)).warnings]
