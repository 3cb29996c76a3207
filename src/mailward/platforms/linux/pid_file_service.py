"""
A service on this machine of which nothing is known but its pid file: "pidfile:/run/dovecot/master.pid".

Dovecot removes the file when it ends in order and leaves it behind when it is killed (field notes §E), which tells
*stopped on purpose* from *failed*. How to start the service a pid file does not say: that is refused.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.platforms.linux.processes import (
    Process,
    children,
    find_stuck,
    look_at,
    started_at,
    wait_for_end,
)

#: The processes without which nobody can log in; a session that waits is not the service being hung.
VITAL = ("dovecot", "imap-login", "auth", "master")
#: How much later than its pid file a process may seem to have started: the kernel's and the file's clocks are coarse.
_SLACK = timedelta(seconds=2)
_LOOK_AGAIN_S = 0.5
_STOP_GRACE_S = 5.0
_SESSION_GRACE_S = 1.0


class PidFileService:
    """The ServiceControl port by a pid file, /proc and pidfd."""

    def __init__(self, pid_file: Path) -> None:
        """Nothing is looked at yet."""
        self._pid_file = pid_file

    async def status(self) -> ServiceStatus:
        """
        Look at the service now.

        Raises:
            TemporaryFailure: The pid file cannot be read, or holds no number.
        """
        pid = self._read()
        if pid is None:
            return ServiceStatus(
                state=ServiceState.STOPPED, because=f"there is no {self._pid_file}: it ended in order or never started"
            )
        process = self._master(pid)
        if process is None:
            return ServiceStatus(
                state=ServiceState.FAILED,
                because=f"process {pid} did not end in order: it is gone, its {self._pid_file} is still there",
            )
        stuck = await find_stuck([process, *(child for child in children(pid) if child.name in VITAL)])
        return ServiceStatus(
            state=ServiceState.HUNG if stuck else ServiceState.RUNNING,
            because=stuck.because if stuck else f"{process.name} runs as process {pid}",
            since=started_at(process),
            pid=pid,
            in_kernel=stuck is not None and stuck.in_kernel,
        )

    async def exits(self) -> AsyncIterator[ServiceStatus]:
        """
        Yield the status whenever the master ends; at once when it is not running to begin with.

        Raises:
            TemporaryFailure: The pid file cannot be read.
        """
        told: int | None = -1
        while True:
            pid = self._read()
            if pid is not None and self._master(pid) is not None:
                await wait_for_end(pid)
                told = -1
            if told == -1:
                status = await self.status()
                if status.state in (ServiceState.FAILED, ServiceState.STOPPED):
                    told = pid
                    yield status
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def start(self) -> None:
        """Refused unless it runs: a pid file does not say how to start what it belongs to."""
        if (await self.status()).pid is None:
            raise Refused(f"{self._pid_file} does not say how to start the service; configure systemd:UNIT instead")

    async def restart(self) -> None:
        """Refused: what could not be started again must not be stopped."""
        raise Refused(f"{self._pid_file} does not say how to start the service; configure systemd:UNIT instead")

    async def stop(self) -> None:
        """
        End the master, then the sessions it leaves behind (field notes §E).

        Raises:
            TemporaryFailure: It did not end.
        """
        pid = self._read()
        master = self._master(pid) if pid is not None else None
        if master is None:
            return
        left = children(master.pid)
        _send(signal.SIGTERM, master)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_GRACE_S):
                await wait_for_end(master.pid)
        if _is_same(master):
            raise TemporaryFailure(f"process {master.pid} did not end within {_STOP_GRACE_S:.0f} s of SIGTERM")
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in left:
                _send(number, process)
            with suppress(TimeoutError):
                async with asyncio.timeout(_SESSION_GRACE_S):
                    await asyncio.gather(*(wait_for_end(process.pid) for process in left if _is_same(process)))

    async def reload(self) -> None:
        """
        Have the service read its configuration again (SIGHUP).

        Raises:
            Refused: It does not run.
        """
        pid = self._read()
        master = self._master(pid) if pid is not None else None
        if master is None:
            raise Refused(f"it does not run: {(await self.status()).because}")
        _send(signal.SIGHUP, master)

    def _read(self) -> int | None:
        try:
            text = self._pid_file.read_text().strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TemporaryFailure(f"{self._pid_file} cannot be read: {error.strerror or error}") from error
        if not text.isdigit():
            raise TemporaryFailure(f"{self._pid_file} holds no process number")
        return int(text)

    def _master(self, pid: int) -> Process | None:
        """The process, unless the number now belongs to another one, which started after the file was written."""
        process = look_at(pid)
        if process is None or not process.is_alive:
            return None
        try:
            written = datetime.fromtimestamp(self._pid_file.stat().st_mtime, UTC)
        except OSError:
            return None
        return process if started_at(process) <= written + _SLACK else None


def _is_same(process: Process) -> bool:
    now = look_at(process.pid)
    return now is not None and now.is_alive and now.started_ticks == process.started_ticks


def _send(number: signal.Signals, process: Process) -> None:
    if not _is_same(process):
        return
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise Refused(
            f"mailward may not send {number.name} to process {process.pid}: it belongs to another user"
        ) from error
