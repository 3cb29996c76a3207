"""What a server's IMAP service is set to, as far as known, and where from."""

from datetime import timedelta

import pytest

from mailward.config.imap_setting import ImapSetting
from mailward.config.imap_settings import imap_settings
from mailward.model.errors import NotFound, TemporaryFailure
from mailward.platforms.commands import Finished
from mailward.testing.platform import SetClock
from mailward.testing.protocol_log import MemoryProtocolLog

TEXT = """
[organization]
name = "example"

[templates.dovecot]
platform = "dovecot"

[groups.all]
servers = ["*"]
template = "dovecot"

[servers.be1]
roles = ["mailbox"]
imap.host = "be1.example.org"
known_as = ["be1.example.org"]
host.doveadm = "/etc/dovecot/dovecot.conf"

[servers.be2]
roles = ["mailbox"]
platform = "imap"

[servers.proxy1]
roles = ["proxy"]
imap.port = 1993
host.reach = "ssh:mailward@proxy1.example.org"
host.service = "systemd:dovecot.service"

[access_points.mail]
imap.host = "imap.example.org"
servers = ["proxy1"]
"""
OLD = """\
listen = *, ::
ssl = yes
ssl_cert = </nosuch/imap.pem
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = yes
auth_mechanisms = plain login
login_greeting = Ready.
mail_max_userip_connections = 20
imap_max_line_length = 64 k
default_process_limit = 100
default_client_limit = 1000
service imap-login {
  client_limit = 0
  process_limit = 0
  service_count = 1
  inet_listener imap {
    port = 143
  }
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
service imap {
  client_limit = 1
  process_limit = 1024
}
"""
NEW = """\
ssl_server_cert_file = /nosuch/new.pem
auth_allow_cleartext = no
auth_mechanisms {
  plain = yes
}
"""


class Saying:
    """A doveconf that says one thing."""

    def __init__(self, said: str | Exception) -> None:
        self.said = said
        self.asked = 0

    async def run(self, argv, *, timeout):
        self.asked += 1
        if isinstance(self.said, Exception):
            raise self.said
        return Finished(status=0, output=self.said, errors="")


@pytest.fixture
def settings(write):
    async def of(server: str, said: str | Exception = OLD) -> dict[str, ImapSetting]:
        rows = await imap_settings(write(TEXT), server, runner=Saying(said))
        return {row.setting: row for row in rows}

    return of


def said(rows: dict[str, ImapSetting], *names: str) -> list[str | None]:
    return [rows[name].value for name in names]


async def test_the_configuration_says_how_a_server_is_reached_and_where_that_stands(settings):
    rows = await settings("proxy1")

    assert ["proxy1:1993 (tls)", "mail: imap.example.org:993 (tls)", "15s"] == said(
        rows, "Endpoint", "AccessPoint", "BackendTimeout"
    )
    assert "mailward.toml:24" == rows["Endpoint"].origin
    assert "mailward.toml:29" == rows["AccessPoint"].origin
    assert "default" == rows["BackendTimeout"].origin
    assert "InternalConnectionSettings" == rows["Endpoint"].exchange
    assert (None, "not set") == (rows["LogFiles"].value, rows["LogFiles"].unknown)


async def test_a_dovecot_of_this_machine_says_the_rest(settings):
    rows = await settings("be1.example.org")

    assert ["*:993, [::]:993", "*:143, [::]:143", "no", "plain login", "Ready.", "20", "64 k"] == said(
        rows,
        "TlsBindings",
        "OtherBindings",
        "PlainTextLoginWithoutTls",
        "Mechanisms",
        "Banner",
        "MaxConnectionsPerUserAndAddress",
        "MaxCommandLine",
    )
    assert "process_limit 1024, client_limit 1" == rows["Sessions"].value
    assert "process_limit 100, client_limit 1000, service_count 1" == rows["Logins"].value
    assert "doveconf: login_greeting" == rows["Banner"].origin
    assert "/nosuch/imap.pem" == rows["CertificateFile"].value
    assert "cannot be read" in rows["CertificateNames"].origin


async def test_a_dovecot_2_4_says_it_by_its_own_names(settings):
    rows = await settings("be1", NEW)

    assert ["/nosuch/new.pem", "no", "plain"] == said(rows, "CertificateFile", "PlainTextLoginWithoutTls", "Mechanisms")
    assert "doveconf: auth_allow_cleartext" == rows["PlainTextLoginWithoutTls"].origin
    assert (None, "doveconf does not say login_greeting") == (rows["Banner"].value, rows["Banner"].origin)


@pytest.mark.parametrize(
    ("server", "because"),
    [("be2", "nothing reads it from the platform imap"), ("proxy1", "over ssh nothing reads it")],
)
async def test_what_nothing_reads_is_not_available_and_nobody_is_asked(write, server, because):
    runner = Saying(OLD)

    rows = {row.setting: row for row in await imap_settings(write(TEXT), server, runner=runner)}

    banner = rows["Banner"]
    assert (None, "not available on this platform", because) == (banner.value, banner.unknown, banner.origin)
    assert 0 == runner.asked


async def test_a_dovecot_that_cannot_be_asked_says_why(settings):
    rows = await settings("be1", TemporaryFailure("doveconf cannot be started: no such file"))

    assert (None, "doveconf cannot be started: no such file") == (rows["Banner"].value, rows["Banner"].origin)
    assert "be1.example.org:993 (tls)" == rows["Endpoint"].value


async def test_a_dovecot_whose_file_nobody_names_says_which_key_would(write):
    text = TEXT.replace('host.doveadm = "/etc/dovecot/dovecot.conf"\n', "")

    rows = {row.setting: row for row in await imap_settings(write(text), "be1", runner=Saying(OLD))}

    assert "servers.be1.host.doveadm does not name its dovecot.conf" == rows["Banner"].origin


async def test_what_no_setting_says_and_what_comes_later_is_not_made_up(settings):
    rows = await settings("be1")

    assert [None, None, None] == said(rows, "IdleTimeout", "LoginTimeout", "ProtocolLog")
    assert "ProtocolLogEnabled" == rows["ProtocolLog"].exchange


@pytest.mark.parametrize(
    ("trouble", "value", "location", "origin"),
    [
        ("", "yes", "/run/rawlog", "its host"),
        ("unavailable_because", None, None, "no rawlog_dir"),
        ("silent_because", None, None, "no rawlog_dir"),
    ],
)
async def test_whether_the_protocol_log_is_on_its_host_says(write, trouble, value, location, origin):
    log = MemoryProtocolLog("be1", ("health",), clock=SetClock())
    await log.on(("health",), until=SetClock().now() + timedelta(minutes=5))
    if trouble:
        setattr(log, trouble, "no rawlog_dir")

    found = await imap_settings(write(TEXT), "be1", runner=Saying(OLD), logs={"be1": log})

    rows = {row.setting: row for row in found}
    assert [value, location] == said(rows, "ProtocolLog", "ProtocolLogLocation")
    assert origin == rows["ProtocolLog"].origin


async def test_an_unknown_server_names_the_nearest(settings):
    with pytest.raises(NotFound, match="did you mean 'be1'"):
        await settings("be11")


async def test_no_setting_stands_twice(settings, write):
    rows = await imap_settings(write(TEXT), "be1", runner=Saying(OLD))

    names = [row.setting for row in rows]
    assert sorted(set(names)) == sorted(names)
    assert {"be1"} == {row.server for row in rows}
