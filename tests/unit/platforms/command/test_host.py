import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.command.host import CommandHost

COMMANDS = {"restart-server": ("virsh", "reboot", "mbx1"), "boot-id": ("boot-of", "mbx1")}


def by_commands(commands, runner):
    return CommandHost(commands, looking=runner, doing=runner)


async def test_a_restart_runs_the_very_argv_that_a_rehearsal_shows(recording):
    runner = recording()
    host = by_commands(COMMANDS, runner)

    await host.restart()

    assert [("virsh", "reboot", "mbx1")] == runner.argvs
    assert ("virsh", "reboot", "mbx1") == host.command()


async def test_the_boot_id_is_what_is_printed(recording, ended):
    assert "2026-11-24 12:00" == await by_commands(COMMANDS, recording(ended(0, "2026-11-24 12:00\n"))).boot_id()


@pytest.mark.parametrize("said", [(1, "x"), (0, ""), (255, "")])
async def test_without_an_answer_the_boot_is_unknown(said, recording, ended):
    with pytest.raises(TemporaryFailure, match="boot-of mbx1"):
        await by_commands(COMMANDS, recording(ended(*said))).boot_id()


async def test_a_refused_restart_says_why(recording, ended):
    with pytest.raises(Refused, match="virsh reboot mbx1: no domain with that name"):
        await by_commands(COMMANDS, recording(ended(1, errors="no domain with that name\n"))).restart()


async def test_what_is_not_configured_is_not_available(recording):
    host = by_commands({}, recording())

    with pytest.raises(Refused, match="commands.restart-server is not configured"):
        await host.restart()
    with pytest.raises(TemporaryFailure, match="commands.boot-id is not configured"):
        await host.boot_id()
