import asyncio
import os
import signal
from datetime import timedelta

from mailward.platforms.linux.processes import children, find_stuck, look_at, started_at, wait_for_end
from mailward.platforms.local.system_clock import SystemClock


async def a_process():
    return await asyncio.create_subprocess_exec("sleep", "60")


async def end(process):
    process.kill()
    await process.wait()


def test_a_number_nobody_has_is_nobody():
    assert look_at(2**22 + 1) is None


async def test_a_process_is_seen_with_its_parent_and_title():
    process = await a_process()
    try:
        seen = look_at(process.pid)
        assert (os.getpid(), True) == (seen.parent, seen.is_alive)
        assert process.pid in [child.pid for child in children(os.getpid())]
        async with asyncio.timeout(30):
            while "sleep 60" != look_at(process.pid).title:
                await asyncio.sleep(0.001)
    finally:
        await end(process)


async def test_when_it_started():
    process = await a_process()
    try:
        away = SystemClock().now() - started_at(look_at(process.pid))
        assert timedelta(seconds=-2) < away < timedelta(seconds=5)
    finally:
        await end(process)


async def test_a_process_stopped_by_a_signal_is_stuck_and_not_in_the_kernel():
    process = await a_process()
    try:
        process.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(30):
            while (stuck := await find_stuck([look_at(process.pid)])) is None:
                await asyncio.sleep(0.001)
        assert (False, "sleep was stopped by a signal") == (stuck.in_kernel, stuck.because)
    finally:
        await end(process)


async def test_a_process_that_waits_for_something_to_do_is_not_stuck():
    process = await a_process()
    try:
        assert await find_stuck([look_at(process.pid)]) is None
    finally:
        await end(process)


async def test_the_end_of_a_process_is_told_at_once():
    process = await a_process()
    waiting = asyncio.create_task(wait_for_end(process.pid))
    await asyncio.sleep(0)

    process.kill()

    async with asyncio.timeout(30):
        await waiting
    await process.wait()


async def test_the_end_of_nobody_has_come_already():
    async with asyncio.timeout(30):
        await wait_for_end(2**22 + 1)
