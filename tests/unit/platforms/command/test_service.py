from datetime import UTC, datetime

import pytest

from mailward.model.errors import PermanentFailure, Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.command.service import CommandService
from mailward.ports.service_control import ServiceDeed

COMMANDS = {verb: ("/opt/imap", verb, "all of it") for verb in ("status", "check", *(one.value for one in ServiceDeed))}


def a_service(runner, *, commands=COMMANDS):
    return CommandService(commands, looking=runner, doing=runner)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, ServiceState.RUNNING),
        (1, ServiceState.FAILED),
        (2, ServiceState.FAILED),
        (3, ServiceState.STOPPED),
        (4, ServiceState.UNKNOWN),
        (5, ServiceState.UNKNOWN),
        (127, ServiceState.UNKNOWN),
        (150, ServiceState.HUNG),
        (-9, ServiceState.UNKNOWN),
    ],
)
async def test_the_state_by_the_exit_status_of_an_init_script(status, expected, recording, ended):
    said = await a_service(recording(ended(status))).status()

    assert expected == said.state
    assert said.because


@pytest.mark.parametrize("status", [1, 2])
async def test_a_program_that_only_complains_has_failed_itself(status, recording, ended):
    said = await a_service(recording(ended(status, errors="/opt/imap: 12: imapctl: not found\n"))).status()

    assert ServiceState.UNKNOWN == said.state
    assert "imapctl: not found" in said.because


@pytest.mark.parametrize("status", [1, 2])
async def test_a_dead_service_may_be_complained_about_beside_an_answer(status, recording, ended):
    said = await a_service(recording(ended(status, output="imapd is dead\n", errors="warning: x\n"))).status()

    assert (ServiceState.FAILED, "imapd is dead") == (said.state, said.because)


async def test_what_more_the_output_says(recording, ended):
    runner = recording(ended(0, "the imapd is well\npid=4711\nsince=1795480929\nstarts=3\n"))

    said = await a_service(runner).status()

    assert ("the imapd is well", 4711, datetime.fromtimestamp(1795480929, UTC), 3) == (
        said.because,
        said.pid,
        said.since,
        said.starts,
    )


@pytest.mark.parametrize("output", ["pid=x\n", "since=999999999999999\n", "pid=\n", "\0\n", "x" * 10_000])
async def test_output_of_nonsense_says_nothing_more(output, recording, ended):
    said = await a_service(recording(ended(0, output))).status()

    assert (ServiceState.RUNNING, None, None) == (said.state, said.pid, said.since)
    assert len(said.because) <= 300


@pytest.mark.parametrize("deed", list(ServiceDeed))
async def test_a_deed_runs_the_very_argv_that_a_rehearsal_shows(deed, recording, ended):
    looking, doing = recording(ended(3)), recording()
    service = CommandService(COMMANDS, looking=looking, doing=doing)

    await getattr(service, deed.value)()

    assert [service.command(deed)] == doing.argvs
    assert ("/opt/imap", deed.value, "all of it") == service.command(deed)


async def test_a_running_service_is_not_started_again(recording, ended):
    looking, doing = recording(ended(0)), recording()

    await CommandService(COMMANDS, looking=looking, doing=doing).start()

    assert [] == doing.argvs


@pytest.mark.parametrize("deed", list(ServiceDeed))
async def test_what_is_not_configured_is_not_available_and_runs_nothing(deed, recording, ended):
    doing = recording()
    service = CommandService({"status": ("/opt/imap",)}, looking=recording(ended(3)), doing=doing)

    with pytest.raises(Refused, match=f"not available on this platform: commands.{deed.value} is not configured"):
        await getattr(service, deed.value)()
    assert [] == doing.argvs


async def test_a_deed_that_fails_says_why(recording, ended):
    with pytest.raises(PermanentFailure, match="/opt/imap reload all of it: no such service"):
        await a_service(recording(ended(1, errors="no such\n service\n"))).reload()


async def test_a_program_that_cannot_be_run_is_unknown_not_down(recording):
    with pytest.raises(TemporaryFailure):
        await a_service(recording(TemporaryFailure("it cannot be started"))).status()


@pytest.mark.parametrize(("status", "expected"), [(0, True), (1, False), (89, False)])
async def test_a_configuration_check_by_its_exit_status(status, expected, recording, ended):
    check = await a_service(recording(ended(status, errors="line 7: no"))).check_configuration()

    assert expected is check.is_valid
    assert expected or "line 7: no" in check.because


async def test_without_a_check_the_configuration_is_not_known(recording):
    check = await a_service(recording(), commands={"status": ("x",)}).check_configuration()

    assert (None, "commands.check is not configured") == (check.is_valid, check.because)
