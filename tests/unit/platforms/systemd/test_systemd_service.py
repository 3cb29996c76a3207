"""systemd by its documented output: systemctl(1) `show`, org.freedesktop.systemd1(5)."""

import asyncio
import os
from collections import deque
from datetime import UTC, datetime

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.commands import Finished
from mailward.platforms.systemd.systemd_service import SystemdService


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


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "reload"])
async def test_a_deed_is_one_fixed_argv(verb):
    runner = ReplayedSystemctl(Finished(status=0, output="", errors=""))

    await getattr(SystemdService("dovecot.service", runner), verb)()

    assert [("systemctl", "--no-ask-password", verb, "--", "dovecot.service")] == runner.argvs


async def test_a_deed_that_is_not_allowed_says_why():
    runner = ReplayedSystemctl(Finished(status=4, output="", errors="Interactive authentication required.\n"))

    with pytest.raises(Refused, match="Interactive authentication required"):
        await SystemdService("dovecot", runner).restart()


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

    async with asyncio.timeout(5):
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

    async with asyncio.timeout(5):
        status = await waiting
    second.kill()
    await asyncio.gather(first.wait(), second.wait())
    await exits.aclose()
    assert (ServiceState.FAILED, True) == (status.state, "started dovecot again" in status.because)
