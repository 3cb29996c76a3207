import asyncio
import os
import signal

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.local.system_clock import SystemClock

#: A master that ends in order like Dovecot: it removes its pid file.
ORDERLY = "trap 'rm -f \"$0\"; exit 0' TERM; while :; do sleep 0.02; done"


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
    async with asyncio.timeout(5):
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
    async with asyncio.timeout(5):
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
