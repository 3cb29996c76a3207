import json
from datetime import UTC, datetime, timedelta

import pytest

from mailward.model.errors import PermanentFailure, Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.commands import Finished
from mailward.platforms.reach.remote_service import RemoteService
from mailward.ports.service_control import ServiceDeed


@pytest.fixture
def service(mailward_host):
    return RemoteService("dovecot", mailward_host, look_again=timedelta(0))


def deeds(other_end):
    """What was run there as root."""
    return [argv[3:] for argv in other_end.ran if "sudo" in argv[0]]


async def test_a_running_unit(service, other_end, a_process):
    a_process(4711, "dovecot", "S", 1)
    other_end.properties["MainPID"] = "4711"

    status = await service.status()

    assert (ServiceState.RUNNING, 4711, datetime.fromtimestamp(1795480929, UTC)) == (
        status.state,
        status.pid,
        status.since,
    )


@pytest.mark.parametrize(("state", "in_kernel"), [("T", False), ("D", True)])
async def test_a_unit_whose_processes_do_not_run_hangs(state, in_kernel, service, other_end, a_process):
    a_process(4711, "dovecot", "S", 1)
    a_process(4712, "imap-login", state, 4711)
    other_end.properties["MainPID"] = "4711"

    status = await service.status()

    assert (ServiceState.HUNG, in_kernel) == (status.state, status.in_kernel)
    assert "imap-login" in status.because


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"ActiveState": "failed", "SubState": "failed", "Result": "signal"}, ServiceState.FAILED),
        ({"ActiveState": "inactive", "SubState": "dead"}, ServiceState.STOPPED),
    ],
)
async def test_the_states_are_systemds(properties, expected, service, other_end):
    other_end.properties |= properties

    assert expected == (await service.status()).state


async def test_an_end_is_found_out_by_asking_again(service, other_end, a_process):
    a_process(4711, "dovecot", "S", 1)
    other_end.properties["MainPID"] = "4711"
    exits = service.exits()
    await service.status()
    other_end.properties |= {"ActiveState": "failed", "SubState": "failed", "Result": "signal", "MainPID": "0"}

    assert ServiceState.FAILED == (await anext(exits)).state
    await exits.aclose()


@pytest.mark.parametrize("deed", list(ServiceDeed))
async def test_a_deed_runs_the_very_argv_that_a_rehearsal_shows(deed, service, other_end):
    await getattr(service, deed.value)()

    assert service.command(deed) == other_end.ssh[-1]
    assert [("/usr/bin/systemctl", "--no-ask-password", deed.value, "--", "dovecot.service")] == deeds(other_end)


async def test_a_unit_systemd_has_given_up_on_is_forgiven_first(service, other_end):
    other_end.properties["Result"] = "start-limit-hit"

    await service.start()

    assert ["reset-failed", "start"] == [argv[2] for argv in deeds(other_end)]


async def test_a_key_that_may_only_look_does_nothing(service, other_end):
    other_end.read_only = True

    with pytest.raises(Refused, match="this key may only look"):
        await service.restart()
    assert [] == deeds(other_end)
    assert ServiceState.RUNNING == (await service.status()).state


async def test_a_deed_that_fails_there_says_why(service, other_end):
    other_end.finished["start"] = (1, "Job for dovecot.service failed.")

    with pytest.raises(PermanentFailure, match="Job for dovecot.service failed"):
        await service.start()


async def test_an_answer_that_is_lost_leaves_it_unknown_whether_it_was_done(service, other_end):
    other_end.lost = TemporaryFailure("ssh did not end within 110 s")

    with pytest.raises(TemporaryFailure):
        await service.reload()


async def test_another_unit_there_than_here_is_neither_looked_at_nor_touched(mailward_host, other_end):
    service = RemoteService("postfix.service", mailward_host)

    for deed in (service.status, service.start, service.restart, service.others_at_work):
        with pytest.raises(TemporaryFailure, match="is set up for dovecot.service, not for postfix.service"):
            await deed()
    assert [] == deeds(other_end)


@pytest.mark.parametrize(
    ("finished", "expected"),
    [
        ((0, ""), True),
        ((89, "Error in configuration file x line 7"), False),
        ((1, "sudo: a password is required"), None),
    ],
)
async def test_the_configuration_there_is_checked_there(finished, expected, service, other_end):
    other_end.finished["/usr/bin/doveconf"] = finished

    check = await service.check_configuration()

    assert expected is check.is_valid
    assert ["/usr/bin/doveconf"] == [argv[0] for argv in deeds(other_end)]


async def test_others_there_are_at_work(service, other_end):
    assert () == await service.others_at_work()

    other_end.properties |= {"ActiveState": "activating", "SubState": "auto-restart"}

    assert ("systemd restarts dovecot.service itself (Restart=)",) == await service.others_at_work()


@pytest.mark.parametrize(
    "nonsense",
    [
        {"status": "x"}, {"status": None}, {"output": ["x"]}, {"output": "MainPID=4711"}, {"stuck": 7},
        {"stuck": ["abc"]}, {"stuck": [["imap"]]}, {"unit": ["dovecot.service"]}, {"unit": None},
        {"output": "LoadState=loaded\nActiveState=active\nMainPID=many\n"},
        {"output": "LoadState=loaded\nActiveState=active\nMainPID=²\n"},
        {"output": f"LoadState=loaded\nActiveState=active\nMainPID={'9' * 5000}\n"},
    ],
)  # fmt: skip
async def test_a_status_of_nonsense_is_unknown_not_down(nonsense, service, other_end):
    answer = {"ok": True, "status": 0, "unit": "dovecot", "output": "LoadState=loaded\nActiveState=active\n"}
    other_end.lost = Finished(status=0, output=json.dumps(answer | nonsense), errors="")

    with pytest.raises(TemporaryFailure):
        await service.status()


async def test_moments_and_counters_of_nonsense_say_nothing(service, other_end):
    other_end.properties |= {"ExecMainStartTimestamp": "@9" * 99, "StateChangeTimestamp": "@²", "NRestarts": "9" * 5000}

    status = await service.status()

    assert (ServiceState.RUNNING, None, None) == (status.state, status.since, status.starts)


async def test_an_answer_that_does_not_say_who_is_at_work_is_unknown_not_nobody(service, other_end):
    other_end.lost = Finished(status=0, output='{"ok": true, "unit": "dovecot.service"}', errors="")

    with pytest.raises(TemporaryFailure, match="does not say who else is at work"):
        await service.others_at_work()
