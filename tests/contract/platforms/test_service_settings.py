"""What a real doveconf says of an IMAP service is understood, and holds no secret."""

import shutil
from dataclasses import asdict

import pytest

from mailward.platforms.commands import LocalRunner
from mailward.platforms.dovecot.listening import listeners
from mailward.platforms.dovecot.service_settings import service_settings

CONFIGURATION = """\
protocols = imap
listen = 127.0.0.1
ssl = no
doveadm_password = hunter2
mail_max_userip_connections = 11
protocol imap {
  mail_max_userip_connections = 42
}
service imap-login {
  inet_listener imap {
    port = 10143
  }
}
"""


async def test_the_settings_in_force_for_imap_are_read_and_no_other(tmp_path):
    if shutil.which("doveconf") is None:
        pytest.skip("dovecot is not installed")
    config = tmp_path / "dovecot.conf"
    config.write_text(CONFIGURATION)

    block = await service_settings(LocalRunner(), config)

    assert "42" == block.get("mail_max_userip_connections")
    assert "no" == block.get("ssl")
    assert 10143 in {one.port for one in listeners(block)}
    assert block.block("service", "imap").get("process_limit")
    assert "hunter2" not in str(asdict(block))
