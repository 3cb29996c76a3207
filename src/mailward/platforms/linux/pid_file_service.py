"""
A service on this machine of which nothing is known but its pid file: "pidfile:/run/dovecot/master.pid".

Dovecot removes the file when it ends in order and leaves it behind when it is killed (field notes §E), which tells
*stopped on purpose* from *failed*. How to start the service a pid file does not say: that is refused.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.platforms.configuration_checks import CheckConfiguration, cannot_check
from mailward.platforms.healers import Healers
from mailward.platforms.linux.ending import end, send, wait_until_ended
from mailward.platforms.linux.processes import Process, children, find_stuck, look_at, started_at, wait_for_end
from mailward.ports.service_control import ConfigurationCheck, ServiceDeed

#: The processes without which nobody can log in; a session that waits is not the service being hung.
VITAL = ("dovecot", "imap-login", "auth", "master")
#: How much later than its pid file a process may seem to have started: the kernel's and the file's clocks are coarse.
_SLACK = timedelta(seconds=2)
_LOOK_AGAIN_S = 0.5
_SIGNALS = {ServiceDeed.STOP: "SIGTERM", ServiceDeed.RELOAD: "SIGHUP"}
_NO_START = (
    "not available on this platform: {file} does not say how to start the service; configure systemd:UNIT, "
    "doveadm:CONFIG or command instead"
)
_STOP_GRACE_S = 5.0
_SESSION_GRACE_S = 1.0


class PidFileService:
    """The ServiceControl port by a pid file, /proc and pidfd."""

    def __init__(
        self, pid_file: Path, *, healers: Healers | None = None, check: CheckConfiguration = cannot_check
    ) -> None:
        """
        Nothing is looked at yet.

        Args:
            pid_file: The file.
            healers: Who else may be at work on this machine.
            check: Checks the service's configuration.
        """
        self._pid_file = pid_file
        self._healers = Healers() if healers is None else healers
        self._check = check

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
        if process is None and self._read() != pid:
            return await self.status()  # it ended in order, or was started anew, since the file was read
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

    async def exits(self) -> AsyncGenerator[ServiceStatus, None]:
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
                if status.state.has_ended:
                    told = pid
                    yield status
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def start(self) -> None:
        """Refused unless it runs: a pid file does not say how to start what it belongs to."""
        if (await self.status()).pid is None:
            self.command(ServiceDeed.START)

    async def restart(self) -> None:
        """Refused: what could not be started again must not be stopped."""
        self.command(ServiceDeed.RESTART)

    async def stop(self) -> None:
        """
        End the master, then the sessions it leaves behind (field notes §E).

        Raises:
            TemporaryFailure: It did not end.
        """
        master = self.master()
        if master is None:
            return
        left = children(master.pid)
        send(self._signal(ServiceDeed.STOP), master)
        if not await wait_until_ended((master,), seconds=_STOP_GRACE_S):
            raise TemporaryFailure(f"process {master.pid} did not end within {_STOP_GRACE_S:.0f} s of SIGTERM")
        await end(left, grace_s=_SESSION_GRACE_S)

    async def reload(self) -> None:
        """
        Have the service read its configuration again (SIGHUP).

        Raises:
            Refused: It does not run.
        """
        master = self.master()
        if master is None:
            raise Refused(f"it does not run: {(await self.status()).because}")
        send(self._signal(ServiceDeed.RELOAD), master)

    async def enable(self) -> None:
        """Refused: a pid file starts nothing."""
        self.command(ServiceDeed.ENABLE)

    async def check_configuration(self) -> ConfigurationCheck:
        """
        Check the configuration of the master, by its command line, or of the one that would usually be started.

        Raises:
            TemporaryFailure: The check cannot be run, or the pid file not be read.
        """
        master = self.master()
        return await self._check(() if master is None else tuple(master.title.split()))

    async def others_at_work(self) -> tuple[str, ...]:
        """
        Who else is at work on this machine.

        Raises:
            TemporaryFailure: It cannot be looked at.
        """
        return await self._healers.at_work()

    def command(self, deed: ServiceDeed) -> tuple[str, ...]:
        """
        The pid file and the signal its process is sent.

        Raises:
            Refused: Anything but stopping and reloading.
        """
        if deed not in _SIGNALS:
            raise Refused(_NO_START.format(file=self._pid_file))
        return ("pidfile", str(self._pid_file), _SIGNALS[deed])

    def master(self) -> Process | None:
        """
        The service's main process, if it lives.

        Raises:
            TemporaryFailure: The pid file cannot be read, or holds no number.
        """
        pid = self._read()
        return self._master(pid) if pid is not None else None

    def _signal(self, deed: ServiceDeed) -> signal.Signals:
        *_, name = self.command(deed)
        return signal.Signals[name]

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
