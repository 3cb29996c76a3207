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


def test_what_mailward_may_do_and_whom_it_tells_is_shown_with_its_place(write, tmp_path):
    acting = """
[recovery]
mode = "act"
[recovery.classes]
server-restart = "recommend"
[recovery.throttles]
move_apart = "45m"
[servers.be1.host]
service = "command"
commands = { status = ["/x", "{name}"], start = ["/y"] }
[servers.px]
roles = ["proxy"]
site = "north"
[access_points.imap]
servers = ["px"]
control = "haproxy:sock"
backend = "b"
members = { px = "px-1" }
[notify.mail]
kind = "smtp"
host = "relay"
sender = "a@example.org"
recipients = ["b@example.org"]
[escalation]
guidelines = "first\\nsecond"
"""
    settings = shown(write(CONFIGURATION, acting=acting))

    assert ('"act"', "acting.toml:3") == settings["recovery.mode"]
    assert ('"recommend"', "acting.toml:5") == settings["recovery.classes.server-restart"]
    assert ('"approve"', "default") == settings["recovery.classes.move"]
    assert ('"45m"', "acting.toml:7") == settings["recovery.throttles.move_apart"]
    assert ('"1m"', "default") == settings["recovery.patience"]
    assert ('["/x", "be1"]', "acting.toml:10") == settings["servers.be1.host.commands.status"]
    assert "servers.be1.host.commands.stop" not in settings
    assert ('"north"', "acting.toml:13") == settings["servers.px.site"]
    assert (None, "default") == settings["servers.be1.site"]
    assert ('"local"', "default") == settings["servers.be1.host.reach"]
    assert (f'"haproxy:{tmp_path}/sock"', "acting.toml:16") == settings["access_points.imap.control"]
    assert ('{ px = "px-1" }', "acting.toml:18") == settings["access_points.imap.members"]
    assert ('["b@example.org"]', "acting.toml:23") == settings["notify.mail.recipients"]
    assert ("25", "default") == settings["notify.mail.port"]
    assert "notify.mail.url" not in settings
    assert ('"first\\nsecond"', "acting.toml:25") == settings["escalation.guidelines"]
    assert ('"4h"', "default") == settings["escalation.repeat_after"]


def test_how_databases_are_moved_is_shown_with_its_place(write, tmp_path):
    moving = """
[routing]
map = "ldaps://map.example.org"
password_file = "secrets/map"
[routing.ldap]
base = "dc=example"
user = "cn=mailward"
[moves]
hold = "45s"
[replication]
kind = "sync"
"""
    settings = shown(write(CONFIGURATION, moving=moving))

    assert ('"ldaps://map.example.org"', "moving.toml:3") == settings["routing.map"]
    assert (f'"{tmp_path}/secrets/map"', "moving.toml:4") == settings["routing.password_file"]
    assert ('"mailHost"', "default") == settings["routing.ldap.server"]
    assert (None, "default") == settings["routing.ldap.ca_file"]
    assert ('"45s"', "moving.toml:9") == settings["moves.hold"]
    assert "default" == settings["moves.capacity"][1]
    assert ('"sync"', "moving.toml:11") == settings["replication.kind"]
    assert not {"routing.active", "routing.commands.active", "routing.password_environment"} & set(settings)


def test_a_map_by_statements_or_by_commands_is_shown_by_what_it_uses(write, tmp_path):
    active = "SELECT name, active FROM db"
    statements = f"""
[routing]
map = "sqlite:map.db"
active = "{active}"
mailboxes = "SELECT :database"
switch = "UPDATE db SET active = :target WHERE name = :database AND active = :source"
"""
    commands = """
[routing]
map = "command"
[routing.commands]
active = ["/x"]
mailboxes = ["/x", "{database}"]
switch = ["/x", "{database}", "{source}", "{target}"]
"""
    by_statements, by_commands = shown(write(CONFIGURATION, map=statements)), shown(write(CONFIGURATION, map=commands))

    assert (f'"sqlite:{tmp_path}/map.db"', f'"{active}"') == (
        by_statements["routing.map"][0],
        by_statements["routing.active"][0],
    )
    assert ('["/x", "{database}"]', "map.toml:6") == by_commands["routing.commands.mailboxes"]
    assert {"routing.map", "routing.active", "routing.mailboxes", "routing.switch"} == {
        key for key in by_statements if key.startswith("routing")
    }


def test_without_a_map_it_is_shown_that_there_is_none(write):
    settings = shown(write(CONFIGURATION))

    assert ["routing.map"] == [key for key in settings if key.startswith("routing.")]
    assert (None, "default") == settings["routing.map"] == settings["replication.kind"]


def test_what_is_set_nowhere_has_no_value(write):
    assert (None, "default") == shown(write(CONFIGURATION))["servers.be1.imap.tls.ca_file"]
