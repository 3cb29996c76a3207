"""systemd by its documented output: systemctl(1) `show`, org.freedesktop.systemd1(5)."""

import asyncio
import os
from collections import deque
from datetime import UTC, datetime

import pytest

from mailward.model.errors import PermanentFailure, Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.commands import Finished
from mailward.platforms.healers import Healers
from mailward.platforms.systemd.systemd_service import SystemdService
from mailward.ports.service_control import ConfigurationCheck, ServiceDeed


def shown(**properties):
    known = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "Result": "success",
        "MainPID": "0",
        "NRestarts": "0",
        "StateChangeTimestamp": "@1795480929",
    }
    return Finished(
        status=0, output="".join(f"{key}={value}\n" for key, value in (known | properties).items()), errors=""
    )


class ReplayedSystemctl:
    """Plays answers of systemctl; the last one again and again."""

    def __init__(self, *answers):
        self.answers = deque(answers)
        self.argvs = []

    async def run(self, argv, *, timeout):
        self.argvs.append(tuple(argv))
        await asyncio.sleep(0)
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]


async def status_of(**properties):
    return await SystemdService("dovecot.service", ReplayedSystemctl(shown(**properties))).status()


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"MainPID": str(os.getpid())}, ServiceState.RUNNING),
        ({"ActiveState": "reloading", "SubState": "reload"}, ServiceState.RUNNING),
        ({"ActiveState": "inactive", "SubState": "dead"}, ServiceState.STOPPED),
        ({"ActiveState": "deactivating", "SubState": "stop-sigterm"}, ServiceState.STOPPED),
        ({"ActiveState": "failed", "SubState": "failed", "Result": "signal"}, ServiceState.FAILED),
        ({"ActiveState": "failed", "SubState": "failed", "Result": "exit-code"}, ServiceState.FAILED),
        ({"ActiveState": "activating", "SubState": "auto-restart", "Result": "signal"}, ServiceState.FAILED),
        ({"ActiveState": "inactive", "SubState": "dead", "Result": "oom-kill"}, ServiceState.FAILED),
        ({"ActiveState": "activating", "SubState": "start"}, ServiceState.RUNNING),
        ({"ActiveState": "maintenance", "SubState": "maintenance"}, ServiceState.UNKNOWN),
    ],
)
async def test_the_state_of_a_unit(properties, expected):
    status = await status_of(**properties)

    assert expected == status.state
    assert "dovecot.service" in status.because or "python" in status.because


async def test_since_when_and_how_often_it_was_started():
    status = await status_of(NRestarts="2")

    assert (datetime.fromtimestamp(1795480929, UTC), 3) == (status.since, status.starts)


@pytest.mark.parametrize("load_state", ["not-found", "bad-setting", "error"])
async def test_a_unit_that_does_not_exist_is_unknown_not_down(load_state):
    with pytest.raises(TemporaryFailure, match="no usable unit"):
        await status_of(LoadState=load_state, ActiveState="inactive")


async def test_a_systemctl_that_fails_is_unknown_not_down():
    runner = ReplayedSystemctl(Finished(status=1, output="", errors="Failed to connect to bus\n"))

    with pytest.raises(TemporaryFailure, match="Failed to connect to bus"):
        await SystemdService("dovecot", runner).status()


def asked_to(runner):
    return [argv for argv in runner.argvs if argv[1] != "show"]


@pytest.mark.parametrize("deed", list(ServiceDeed))
async def test_a_deed_is_one_fixed_argv_the_one_that_a_rehearsal_shows(deed):
    runner = ReplayedSystemctl(shown())
    service = SystemdService("dovecot.service", runner)

    await getattr(service, deed.value)()

    assert [service.command(deed)] == asked_to(runner)
    assert ("systemctl", "--no-ask-password", deed.value, "--", "dovecot.service") == service.command(deed)


@pytest.mark.parametrize("deed", [ServiceDeed.START, ServiceDeed.RESTART])
async def test_a_unit_systemd_has_given_up_on_is_forgiven_first(deed):
    runner = ReplayedSystemctl(shown(ActiveState="failed", SubState="failed", Result="start-limit-hit"))
    service = SystemdService("dovecot.service", runner)

    await getattr(service, deed.value)()

    forgiven = ("systemctl", "--no-ask-password", "reset-failed", "--", "dovecot.service")
    assert [forgiven, service.command(deed)] == asked_to(runner)


async def test_a_deed_that_is_not_allowed_says_why():
    runner = ReplayedSystemctl(shown(), Finished(status=4, output="", errors="Interactive authentication required.\n"))

    with pytest.raises(Refused, match="Interactive authentication required"):
        await SystemdService("dovecot", runner).restart()


async def test_a_start_that_failed_is_no_refusal():
    runner = ReplayedSystemctl(shown(), Finished(status=1, output="", errors="Job for dovecot.service failed.\n"))

    with pytest.raises(PermanentFailure, match=r"Job for dovecot.service failed\."):
        await SystemdService("dovecot", runner).start()


async def test_since_is_the_start_of_the_present_master_not_a_reload():
    status = await status_of(MainPID=str(os.getpid()), ExecMainStartTimestamp="@1795480001")

    assert datetime.fromtimestamp(1795480001, UTC) == status.since


async def others(**properties):
    nobody = Healers(packages=False)
    return await SystemdService("dovecot", ReplayedSystemctl(shown(**properties)), healers=nobody).others_at_work()


async def test_nobody_else_is_at_work_on_a_unit_that_simply_runs():
    assert () == await others()


@pytest.mark.parametrize("sub_state", ["auto-restart", "auto-restart-queued"])
async def test_systemd_about_to_restart_the_unit_is_another_healer(sub_state):
    assert ("systemd restarts dovecot itself (Restart=)",) == await others(ActiveState="activating", SubState=sub_state)


async def test_a_job_of_systemd_is_somebody_at_work():
    (said,) = await others(ActiveState="deactivating", SubState="stop-sigterm", Job="4711")

    assert "systemd has a job for dovecot under way" in said


async def test_a_mark_on_the_host_is_somebody_at_work(tmp_path):
    (tmp_path / "mark").touch()
    healers = Healers((str(tmp_path / "mark"),), packages=False)

    said = await SystemdService("dovecot", ReplayedSystemctl(shown()), healers=healers).others_at_work()

    assert (f"{tmp_path}/mark exists: another manager is at work",) == said


async def test_the_configuration_that_is_checked_is_the_one_of_exec_start():
    asked = []

    async def check(argv):
        asked.append(tuple(argv))
        return ConfigurationCheck(is_valid=True, because="so it is")

    runner = ReplayedSystemctl(
        shown(
            ExecStart="{ path=/usr/sbin/dovecot ; argv[]=/usr/sbin/dovecot -F -c /etc/x.conf ; ignore_errors=no ; "
            "start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }"
        )
    )
    await SystemdService("dovecot", runner, check=check).check_configuration()

    assert [("/usr/sbin/dovecot", "-F", "-c", "/etc/x.conf")] == asked


async def test_a_unit_of_which_nothing_more_is_known_cannot_be_checked():
    assert None is (await SystemdService("dovecot", ReplayedSystemctl(shown())).check_configuration()).is_valid


@pytest.mark.parametrize("unit", ["", "-x", "a b", "dovecot;reboot", "../x", "a" * 300])
def test_what_cannot_be_a_unit_is_refused(unit):
    with pytest.raises(Refused, match="cannot be the name"):
        SystemdService(unit, ReplayedSystemctl(shown()))


async def a_process():
    return await asyncio.create_subprocess_exec("sleep", "60")


async def test_the_end_of_the_main_process_is_told_at_once():
    process = await a_process()
    runner = ReplayedSystemctl(
        shown(MainPID=str(process.pid)),
        shown(ActiveState="failed", SubState="failed", Result="signal"),
    )
    exits = SystemdService("dovecot", runner).exits()
    waiting = asyncio.ensure_future(anext(exits))
    await asyncio.sleep(0)

    process.kill()

    async with asyncio.timeout(30):
        status = await waiting
    await process.wait()
    await exits.aclose()
    assert ServiceState.FAILED == status.state


async def test_a_service_systemd_started_again_by_itself_has_failed_all_the_same():
    first, second = await a_process(), await a_process()
    runner = ReplayedSystemctl(shown(MainPID=str(first.pid)), shown(MainPID=str(second.pid), NRestarts="1"))
    exits = SystemdService("dovecot", runner).exits()
    waiting = asyncio.ensure_future(anext(exits))
    await asyncio.sleep(0)

    first.kill()

    async with asyncio.timeout(30):
        status = await waiting
    second.kill()
    await asyncio.gather(first.wait(), second.wait())
    await exits.aclose()
    assert (ServiceState.FAILED, True) == (status.state, "started dovecot again" in status.because)
