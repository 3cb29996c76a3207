from pathlib import Path

from mailward.config.show import show

CONFIGURATION = """
[organization]
name = "example"
[health_mailboxes]
user = "health-{name}"
password_file = "secrets/{name}"
[groups.back-ends]
servers = ["be*"]
roles = ["mailbox"]
imap.port = 1993
[servers.be1]
known_as = ["be1.example.org"]
[databases.DB1]
copies = ["be1"]
health_mailbox.password_environment = "DB1"
[probes.ImapCTPProbe]
interval = "90s"
"""


def shown(main: Path) -> dict[str, tuple[str | None, str]]:
    return {setting.key: (setting.value, setting.origin) for setting in show(main)}


def test_every_setting_says_where_it_was_set(write, tmp_path):
    settings = shown(write(CONFIGURATION))

    assert ("1993", "mailward.toml:10, group back-ends") == settings["servers.be1.imap.port"]
    assert ('["be1.example.org"]', "mailward.toml:12") == settings["servers.be1.known_as"]
    assert ('"tls"', "default") == settings["servers.be1.imap.security"]
    assert ('"90s"', "mailward.toml:17") == settings["probes.ImapCTPProbe.interval"]
    assert ("3", "default") == settings["monitors.ImapCTPMonitor.consecutive_failures"]
    assert (f'"{tmp_path}/secrets/be1"', "mailward.toml:6, health_mailboxes") == settings[
        "servers.be1.health_mailbox.password_file"
    ]


def test_a_secret_is_shown_by_the_one_place_it_is_kept_in(write):
    settings = shown(write(CONFIGURATION))

    assert ['"DB1"'] == [
        value for key, (value, _) in settings.items() if key.startswith("databases.") and "pass" in key
    ]


def test_what_is_set_nowhere_has_no_value(write):
    assert (None, "default") == shown(write(CONFIGURATION))["servers.be1.imap.tls.ca_file"]
