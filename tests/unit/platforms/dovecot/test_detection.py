import sys
from pathlib import Path

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.commands import Finished
from mailward.platforms.dovecot.detection import detected, from_doveconf
from mailward.platforms.dovecot.doveconf import parse
from mailward.platforms.dovecot.instances import running
from mailward.platforms.dovecot.listening import Listener

OLD = """\
# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf
auth_default_realm = example.org
base_dir = /run/dovecot
imap_id_send = name * x-backend be1
listen = *, ::
log_path = /var/log/dovecot.log
login_trusted_networks = 192.0.2.1 192.0.2.2
mail_location = maildir:/var/vmail/%d/%n/Maildir
mail_max_userip_connections = 20
ssl_cert = </nosuch/cert.pem
passdb {
  driver = sql
  args = SQL
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  inet_listener imap {
    port = 143
  }
  inet_listener imaps {
    address = 192.0.2.5
    port = 10993
    ssl = yes
    haproxy = yes
  }
}
userdb {
  driver = static
  args = uid=5000 gid=5001 home=/var/vmail/%d/%n
}
"""

NEW = """\
# 2.4.1-4 (7d8c0e5759): /etc/dovecot/dovecot.conf
base_dir = /run/dovecot
listen = 127.0.0.1
mail_driver = sdbox
mail_home = /srv/mail/%{user}
mail_uid = 5000
imap_id_send {
  name = Dovecot
}
passdb sql {
  query = SELECT host, 'y' AS proxy FROM users WHERE username = '%{user}'
}
quota user {
  storage_size = 20M
}
service imap-login {
  inet_listener imap {
    port = 143
  }
  inet_listener imaps {
    port = 993
  }
}
ssl_server {
  cert_file = /nosuch/cert.pem
}
"""
FILE = Path("/etc/dovecot/dovecot.conf")


class SaidBefore:
    """Answers with what a program said once."""

    def __init__(self, *, status: int = 0, output: str = "", errors: str = "") -> None:
        self._finished = Finished(status=status, output=output, errors=errors)

    async def run(self, argv, *, timeout):
        return self._finished


def test_a_mailbox_server_of_2_3_is_described():
    found = from_doveconf(parse(OLD), FILE)

    assert (
        Listener(address="192.0.2.5", port=10993, is_tls=True, is_behind_haproxy=True),
        Listener(address="*", port=143, is_tls=False),
        Listener(address="::", port=143, is_tls=False),
    ) == found.listeners
    assert (Path("/var/vmail"),) == found.stores
    assert "5000:5001" == found.mail_owner
    assert ("192.0.2.1", "192.0.2.2") == found.trusted_networks
    assert (False, 20, "example.org") == (found.has_penalty, found.connections_max, found.realm)
    assert ("name", "*", "x-backend", "be1") == found.id_send
    assert "/nosuch/cert.pem cannot be read: No such file or directory" == found.certificate.problem
    assert (Path("/var/log/dovecot.log"),) == found.log_files
    assert (False, ("sql",), None) == (found.is_proxy, found.passdbs, found.health_directory)


def test_a_proxy_of_2_4_is_described():
    found = from_doveconf(parse(NEW), FILE)

    assert (True, True, "user") == (found.is_new_style, found.is_proxy, found.quota)
    assert [(993, True), (143, False)] == [(listener.port, listener.is_tls) for listener in found.listeners]
    assert ((Path("/srv/mail"),), "5000:") == (found.stores, found.mail_owner)
    assert Path("/nosuch/cert.pem") == found.certificate.file
    assert (True, ("name",)) == (found.has_penalty, found.id_send)


@pytest.mark.parametrize(
    ("query", "is_proxy"),
    [("SELECT host, 'y' AS proxy_maybe FROM users", True), ("# AS proxy\nSELECT password FROM users", False)],
)
def test_a_proxy_of_2_3_is_told_by_its_query(tmp_path, query, is_proxy):
    file = tmp_path / "dovecot-sql.conf"
    file.write_text(f"driver = sqlite\n{query}\n" if query.startswith("#") else f"password_query = {query}\n")

    assert is_proxy == from_doveconf(parse(OLD.replace("SQL", str(file))), FILE).is_proxy


def test_our_own_lookups_tell_where_the_accounts_are_and_are_not_counted_as_the_administrators():
    ours = (
        "protocol imap {\n  passdb {\n    driver = passwd-file\n    args = /etc/dovecot/mailward/health-new\n  }\n}\n"
    )

    found = from_doveconf(parse(OLD + ours), FILE)

    assert (Path("/etc/dovecot/mailward"), ("sql",)) == (found.health_directory, found.passdbs)


async def test_a_configuration_that_may_not_be_read_says_so_and_what_to_do():
    refusal = SaidBefore(status=89, errors="doveconf: Fatal: open(/etc/dovecot/dovecot.conf) failed: Permission denied")

    with pytest.raises(TemporaryFailure, match=r"doveconf cannot read .*Permission denied; run it as root or as"):
        await detected(FILE, runner=refusal)


async def test_an_answer_that_is_not_understood_is_said_to_be_none():
    with pytest.raises(TemporaryFailure, match="is not understood: it does not begin with Dovecot's version"):
        await detected(FILE, runner=SaidBefore(output="Segmentation fault"))


async def test_masters_are_told_from_their_children_and_relative_names_start_where_they_did(tmp_path):
    for pid, argv in {
        10: "/usr/sbin/dovecot\0-F\0-c\0/etc/dovecot/second.conf\0",
        11: "dovecot/imap-login\0",
        12: "dovecot\0-F\0",
        13: "/usr/sbin/dovecot\0-c\0own.conf\0",
        14: f"{sys.executable}\0dovecot\0",
    }.items():
        process = tmp_path / str(pid)
        process.mkdir()
        (process / "cmdline").write_bytes(argv.encode())
        (process / "cwd").symlink_to("/srv/dovecot")

    found = await running(SaidBefore(), proc=tmp_path)

    assert tuple(map(Path, ("/etc/dovecot/second.conf", "/etc/dovecot/dovecot.conf", "/srv/dovecot/own.conf"))) == found


async def test_where_processes_are_hidden_dovecots_own_list_is_asked(tmp_path):
    base = tmp_path / "run"
    base.mkdir()
    (base / "dovecot.conf").symlink_to("/etc/dovecot/listed.conf")
    listed = f"path\tname\tlast used\trunning\n{base}\tx\t2026-11-24\tyes\n/gone\ty\t2026-11-24\tno\n"

    assert (Path("/etc/dovecot/listed.conf"),) == await running(SaidBefore(output=listed), proc=tmp_path)
