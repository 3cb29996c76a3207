from pathlib import Path

import pytest

from mailward.config.check import Checked, check, concerns_in_words, cost_in_words
from mailward.config.concerns import concerns
from mailward.config.load import load
from mailward.monitors.cost import AccountCost, Cost
from mailward.ports.settings import Snapshot

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
[notify.oncall]
kind = "webhook"
url = "http://127.0.0.1:9/"
[escalation]
support = "the mail team"
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
        ("[servers.mail]\nlmtp = 'tcp:mail:24'", "servers.mail.lmtp: is used of proxies only"),
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
            "[access_points.other]\nservers = []\nimap.source_address='127.0.0.5'\n"
            "[probes.ImapCTPProbe]\ninterval = '9m'",
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


MAP = """
[routing]
map = "ldaps://map.example.org"
password_file = "map"
[routing.ldap]
base = "dc=example"
user = "cn=mailward"
ca_file = "authorities.pem"
"""


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (0o600, []),
        (0o604, ["can be read by everybody on this machine (mode 0604), so it is not used; run: chmod o-rwx FILE"]),
        (None, ["cannot be read: No such file or directory"]),
    ],
)
def test_the_password_of_the_map_is_looked_at_as_any_other(write, tmp_path, mode, told):
    (tmp_path / "authorities.pem").touch()
    if mode is not None:
        (tmp_path / "map").write_text("a password")
        (tmp_path / "map").chmod(mode)

    found = [text.replace(f"{tmp_path}/map", "FILE") for text in warnings(check(write(CONFIGURATION, map=MAP)))]

    assert [f"routing: the secret file FILE {text}" for text in told] == found


@pytest.mark.usefixtures("secrets")
def test_authorities_of_the_map_that_cannot_be_read_are_told(write, tmp_path):
    (tmp_path / "map").touch(mode=0o600)
    (tmp_path / "map").write_text("a password")

    (found,) = warnings(check(write(CONFIGURATION, map=MAP)))

    text = f"cannot be read: {tmp_path}/authorities.pem; the map could not be asked, and nothing moved"
    assert f"routing.ldap.ca_file: {text}" == found


@pytest.mark.usefixtures("secrets")
def test_without_databases_or_local_health_mailbox_less_is_seen_and_told(write):
    text = "[organization]\nname = 'x'\n[servers.mail]\nroles = ['mailbox']\nimap.source_address = '127.0.0.5'\n"

    assert ["servers.mail", "databases", "access_points", "notify"] == [
        concern.about for concern in check(write(text)).warnings
    ]


@pytest.mark.usefixtures("secrets")
def test_a_database_without_health_mailbox_is_told_to_be_unseen(write):
    text = CONFIGURATION.replace("[health_mailboxes]", "[servers.mail.health_mailbox]")

    (found,) = warnings(check(write(text)))

    assert found.startswith("databases.DB1: has no health mailbox: its store is not looked at")


@pytest.mark.usefixtures("secrets")
def test_one_box_that_would_see_too_much_of_us_is_told(write):
    (found,) = warnings(check(write(CONFIGURATION, more="[probes.ImapSelfTestProbe]\ninterval = '5s'")))

    assert found.startswith("servers.mail: will see 19,")
    assert "no more than 6,000: lengthen the intervals" in found


@pytest.mark.usefixtures("secrets")
def test_a_server_behind_proxies_may_see_more(write):
    proxy = "[servers.proxy]\nroles = ['proxy']\nimap.source_address = '127.0.0.5'\n"
    text = CONFIGURATION.replace('servers = ["mail"]', 'servers = ["proxy"]')

    checked = check(write(text, proxy=proxy))

    assert [] == warnings(checked)
    assert max(server.conversations for server in checked.cost.servers) > 6000


@pytest.mark.usefixtures("secrets")
def test_without_an_access_point_one_box_is_told_that_its_users_way_is_not_walked(write):
    text = CONFIGURATION.replace(
        '[access_points."mail.example.org"]\nservers = ["mail"]', "[servers.mail.host]"
    ).replace('imap.source_address = "127.0.0.5"\n[databases', "[databases")

    (found,) = warnings(check(write(text)))

    assert found.startswith("access_points: there is none")


def test_what_is_to_be_said_of_many_is_said_once_and_names_a_few(write):
    servers = "".join(f"[servers.be{number}]\nimap.tls.verify = false\nroles = ['mailbox']\n" for number in range(500))

    found = check(write(f"[organization]\nname = 'x'\n{servers}")).warnings

    (concern,) = [concern for concern in found if concern.text.startswith("is off")]
    assert concern.about.startswith("servers.be0.imap.tls.verify, servers.be1.imap.tls.verify, ")
    assert concern.about.endswith(" and 496 more")
    assert len(found) < 7


@pytest.mark.usefixtures("secrets")
def test_servers_with_local_health_mailboxes_of_one_name_are_all_looked_at(write, tmp_path):
    (tmp_path / "open").touch(mode=0o600)
    other = (
        "[servers.other]\nroles = ['mailbox']\nimap.source_address = '127.0.0.5'\n"
        "health_mailbox.user = 'health-mail'\nhealth_mailbox.password_file = 'open'"
    )

    (found,) = warnings(check(write(CONFIGURATION, other=other)))

    assert f"health mailbox health-mail: the secret file {tmp_path}/open is empty" == found


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(("mode", "count"), [(0o700, 0), (0o777, 1), (0o1777, 0)])
def test_a_directory_in_which_others_could_put_another_password_is_told(write, tmp_path, mode, count):
    directory = tmp_path / "secrets"
    directory.mkdir()
    for name in ("mail", "db1"):
        (tmp_path / name).rename(directory / name)
    directory.chmod(mode)

    found = check(write(CONFIGURATION.replace('"{name}"', '"secrets/{name}"'))).warnings

    assert [(f"chmod o-w {directory}",)] * count == [concern.lines for concern in found]


def test_more_sessions_than_dovecot_allows_are_told(write):
    organization = load(write(CONFIGURATION)).organization
    greedy = Cost(servers=(), accounts=(AccountCost(account="health-db1", conversations=9, sessions_max=9),), lanes=())

    (found,) = concerns(Snapshot(organization=organization), greedy)

    assert found.text.startswith("has up to 9 sessions at once; Dovecot allows 10 from one address")
