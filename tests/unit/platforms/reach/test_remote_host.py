import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import Finished
from mailward.platforms.reach.mailward_host import Host
from mailward.platforms.reach.remote_host import RemoteHost


async def test_a_restart_runs_the_very_argv_that_a_rehearsal_shows(mailward_host, other_end):
    host = RemoteHost(mailward_host)

    await host.restart()

    assert [host.command()] == other_end.ssh
    assert [("/usr/bin/sudo", "-n", "--", "/usr/bin/systemctl", "--no-ask-password", "reboot")] == other_end.ran


async def test_the_boot_id_is_the_other_kernels(mailward_host):
    assert "b1" == await RemoteHost(mailward_host).boot_id()


async def test_a_host_that_does_not_allow_it_is_not_restarted(mailward_host, other_end):
    other_end.host = Host(unit="dovecot.service", config="/x")

    with pytest.raises(Refused, match="does not allow its restart"):
        await RemoteHost(mailward_host).restart()
    assert [] == other_end.ran


async def test_a_systemd_that_says_no_is_a_refusal(mailward_host, other_end):
    other_end.finished["reboot"] = (1, "Operation inhibited by apt")

    with pytest.raises(Refused, match="Operation inhibited by apt"):
        await RemoteHost(mailward_host).restart()


async def test_a_host_that_is_down_is_unknown(mailward_host, other_end):
    other_end.lost = Finished(status=255, output="", errors="Connection refused")

    with pytest.raises(TemporaryFailure, match="Connection refused"):
        await RemoteHost(mailward_host).boot_id()
