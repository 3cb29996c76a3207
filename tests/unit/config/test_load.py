from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailward.config.load import FileSettings, load, manager_settings
from mailward.config.mistakes import WrongConfiguration
from mailward.config.schema import Configuration
from mailward.config.sources import Sources
from mailward.config.validation import validate
from mailward.model.errors import ConfigError
from mailward.model.organization import LmtpEndpoint, Role, SecretKind, SecretRef, Security

TWO_SERVERS = """
[organization]
name = "example"

[health_mailboxes]
user = "health-{name}"
password_file = "secrets/{name}"

[templates.debian]
platform = "dovecot"
backend_timeout = "9s"
imap.tls.ca_file = "ca.pem"
imap.port = 1993

[groups.back-ends]
servers = ["BE*"]
template = "debian"
roles = ["mailbox"]
imap.host = "{name}.example.org"
host.log_files = ["/var/log/a", "/var/log/b"]

[servers.be1]
known_as = ["be1.example.org"]
imap.port = 2993
host.log_files = ["logs/{name}"]

[servers.proxy1]
roles = ["proxy"]
backend_timeout = "8s"
imap.security = "starttls"

[access_points."mail.example.org"]
servers = ["Proxy1"]

[databases.DB1]
copies = ["be1"]
"""


def test_two_servers_become_a_snapshot(write, tmp_path):
    organization = load(write(TWO_SERVERS)).organization

    be1, proxy1 = organization.servers["be1"], organization.servers["proxy1"]
    assert ("example", ["be1", "proxy1"]) == (organization.name, list(organization.servers))
    assert frozenset({Role.MAILBOX}) == be1.roles
    assert SecretRef(kind=SecretKind.FILE, name=str(tmp_path / "secrets/be1")) == be1.health_mailbox.password
    assert "health-be1" == be1.health_mailbox.user
    assert (143, Security.STARTTLS, "proxy1") == (proxy1.imap.port, proxy1.imap.security, proxy1.imap.host)
    assert proxy1.health_mailbox is None
    database = organization.databases["DB1"]
    assert ("be1", "health-db1") == (database.active, database.health_mailbox.user)


@pytest.mark.parametrize(
    ("lmtp", "expected"),
    [
        ("tcp:{name}.example.org:24", LmtpEndpoint(host="proxy1.example.org", port=24, source_address="192.0.2.6")),
        ("tcp:[2001:db8::1]:1024", LmtpEndpoint(host="2001:db8::1", port=1024, source_address="192.0.2.6")),
        ("unix:/run/dovecot/lmtp", LmtpEndpoint(host="/run/dovecot/lmtp", port=None)),
    ],
)
def test_where_a_proxy_takes_mail_is_read_and_probed_from_where_imap_is(write, lmtp, expected):
    told = f'[servers.proxy1]\nlmtp = "{lmtp}"\nimap.source_address = "192.0.2.6"\n'

    organization = load(write(TWO_SERVERS.replace("[servers.proxy1]\n", told))).organization

    assert expected == organization.servers["proxy1"].lmtp


def test_a_server_stands_above_its_group_and_the_group_above_its_template(write, tmp_path):
    be1 = load(write(TWO_SERVERS)).organization.servers["be1"]

    assert (2993, "be1.example.org", str(tmp_path / "ca.pem")) == (be1.imap.port, be1.imap.host, be1.imap.tls.ca_file)
    assert timedelta(seconds=9) == be1.backend_timeout
    assert ("dovecot", ("back-ends",)) == (be1.platform, be1.groups)


def test_lists_replace_and_relative_files_start_beside_the_main_file(write, tmp_path):
    assert (str(tmp_path / "logs/be1"),) == load(write(TWO_SERVERS)).organization.servers["be1"].host.log_files


def test_an_access_point_waits_as_long_as_the_slowest_proxy_behind_it(write):
    access_point = load(write(TWO_SERVERS)).organization.access_points["mail.example.org"]

    assert (timedelta(seconds=8), ("proxy1",)) == (access_point.backend_timeout, access_point.servers)


def test_tables_of_several_files_are_united(write):
    main = write(TWO_SERVERS, more="[servers.be2]\nimap.port = 7\n[servers.proxy1.imap]\nport = 5")

    servers = load(main).organization.servers

    assert (7, 5) == (servers["be2"].imap.port, servers["proxy1"].imap.port)


def test_a_key_in_two_files_is_a_mistake_that_names_both(write, tmp_path):
    main = write(TWO_SERVERS, more='\n[organization]\nname = "example"')

    with pytest.raises(ConfigError) as caught:
        load(main)

    text = f"{tmp_path}/conf.d/more.toml:3: organization.name is set already in {main}:3; keep one of the two"
    assert text == str(caught.value)


def test_settings_of_probes_and_monitors_are_put_over_the_defaults(write):
    snapshot = load(
        write(
            TWO_SERVERS
            + """
[probes]
jitter_percent = 20
[probes.ImapCTPProbe]
interval = "5s"
[probes.ImapDeepTestProbe]
write_turn_every = "1m30s"
[monitors.ImapDeepTestMonitor]
confirm_after = ["1s", "1s", "2s"]
percent.minimum_samples = 3
[monitors.flapping]
times = 9
[retention]
healthy_results = "1d"
[rollup]
group_size = 3
"""
        )
    )

    assert (20, timedelta(seconds=5)) == (snapshot.probing.jitter_percent, snapshot.probing.ctp_interval)
    assert timedelta(seconds=90) == snapshot.probing.write_turn_every
    assert (
        timedelta(seconds=1),
        timedelta(seconds=1),
        timedelta(seconds=2),
    ) == snapshot.monitors.deep_test.confirm_after
    assert (3, 90) == (
        snapshot.monitors.deep_test.percent.minimum_samples,
        snapshot.monitors.deep_test.percent.minimum_percent,
    )
    assert (9, timedelta(days=1)) == (snapshot.monitors.flapping.times, snapshot.retention.healthy_results)
    assert 3 == snapshot.rollup.group_size


def test_all_mistakes_come_at_once_each_with_its_line_and_the_nearest_key(write):
    main = write(
        """[organisation]
name = "x"
[servers.be1]
roles = ["mailbx"]
imap.prt = 3
imap.source_address = "here"
[databases.DB1]
copies = ["be2"]
health_mailbox = { user = "{nme}" }
[notify.mail]
to = "x"
[probes.ImapCTPProbe]
interval = 5
[monitors.ImapCTPMonitr]
[recovery]
mode = "acts"
patience = "10s"
[recovery.classes]
server_restart = "act"
move = 1
[recovery.throttles]
service_restarts_a_day = 0
[dashbord]
"""
    )

    with pytest.raises(ConfigError) as caught:
        load(main)

    assert [
        'organization.name is missing; give it as name = "example" there',
        '1: organisation is not known; did you mean "organization"?',
        '4: servers.be1.roles must be "proxy" or "mailbox", not "mailbx"',
        '5: servers.be1.imap.prt is not known; did you mean "port"?',
        "6: servers.be1.imap.source_address must be a numeric address of this host, such as 192.0.2.5",
        '8: databases.DB1.copies names "be2", which is no server; did you mean "be1"?',
        "9: databases.DB1.health_mailbox has no password; give password_file, password_environment or"
        " password_credential",
        '9: databases.DB1.health_mailbox.user has "{nme}"; the only placeholder is {name}',
        '10: notify.mail.kind is missing; one of "smtp", "webhook", "alertmanager", "dead-man"',
        "11: notify.mail.to is not known; there are 24 others",
        '13: probes.ImapCTPProbe.interval is a number without a unit; write "5s" for seconds, or with ms, m, h, d',
        '14: monitors.ImapCTPMonitr is not known; did you mean "ImapCTPMonitor"?',
        '16: recovery.mode must be "observe", "recommend", "approve" or "act", not "acts"',
        "17: recovery.patience must be at least 60s: what is only slow for a moment must not be restarted",
        '19: recovery.classes.server_restart is not known; did you mean "server-restart"?',
        '20: recovery.classes.move must be "observe", "recommend", "approve" or "act"',
        "22: recovery.throttles.service_restarts_a_day must be at least 1",
        "23: dashbord is not known; there are 19 others",
    ] == [line.removeprefix(f"{main}:").strip() for line in str(caught.value).splitlines()]


@pytest.mark.parametrize("key", ["password", "Passwd", "secret", "token"])
@pytest.mark.parametrize("table", ["servers.be1.health_mailbox", "organization", "anything"])
def test_a_plain_password_is_refused_and_never_repeated(write, key, table):
    main = write(f'[{table}]\n{key} = "hunter2"\n')

    with pytest.raises(ConfigError) as caught:
        load(main)

    assert "hunter2" not in str(caught.value)
    assert f"{table}.{key} would be a password in the configuration" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("[groups.g]\nservers = ['mb*']", 'groups.g.servers has the pattern "mb*", which matches no server'),
        ("[groups.g]\nservers = ['be2']", 'groups.g.servers names "be2", which is no server; did you mean "be1"?'),
        ("[groups.g]\nroles = ['proxy']", "groups.g.servers is missing; an empty list means no server"),
        (
            "[groups.g]\nservers = []\ntemplate = 'debain'",
            'groups.g.template names "debain", which is no template; did you mean "debian"?',
        ),
        ("[servers.BE1]", 'servers.BE1 differs from "be1" only by case; they would be one'),
        ("[servers.'a b']\nroles = ['proxy']", 'servers."a b" cannot be a name; letters, digits, dots, hyphens'),
        ("[servers.new]", 'servers.new.roles is missing; give ["proxy"], ["mailbox"] or both, here or by a group'),
        ("[servers.new]\nroles = []", "servers.new.roles is empty; a server without a role would not be watched"),
        (
            "[servers.new]\nroles = ['proxy']\nknown_as = ['be1.example.org']",
            'servers.new.known_as gives new the name "be1.example.org", which be1 has',
        ),
        ("[databases.DB2]\ncopies = ['proxy1']", 'databases.DB2.copies names "proxy1", which has not the role mailbox'),
        ("[databases.DB2]\ncopies = ['be1', 'Be1']", 'databases.DB2.copies names "Be1" twice'),
        (
            "[databases.DB2]\ncopies = ['be1']\nactive = 'proxy1'",
            'databases.DB2.active is "proxy1", which holds no copy; known: be1',
        ),
        (
            "[databases.DB2]\ncopies = []",
            "databases.DB2.copies is missing; name the mailbox servers that hold a copy, the preferred one first",
        ),
        (
            "[databases.DB2]\ncopies = ['be1']\nhealth_mailbox.user = 'health-be1'",
            'health_mailboxes.user gives server be1 the health mailbox "health-be1", which database DB2 has;'
            " each needs its own",
        ),
        (
            "[servers.proxy1.health_mailbox]\npassword_file = 'x'",
            "servers.proxy1.health_mailbox.user is missing; whose password is it?",
        ),
        (
            "[servers.proxy1.health_mailbox]\nuser='x'\npassword_file = 'x'\npassword_environment = 'X'",
            "servers.proxy1.health_mailbox.password_environment is a second place for the same password; keep one",
        ),
        (
            "[servers.proxy1.imap]\nhost = '192.0.2.1'\nsource_address = '::1'",
            None,
        ),
        (
            "[access_points.x]\nservers = ['proxy']",
            'access_points.x.servers names "proxy", which is no server; did you mean "proxy1"?',
        ),
        (
            "[manager]\nlog_level = 'loud'",
            'manager.log_level must be "debug", "info", "warning" or "error", not "loud"',
        ),
        (
            "[probes.ImapCTPProbe]\ninterval = '10ms'",
            "probes.ImapCTPProbe.interval must be at least one second, or the servers would be flooded",
        ),
        (
            "[probes.ImapCTPProbe]\ninterval = 'soon'",
            "probes.ImapCTPProbe.interval is not a duration; write a number with its unit,"
            ' such as "30s", "5m" or "48h"',
        ),
        (
            "[monitors.ImapCTPMonitor]\nconsecutive_failures = 0",
            "monitors.ImapCTPMonitor.consecutive_failures must be at least 1",
        ),
        ("[monitors.ImapCTPMonitor]\nenabled = 1", "monitors.ImapCTPMonitor.enabled must be true or false"),
        (
            "[access_points.Proxy1]",
            "access_points.Proxy1 has the name of a server, so that nobody could tell their touch points apart; give it"
            " another, such as the DNS name users connect to",
        ),
        (
            "[manager]\nstate_directory = '~nobody-of-that-name/state'",
            "manager.state_directory begins in the home directory of a user this machine does not know",
        ),
        (
            "[servers.be1.host]\nservice = 'supervisor:~nobody-of-that-name/socket'",
            "servers.be1.host.service begins in the home directory of a user this machine does not know",
        ),
        (
            "[web]\nlisten = 'localhost:8143'",
            'web.listen must be an IP address and a port, such as "127.0.0.1:8143" or "[::1]:8143"',
        ),
        (
            "[web]\nlisten = '::1:8143'",
            'web.listen must be an IP address and a port, such as "127.0.0.1:8143" or "[::1]:8143"',
        ),
    ],
)
def test_what_does_not_fit_together_is_said(write, more, text, mistakes_of):
    if text is None:
        text = "servers.proxy1.imap.source_address is IPv6, but the host is an IPv4 address"
        main = write(TWO_SERVERS.replace('imap.security = "starttls"', ""), more=more)
    else:
        main = write(TWO_SERVERS, more=more)

    assert [text] == mistakes_of(main)


def test_groups_that_contradict_each_other_are_a_mistake_until_the_server_decides(write, mistakes_of):
    groups = "[groups.a]\nservers = ['be1']\nsentinel = true\n[groups.b]\nservers = ['be1']\nsentinel = false\n"

    assert 1 == len(mistakes_of(write(TWO_SERVERS, groups=groups)))
    assert [] == mistakes_of(write(TWO_SERVERS, groups=groups, server="[servers.be1]\nsentinel = true"))


def test_a_group_without_members_changes_nobody(write):
    main = write(TWO_SERVERS, group="[groups.nobody]\nservers = []\nsentinel = true")

    assert {False} == {server.sentinel for server in load(main).organization.servers.values()}


def test_an_upper_password_place_takes_the_place_of_a_lower_one(write):
    main = write(TWO_SERVERS, more="[databases.DB1.health_mailbox]\npassword_environment = 'DB1_PASSWORD'")

    mailbox = load(main).organization.databases["DB1"].health_mailbox

    assert SecretRef(kind=SecretKind.ENVIRONMENT, name="DB1_PASSWORD") == mailbox.password


def test_no_server_at_all_is_a_mistake(write, mistakes_of):
    text = "servers names no server, so nothing would be watched; add a table such as [servers.mail1]"

    assert [text] == mistakes_of(write('[organization]\nname = "x"'))


def test_a_missing_file_is_said_in_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="mailward.toml: cannot be read: No such file or directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a = 1\nb == 2", ":2: is not TOML: "),
        (b"a = " + b"[" * 5000, "is not TOML"),
        (b"a = 1" + b"0" * 5000, "is not TOML"),
        (b".".join([b"a"] * 30) + b" = 1", "is nested more than 12 tables deep"),
        (b"a = 2026-13-45", "is not TOML"),
    ],
)
def test_what_is_no_toml_is_said_with_its_place(tmp_path, content, text):
    file = tmp_path / "mailward.toml"
    file.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load(file)

    assert text in str(caught.value)


def test_settings_are_read_anew_at_each_load(write):
    settings = FileSettings(write(TWO_SERVERS))
    before = settings.load()

    write(TWO_SERVERS.replace('name = "example"', 'name = "other"'))

    assert ("example", "other") == (before.organization.name, settings.load().organization.name)


def test_the_manager_keeps_its_state_where_systemd_says_unless_the_file_says(write, tmp_path):
    main = write(TWO_SERVERS)
    ours = write(TWO_SERVERS + '[manager]\nstate_directory = "state"\nlog_level = "debug"', none="")

    from_systemd = manager_settings(main, {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"})
    from_file = manager_settings(ours, {"STATE_DIRECTORY": "/var/lib/a"})

    assert tmp_path / "state" / "api.sock" == from_file.socket
    assert "debug" == from_file.log_level
    assert tmp_path / "state" == from_systemd.state_directory


def test_five_hundred_servers_become_a_snapshot(write):
    many = "".join(
        f"[servers.mb{number}]\nknown_as = ['mb{number}.example.org']\n[servers.mb{number}.imap]\nport = 993\n"
        f"[servers.mb{number}.host]\nservice = 'systemd:dovecot'\n[databases.X{number}]\ncopies = ['mb{number}']\n"
        for number in range(500)
    )
    main = write(TWO_SERVERS.replace('"BE*"', '"BE*", "mb*"'), many=many)

    assert 502 == len(load(main).organization.servers)


KEYS = st.sampled_from(
    sorted(
        {
            *Configuration.model_fields,
            *("name", "roles", "imap", "host", "port", "tls", "health_mailbox", "user", "password_file", "password"),
            *(
                "servers",
                "template",
                "copies",
                "active",
                "be1",
                "DB1",
                "ImapCTPProbe",
                "interval",
                "percent",
                "x y",
                "",
            ),
            *("source_address", "known_as", "service", "log_files", "backend_timeout", "notify", "ImapCTPMonitor"),
        }
    )
)
LEAVES = st.one_of(
    st.text(max_size=8),
    st.integers(),
    st.booleans(),
    st.floats(),
    st.datetimes(),
    st.sampled_from(["be1", "mailbox", "proxy", "30s", "{name}", "{x}", "tls", "*", "[", "127.0.0.1", "::1"]),
)
VALUES = st.recursive(
    LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4), max_leaves=25
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_tree_is_either_a_snapshot_or_a_list_of_mistakes(tmp_path_factory, tree):
    file = tmp_path_factory.getbasetemp() / "fuzz.toml"
    file.write_text(toml(tree))

    with suppress(WrongConfiguration):
        assert load(file).organization.servers


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_either_a_snapshot_or_a_list_of_mistakes(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "bytes.toml"
    file.write_bytes(content)

    with pytest.raises(WrongConfiguration):
        load(file)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_validation_never_raises_and_changes_nothing_it_was_given(tree):
    before = repr(tree)

    validate(Sources(directory=Path("/nowhere"), files=(), tree=tree))

    assert before == repr(tree)


def toml(tree: dict[str, object]) -> str:
    return "".join(f"{quoted(key)} = {written(value)}\n" for key, value in tree.items())


def quoted(text: str) -> str:
    return '"' + "".join(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}" for char in text) + '"'


def written(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{quoted(key)} = {written(item)}" for key, item in value.items()) + " }"
        case list():
            return "[" + ", ".join(written(item) for item in value) + "]"
        case bool():
            return str(value).lower()
        case str():
            return quoted("".join(char for char in value if not 0xD800 <= ord(char) < 0xE000))
        case int() | float():
            return str(value)
    return value.isoformat()
