import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.systemd.host import SystemdHost


async def test_a_restart_runs_the_very_argv_that_a_rehearsal_shows(recording):
    runner = recording()
    host = SystemdHost(runner)

    await host.restart()

    assert [("systemctl", "--no-ask-password", "reboot")] == runner.argvs
    assert host.command() == runner.argvs[0]


async def test_a_refusal_is_told_in_systemds_words(recording, ended):
    runner = recording(ended(1, errors="Operation inhibited by apt\n"))

    with pytest.raises(Refused, match="Operation inhibited by apt"):
        await SystemdHost(runner).restart()


async def test_the_boot_id_is_the_kernels(recording, tmp_path):
    (tmp_path / "boot_id").write_text("b1\n")

    assert "b1" == await SystemdHost(recording(), boot_id=tmp_path / "boot_id").boot_id()


@pytest.mark.parametrize("text", [None, ""])
async def test_without_the_kernels_answer_it_is_unknown(text, recording, tmp_path):
    if text is not None:
        (tmp_path / "boot_id").write_text(text)

    with pytest.raises(TemporaryFailure):
        await SystemdHost(recording(), boot_id=tmp_path / "boot_id").boot_id()
