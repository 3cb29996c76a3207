"""The settings of an IMAP service are asked for by name, so that nothing secret is ever printed."""

from pathlib import Path

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.commands import Finished
from mailward.platforms.dovecot.service_settings import NAMED, service_settings

FILE = Path("/etc/dovecot/dovecot.conf")
SECRETS = ("ssl_key", "doveadm_password", "passdb", "userdb", "plugin", "dict", "ssl_key_password", "doveadm_api_key")


async def test_only_settings_named_here_are_asked_for_and_none_that_could_be_a_secret(recording, ended):
    runner = recording(ended(output="login_greeting = Ready.\nssl = yes\n"))

    block = await service_settings(runner, FILE)

    ((_, *words),) = runner.argvs
    assert ["-c", str(FILE), "-f", "protocol=imap", *NAMED] == words
    assert not set(SECRETS) & set(words)
    assert ("Ready.", "yes") == (block.get("login_greeting"), block.get("ssl"))


async def test_a_version_that_refuses_a_name_is_asked_for_each_by_itself(ended):
    class Picky:
        async def run(self, argv, *, timeout):
            names = argv[5:]
            if set(names) & {"ssl_cert", "disable_plaintext_auth"}:
                return ended(89, errors="doveconf: Fatal: Unknown setting: ssl_cert")
            said = {"ssl_server_cert_file": "ssl_server_cert_file = /etc/cert.pem\n", "service": "service imap {\n}\n"}
            return ended(output="".join(said.get(name, "") for name in names))

    block = await service_settings(Picky(), FILE)

    assert "/etc/cert.pem" == block.get("ssl_server_cert_file")
    assert ["imap"] == [one.name for one in block.of_kind("service")]


async def test_a_file_that_cannot_be_read_says_so_in_dovecots_words(recording, ended):
    runner = recording(ended(89, errors="doveconf: Fatal: open(/etc/dovecot/dovecot.conf) failed: Permission denied"))

    with pytest.raises(TemporaryFailure, match="doveconf cannot read /etc/dovecot/dovecot.conf: .*Permission denied"):
        await service_settings(runner, FILE)


async def test_what_is_no_setting_is_not_understood(recording):
    runner = recording(Finished(status=0, output="what is this\n", errors=""))

    with pytest.raises(TemporaryFailure, match="is not understood"):
        await service_settings(runner, FILE)
