import asyncio
import os
import signal
from dataclasses import replace

import pytest

from mailward.platforms.linux.ending import end, send
from mailward.platforms.linux.processes import look_at


@pytest.fixture
async def process():
    process = await asyncio.create_subprocess_exec("sleep", "60")
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_a_signal_goes_to_the_process_itself_and_not_to_its_number(process, monkeypatch):
    monkeypatch.delattr(os, "kill")  # it takes a number, which may be somebody else's by now

    send(signal.SIGTERM, look_at(process.pid))

    async with asyncio.timeout(10):
        assert -signal.SIGTERM == await process.wait()


async def test_another_process_of_that_number_is_left_alone(process):
    seen = look_at(process.pid)

    await end((replace(seen, started_ticks=seen.started_ticks - 1),), grace_s=0)

    assert look_at(process.pid).is_alive


async def test_nobody_is_signalled_once_it_is_gone(process):
    seen = look_at(process.pid)
    process.kill()
    await process.wait()

    send(signal.SIGTERM, seen)
