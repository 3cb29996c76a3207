"""
ServiceControl for a Dovecot that nothing supervises: "doveadm:/etc/dovecot/dovecot.conf".

Dovecot's own ways (field notes §E): it is started by `dovecot -c`, and stopped by `doveadm stop`, which leaves live
sessions behind as orphans; so exactly these are ended afterwards. A master that does not end when asked is killed.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from mailward.model.errors import PermanentFailure, Refused, TemporaryFailure
from mailward.model.evidence import ServiceStatus
from mailward.platforms.commands import DaemonStarter, Finished, LocalRunner, Runner
from mailward.platforms.dovecot.configuration_check import DoveconfCheck
from mailward.platforms.dovecot.programs import program
from mailward.platforms.healers import Healers
from mailward.platforms.linux.ending import end, wait_until_ended
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.linux.processes import children
from mailward.ports.service_control import ConfigurationCheck, ServiceDeed

_ASK_S = 10.0
_START_S = 20.0
#: `doveadm stop` takes 2.7 s where the master is well (field notes §E); one that is stopped by a signal never ends.
_STOP_S = 8.0
_SESSION_GRACE_S = 1.0
_COMES_UP_S = 5.0
_LOOK_AGAIN_S = 0.02
_ALREADY = "already running"


class DovecotService:
    """The Dovecot of one configuration file, on this machine."""

    def __init__(
        self,
        config: Path,
        *,
        looking: Runner | None = None,
        doing: Runner | None = None,
        healers: Healers | None = None,
        stops_within_s: float = _STOP_S,
    ) -> None:
        """
        Nothing is looked at yet.

        Args:
            config: Its dovecot.conf.
            looking: Runs doveconf.
            doing: Runs `dovecot` and `doveadm`; the daemon must not keep it waiting.
            healers: Who else may be at work on this machine.
            stops_within_s: How many seconds a master is given at each try to end it.
        """
        self._config = config
        self._stops_within_s = stops_within_s
        self._looking = LocalRunner() if looking is None else looking
        self._doing = DaemonStarter() if doing is None else doing
        self._healers = Healers() if healers is None else healers
        self._check = DoveconfCheck(self._looking, config)
        self._pid_file: PidFileService | None = None

    async def status(self) -> ServiceStatus:
        """
        Look at the service now, by its pid file and /proc.

        Raises:
            TemporaryFailure: Where its pid file is cannot be found out, or it cannot be read.
        """
        return await (await self._by_pid_file()).status()

    async def exits(self) -> AsyncGenerator[ServiceStatus, None]:
        """
        Yield the status whenever the master ends; at once when it is not running to begin with.

        Raises:
            TemporaryFailure: As `status`.
        """
        by_pid_file = await self._by_pid_file()
        async with aclosing(by_pid_file.exits()) as exits:
            async for status in exits:
                yield status

    async def start(self) -> None:
        """
        Start Dovecot; returns when its master runs.

        Raises:
            PermanentFailure: It says no, or ends at once.
        """
        by_pid_file = await self._by_pid_file()
        if by_pid_file.master() is None:
            await self._start(by_pid_file)

    async def stop(self) -> None:
        """
        Stop Dovecot on purpose, with every session.

        Raises:
            PermanentFailure: The master still lives.
            Refused: It belongs to another user.
        """
        await self._stop(await self._by_pid_file())

    async def restart(self) -> None:
        """
        Stop and start Dovecot.

        Raises:
            PermanentFailure: It cannot be stopped, or not be started.
            Refused: It belongs to another user.
        """
        by_pid_file = await self._by_pid_file()
        await self._stop(by_pid_file)
        await self._start(by_pid_file)

    async def reload(self) -> None:
        """
        Have Dovecot read its configuration and certificates again; sessions stay.

        Raises:
            PermanentFailure: It does not run, or its configuration is invalid.
        """
        await self._run(self._argv(ServiceDeed.RELOAD), seconds=_ASK_S)

    async def enable(self) -> None:
        """Refused: nothing starts it at boot."""
        self.command(ServiceDeed.ENABLE)

    async def check_configuration(self) -> ConfigurationCheck:
        """
        Check the configuration by doveconf.

        Raises:
            TemporaryFailure: doveconf cannot be run, or hangs.
        """
        return await self._check.check()

    async def others_at_work(self) -> tuple[str, ...]:
        """
        Who else is at work on this machine.

        Raises:
            TemporaryFailure: It cannot be looked at.
        """
        return await self._healers.at_work()

    def command(self, deed: ServiceDeed) -> tuple[str, ...]:
        """
        The argv; a restart is two of them, written as one line with "&&".

        Raises:
            Refused: Enabling.
        """
        if deed is ServiceDeed.RESTART:
            return (*self._argv(ServiceDeed.STOP), "&&", *self._argv(ServiceDeed.START))
        return self._argv(deed)

    def _argv(self, deed: ServiceDeed) -> tuple[str, ...]:
        if deed is ServiceDeed.START:
            return (program("dovecot"), "-c", str(self._config))
        if deed in (ServiceDeed.STOP, ServiceDeed.RELOAD):
            return (program("doveadm"), "-c", str(self._config), deed.value)
        raise Refused("not available on this platform: a Dovecot without systemd has nothing that starts it at boot")

    async def _start(self, by_pid_file: PidFileService) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _COMES_UP_S
        finished = await self._run_start()
        while (missing := await _missing(by_pid_file)) is not None:
            if loop.time() > deadline:
                raise PermanentFailure(f"{self._config}: it was started and does not run: {missing}")
            await asyncio.sleep(_LOOK_AGAIN_S)
            if finished.status != 0:  # a master that has just been killed still counts as running, until it is reaped
                finished = await self._run_start()

    async def _run_start(self) -> Finished:
        argv = self._argv(ServiceDeed.START)
        finished = await self._doing.run(argv, timeout=_START_S)
        if finished.status != 0 and _ALREADY not in finished.errors:
            raise PermanentFailure(f"{' '.join(argv)}: {finished.said()}")
        return finished

    async def _stop(self, by_pid_file: PidFileService) -> None:
        master = by_pid_file.master()
        if master is None:
            return
        left = children(master.pid)
        try:
            await self._run(self._argv(ServiceDeed.STOP), seconds=self._stops_within_s)
        except (TemporaryFailure, PermanentFailure):
            # it hangs, or doveadm fails for a reason of its own, such as a broken configuration: a master that is
            # well ends in order when it is asked
            await end((master,), grace_s=self._stops_within_s)
        if not await wait_until_ended((master,), seconds=self._stops_within_s):
            raise PermanentFailure(f"process {master.pid} of {self._config} does not even end when killed")
        await end(left, grace_s=_SESSION_GRACE_S)

    async def _run(self, argv: tuple[str, ...], *, seconds: float) -> None:
        finished = await self._doing.run(argv, timeout=seconds)
        if finished.status != 0:
            raise PermanentFailure(f"{' '.join(argv)}: {finished.said()}")

    async def _by_pid_file(self) -> PidFileService:
        """Its pid file, master.pid in the base directory, which outlives a configuration that is broken later."""
        if self._pid_file is None:
            argv = (program("doveconf"), "-c", str(self._config), "-h", "base_dir")
            finished = await self._looking.run(argv, timeout=_ASK_S)
            base = finished.output.strip()
            if finished.status != 0 or not base.startswith("/"):
                raise TemporaryFailure(f"doveconf does not tell the base_dir of {self._config}: {finished.said()}")
            self._pid_file = PidFileService(Path(base) / "master.pid", healers=self._healers)
        return self._pid_file


async def _missing(by_pid_file: PidFileService) -> str | None:
    """Why a master does not run yet; None once it does. A pid file that is just being written is empty for a moment."""
    try:
        status = await by_pid_file.status()
    except TemporaryFailure as failure:
        return str(failure)
    return None if status.state.has_processes else status.because
