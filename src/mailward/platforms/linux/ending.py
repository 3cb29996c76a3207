"""Ending exactly the processes meant, known by pid and start and held by pidfd: a reused number hits nobody else."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress

from mailward.model.errors import Refused
from mailward.platforms.linux.processes import Process, look_at, wait_for_end


def is_same(process: Process) -> bool:
    """Whether this very process still lives."""
    now = look_at(process.pid)
    return now is not None and now.is_alive and now.started_ticks == process.started_ticks


def send(number: signal.Signals, process: Process) -> None:
    """
    Send a signal to this very process, if it still lives.

    Raises:
        Refused: It belongs to another user.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if is_same(process):  # whoever gets its number from here on, the descriptor is this very process
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise Refused(
            f"mailward may not send {number.name} to process {process.pid}: it belongs to another user"
        ) from error
    finally:
        os.close(descriptor)


async def wait_until_ended(processes: Sequence[Process], *, seconds: float) -> bool:
    """Wait for all of them, at most that long; whether they have ended."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(wait_for_end(process.pid) for process in processes if is_same(process)))
    return not any(is_same(process) for process in processes)


async def end(processes: Sequence[Process], *, grace_s: float) -> None:
    """
    Ask them to end, and after *grace_s* seconds make them.

    Raises:
        Refused: One belongs to another user.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            send(number, process)
        if await wait_until_ended(processes, seconds=grace_s):
            return
