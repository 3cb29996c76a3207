import asyncio
import os
import signal
import sys

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.local.system_clock import SystemClock
from mailward.ports.service_control import ConfigurationCheck, ServiceDeed

#: A master that ends in order like Dovecot: it removes its pid file.
ORDERLY = "trap 'rm -f \"$0\"; exit 0' TERM; while :; do sleep 0.02; done"

#: Tests that were started by nohup have their children ignore SIGHUP, and no shell may trap what it was told to ignore.
HEARS = """
import pathlib, signal, sys
directory = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
(directory / "ready").touch()
(directory / "heard").write_text(signal.sigwait({signal.SIGHUP}).name)
signal.pause()
"""


@pytest.fixture
async def master(tmp_path):
    """A running master and its pid file."""
    pid_file = tmp_path / "master.pid"
    process = await asyncio.create_subprocess_exec("sh", "-c", ORDERLY, str(pid_file))
    pid_file.write_text(f"{process.pid}\n")
    yield process, pid_file
    if process.returncode is None:
        process.kill()
        await process.wait()


async def status_of(pid_file):
    return await PidFileService(pid_file).status()


async def until(pid_file, state):
    async with asyncio.timeout(30):
        while (status := await status_of(pid_file)).state is not state:
            await asyncio.sleep(0.005)
    return status


async def test_a_running_master(master):
    process, pid_file = master

    status = await status_of(pid_file)

    assert (ServiceState.RUNNING, process.pid) == (status.state, status.pid)
    assert abs((SystemClock().now() - status.since).total_seconds()) < 5


async def test_a_master_stopped_by_a_signal_hangs(master):
    process, pid_file = master
    process.send_signal(signal.SIGSTOP)

    status = await until(pid_file, ServiceState.HUNG)

    assert "was stopped by a signal" in status.because


async def test_a_master_that_was_killed_has_failed(master):
    process, pid_file = master
    process.kill()
    await process.wait()

    assert ServiceState.FAILED == (await status_of(pid_file)).state


async def test_a_master_that_was_asked_to_end_was_stopped_on_purpose(master):
    process, pid_file = master

    await PidFileService(pid_file).stop()

    await process.wait()
    assert ServiceState.STOPPED == (await status_of(pid_file)).state


async def test_without_a_pid_file_nothing_says_that_it_failed(tmp_path):
    assert ServiceState.STOPPED == (await status_of(tmp_path / "nosuch")).state


async def test_a_pid_that_now_belongs_to_another_process_is_not_the_master(tmp_path):
    pid_file = tmp_path / "master.pid"
    pid_file.write_text(str(os.getpid()))
    os.utime(pid_file, (0, 0))  # written long before this process began

    assert ServiceState.FAILED == (await status_of(pid_file)).state


async def test_a_pid_file_of_nonsense_is_unknown_not_down(tmp_path):
    (tmp_path / "master.pid").write_text("hello")

    with pytest.raises(TemporaryFailure, match="holds no process number"):
        await status_of(tmp_path / "master.pid")


async def test_its_end_is_told_at_once_and_only_once(master):
    process, pid_file = master
    exits = PidFileService(pid_file).exits()
    waiting = asyncio.ensure_future(anext(exits))
    await asyncio.sleep(0.01)

    process.kill()
    async with asyncio.timeout(30):
        status = await waiting
    await process.wait()
    again = asyncio.ensure_future(anext(exits))
    done, _ = await asyncio.wait([again], timeout=1.2)

    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    assert (ServiceState.FAILED, set()) == (status.state, done)


async def test_what_cannot_be_started_is_not_stopped_either(master):
    process, pid_file = master

    with pytest.raises(Refused, match="does not say how to start"):
        await PidFileService(pid_file).restart()

    assert process.returncode is None


async def test_starting_a_running_service_changes_nothing(master):
    _, pid_file = master

    await PidFileService(pid_file).start()


async def test_reloading_what_does_not_run_is_refused(tmp_path):
    with pytest.raises(Refused, match="it does not run"):
        await PidFileService(tmp_path / "nosuch").reload()


@pytest.mark.parametrize("deed", [ServiceDeed.START, ServiceDeed.RESTART, ServiceDeed.ENABLE])
def test_what_a_pid_file_cannot_do_has_no_words(deed, tmp_path):
    with pytest.raises(Refused, match="not available on this platform: .* does not say how to start"):
        PidFileService(tmp_path / "master.pid").command(deed)


@pytest.mark.parametrize(("deed", "name"), [(ServiceDeed.STOP, "SIGTERM"), (ServiceDeed.RELOAD, "SIGHUP")])
def test_a_deed_is_a_signal_to_the_process_of_the_file(deed, name, tmp_path):
    assert ("pidfile", f"{tmp_path}/p", name) == PidFileService(tmp_path / "p").command(deed)


async def test_a_reload_sends_the_signal_that_a_rehearsal_shows(tmp_path):
    heard = tmp_path / "heard"
    process = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", HEARS, str(tmp_path))
    (tmp_path / "p").write_text(str(process.pid))
    service = PidFileService(tmp_path / "p")
    try:
        async with asyncio.timeout(30):
            while not (tmp_path / "ready").exists():
                await asyncio.sleep(0.005)
            await service.reload()
            while not heard.exists() or not heard.read_text():
                await asyncio.sleep(0.005)
    finally:
        process.kill()
        await process.wait()

    assert service.command(ServiceDeed.RELOAD)[-1] == heard.read_text().strip()


async def test_the_configuration_that_is_checked_is_the_running_masters(master):
    _, pid_file = master
    asked = []

    async def check(argv):
        asked.append(argv[0])
        return ConfigurationCheck(is_valid=True, because="so it is")

    await PidFileService(pid_file, check=check).check_configuration()

    assert ["sh"] == asked
