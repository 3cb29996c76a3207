import re
import stat
from pathlib import Path

import pytest

from mailward.config.initial import initial, write
from mailward.config.load import load
from mailward.model.errors import Refused
from mailward.model.organization import Role, Security
from mailward.model.recovery import Mode
from mailward.platforms.dovecot.certificates import Certificate
from mailward.platforms.dovecot.detection import Detected
from mailward.platforms.dovecot.listening import Listener
from mailward.platforms.dovecot.probe_account import accounts_for

TLS = Listener(address="*", port=993, is_tls=True)


def a_dovecot(**but):
    usual = {
        "config": Path("/etc/dovecot/dovecot.conf"),
        "version": (2, 3, 19),
        "base_dir": Path("/run/dovecot"),
        "listeners": (TLS,),
        "stores": (Path("/var/vmail"),),
        "mail_owner": "5000:5000",
        "log_files": (Path("/var/log/dovecot.log"),),
        "certificate": Certificate(
            file=Path("/etc/ssl/mail.pem"), names=("mail.example.org",), is_self_signed=False, is_trusted=True
        ),
    }
    return Detected(**(usual | but))


@pytest.fixture
def made(tmp_path):
    def make(found, **more):
        return initial(
            found,
            host_name="Box1.example.org",
            directory=tmp_path / "mailward",
            passwd_directory=tmp_path / "passwd",
            **more,
        )

    return make


@pytest.fixture
def organization(made, tmp_path):
    def loaded(found, **more):
        write(made(found, **more))
        return load(tmp_path / "mailward").organization

    return loaded


def text_of(files, name):
    return next(file.text for file in files.files if file.path.name == name)


def test_one_box_is_watched_on_its_public_name_its_own_address_and_in_its_mailboxes(organization):
    made = organization(a_dovecot())

    server = made.servers["box1"]
    assert frozenset({Role.MAILBOX}) == server.roles
    assert ("127.0.0.1", 993, Security.TLS) == (server.imap.host, server.imap.port, server.imap.security)
    assert "mail.example.org" == server.imap.tls.expected_name
    assert "pidfile:/run/dovecot/master.pid" == server.host.service
    assert (("/var/log/dovecot.log",), ("/var/vmail",)) == (server.host.log_files, server.host.store_paths)
    assert ["mail.example.org"] == list(made.access_points)
    assert "health-db1" == made.databases["DB1"].health_mailbox.user
    assert "health-box1" == server.health_mailbox.user


def test_it_recommends_and_says_how_to_go_further_and_whom_to_tell(made, organization, tmp_path):
    organization(a_dovecot())

    text = text_of(made(a_dovecot()), "mailward.toml")
    assert Mode.RECOMMEND is load(tmp_path / "mailward").recovery.mode
    hints = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    (tmp_path / "mailward" / "mailward.toml").write_text(hints.replace('mode = "recommend"', 'mode = "act"'))
    followed = load(tmp_path / "mailward")
    assert (Mode.ACT, ["oncall"]) == (followed.recovery.mode, [channel.name for channel in followed.channels])
    assert followed.escalation.support


def test_a_name_that_leads_here_is_probed_as_users_do(organization):
    made = organization(a_dovecot(known_names=("mail.example.org",)))

    assert "mail.example.org" == made.access_points["mail.example.org"].imap.host


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        (Listener(address="::", port=143, is_tls=False), ("::1", 143, Security.STARTTLS, False)),
        (
            Listener(address="192.0.2.5", port=1143, is_tls=False, has_starttls=False),
            ("192.0.2.5", 1143, Security.PLAIN, True),
        ),
    ],
)
def test_without_tls_from_the_start_the_next_best_is_probed(organization, listener, expected):
    imap = organization(a_dovecot(listeners=(listener,))).servers["box1"].imap

    assert expected == (imap.host, imap.port, imap.security, imap.allow_plaintext_auth)


def test_a_certificate_that_signs_for_itself_is_what_is_trusted(organization):
    certificate = Certificate(file=Path("/etc/ssl/own.pem"), names=("mail.example.org",), is_self_signed=True)

    assert "/etc/ssl/own.pem" == organization(a_dovecot(certificate=certificate)).servers["box1"].imap.tls.ca_file


def test_an_authority_nobody_knows_is_asked_for(made):
    certificate = Certificate(file=Path("/etc/ssl/mail.pem"), names=("mail.example.org",))

    steps = made(a_dovecot(certificate=certificate)).next_steps

    assert any("name the authority of /etc/ssl/mail.pem" in step for step in steps)


def test_a_proxy_has_its_own_account_and_no_database_of_its_own(organization):
    made = organization(a_dovecot(is_proxy=True))

    assert frozenset({Role.PROXY}) == made.servers["box1"].roles
    assert "health-box1" == made.servers["box1"].health_mailbox.user
    assert ({}, {}) == (made.databases, made.access_points)


def test_a_mailbox_server_behind_proxies_is_no_access_point(organization):
    made = organization(a_dovecot(trusted_networks=("192.0.2.1",)))

    assert {} == made.access_points
    assert ("box1",) == made.databases["DB1"].copies


def test_a_realm_is_part_of_the_accounts_names(organization):
    assert "health-box1@example.org" == organization(a_dovecot(realm="example.org")).servers["box1"].health_mailbox.user


@pytest.mark.parametrize("host", ["db1", "DB1.example.org", "münchen", "-", "localhost"])
def test_whatever_the_host_is_called_the_configuration_is_right(tmp_path, host):
    write(initial(a_dovecot(certificate=None), host_name=host, directory=tmp_path, passwd_directory=tmp_path / "p"))

    assert 1 == len(load(tmp_path).organization.servers)


def test_names_with_quotation_marks_do_not_break_it(organization):
    odd = Path('/var/log/dove"cot\\.log')

    assert (str(odd),) == organization(a_dovecot(log_files=(odd,))).servers["box1"].host.log_files


def test_the_accounts_of_one_box_are_its_own_and_its_databases(organization):
    found = a_dovecot()

    accounts = accounts_for(organization(found), found)

    assert ["health-box1", "health-db1"] == [account.user for account in accounts]
    assert Path("/var/vmail/mailward-health/health-db1") == accounts[1].home
    assert {("127.0.0.143/32",)} == {account.allow_nets for account in accounts}


def test_probes_that_come_from_the_hosts_own_addresses_may_come_from_each_of_them(organization):
    listener = Listener(address="192.0.2.5", port=993, is_tls=True)
    found = a_dovecot(listeners=(listener,), addresses=("192.0.2.5", "2001:db8::5", "127.0.1.1"))

    (account, _) = accounts_for(organization(found), found, allow_nets=("198.51.100.0/24",))

    expected = ("127.0.0.0/8", "::1/128", "192.0.2.5/32", "2001:db8::5/128", "198.51.100.0/24")
    assert expected == account.allow_nets


def test_2_3_asks_ours_for_imap_and_for_our_names_alone(made, tmp_path):
    text = text_of(made(a_dovecot()), "mailward.conf")

    assert text.index("protocol imap {") < text.index(f"args = {tmp_path}/passwd/health-new")
    assert 2 == text.count("username_filter = health-*")


def test_behind_proxies_the_mailboxes_are_known_to_every_service_for_replication(made):
    text = text_of(made(a_dovecot(trusted_networks=("192.0.2.1",))), "mailward.conf")

    assert "\nuserdb {" in text
    assert text.index("health-local") < text.index("\n}\n") < text.index("health-users")


def test_2_4_gets_its_own_words(made, tmp_path):
    text = text_of(made(a_dovecot(version=(2, 4, 1))), "mailward.conf")

    assert f"passwd_file_path = {tmp_path}/passwd/health-new" in text
    assert "args" not in text


def test_nothing_that_exists_is_overwritten_unless_forced(made, tmp_path):
    files = made(a_dovecot())
    written = write(files)
    assert {file.path for file in files.files} == set(written)
    main = tmp_path / "mailward" / "mailward.toml"
    main.write_text("mine")
    snippet = tmp_path / "passwd" / "mailward.conf"
    snippet.unlink()

    with pytest.raises(Refused, match="mailward.toml exists already; nothing was written"):
        write(files)
    assert ("mine", False) == (main.read_text(), snippet.exists())

    assert {main, snippet} == set(write(files, force=True))


def test_accounts_that_exist_survive_even_force(made, tmp_path):
    files = made(a_dovecot())
    write(files)
    accounts = tmp_path / "passwd" / "health-new"
    accounts.write_text("health-box1:{SSHA512}x::::::\n")

    write(files, force=True)

    assert "health-box1:{SSHA512}x::::::\n" == accounts.read_text()


def test_the_configuration_is_not_for_everybody_and_dovecot_can_read_what_it_includes(made, tmp_path):
    write(made(a_dovecot()))

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    assert (0o640, 0o644, 0o640) == (modes["mailward.toml"], modes["mailward.conf"], modes["health-new"])


def test_what_is_left_to_do_begins_with_the_line_to_include(made, tmp_path):
    steps = made(a_dovecot()).next_steps

    line = f"add this line at the end of /etc/dovecot/dovecot.conf: !include {tmp_path}/passwd/mailward.conf"
    assert line == steps[0]
    assert f"begin: mailward run --config {tmp_path / 'mailward'}" == steps[-1]
    assert steps[2:] == made(a_dovecot(health_directory=tmp_path / "passwd")).next_steps


def test_commands_are_told_where_the_configuration_is_unless_they_look_there_anyway(made, tmp_path, monkeypatch):
    elsewhere = made(a_dovecot()).next_steps
    monkeypatch.delenv("MAILWARD_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    own = made(a_dovecot()).next_steps

    option = f" --config {tmp_path / 'mailward'}"
    assert 3 == sum(option in step for step in elsewhere)
    assert own == tuple(step.replace(option, "") for step in elsewhere)
