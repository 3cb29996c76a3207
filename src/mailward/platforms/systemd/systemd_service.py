"""
ServiceControl by systemd: "systemd:dovecot.service".

Written after systemctl(1) and org.freedesktop.systemd1(5) and tried against documented output only: the machines this
was developed on have no systemd. Deeds need a polkit rule for this unit; mailward itself is not root.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

from mailward.model.errors import TemporaryFailure
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.platforms.commands import Runner
from mailward.platforms.configuration_checks import CheckConfiguration, cannot_check
from mailward.platforms.healers import Healers
from mailward.platforms.linux.pid_file_service import VITAL
from mailward.platforms.linux.processes import children, find_stuck, look_at, wait_for_end
from mailward.platforms.systemd.reading import exec_start, raise_unless_done, read_properties, status_of
from mailward.platforms.systemd.unit_names import require_unit_name
from mailward.ports.service_control import ConfigurationCheck, ServiceDeed

_PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "Result", "MainPID", "NRestarts", "StateChangeTimestamp",
    "ExecMainStartTimestamp", "ExecStart", "Job",
)  # fmt: skip
_LOOK_S = 5.0
#: TimeoutStopSec and TimeoutStartSec are 90 s by default.
_DEED_S = 100.0
_SETTLE_LOOKS = 20
_LOOK_AGAIN_S = 0.1
_AWAIT_START_S = 1.0


class SystemdService:
    """One unit of the machine mailward runs on."""

    def __init__(
        self, unit: str, runner: Runner, *, healers: Healers | None = None, check: CheckConfiguration = cannot_check
    ) -> None:
        """
        Args:
            unit: The unit's name, with or without ".service".
            runner: Runs systemctl.
            healers: Who else may be at work on this machine, beside systemd itself.
            check: Checks the service's configuration.

        Raises:
            Refused: That cannot be the name of a unit.
        """
        require_unit_name(unit)
        self._unit = unit
        self._runner = runner
        self._healers = Healers() if healers is None else healers
        self._check = check

    async def status(self) -> ServiceStatus:
        """
        Look at the unit now.

        Raises:
            TemporaryFailure: systemctl did not answer, or there is no such unit.
        """
        shown = await self._show()
        status = status_of(self._unit, shown)
        if status.state is not ServiceState.RUNNING or status.pid is None:
            return status
        master = look_at(status.pid)
        suspects = [master] if master is not None else []
        stuck = await find_stuck([*suspects, *(child for child in children(status.pid) if child.name in VITAL)])
        if stuck is None:
            return status
        return ServiceStatus(
            state=ServiceState.HUNG,
            because=stuck.because,
            since=status.since,
            pid=status.pid,
            in_kernel=stuck.in_kernel,
            starts=status.starts,
        )

    async def exits(self) -> AsyncIterator[ServiceStatus]:
        """
        Yield the status as soon as the main process has ended; at once when the unit does not run to begin with.

        Raises:
            TemporaryFailure: systemctl did not answer.
        """
        status = await self.status()
        if status.state.has_ended:
            yield status
        while True:
            while status.pid is None:
                await asyncio.sleep(_AWAIT_START_S)
                status = await self.status()
            ended = status.pid
            await wait_for_end(ended)
            status = await self._settled(ended)
            if status.pid is None:
                yield status
            else:
                yield ServiceStatus(
                    state=ServiceState.FAILED,
                    because=f"process {ended} ended, and systemd has started {self._unit} again as {status.pid}",
                    since=status.since,
                    starts=status.starts,
                )

    async def start(self) -> None:
        """Start the unit, also when systemd has given up on it (`_forgive`)."""
        await self._forgive()
        await self._do(ServiceDeed.START)

    async def stop(self) -> None:
        """Stop the unit; systemd ends the sessions in its control group with it."""
        await self._do(ServiceDeed.STOP)

    async def restart(self) -> None:
        """Stop and start the unit, also when systemd has given up on it (`_forgive`)."""
        await self._forgive()
        await self._do(ServiceDeed.RESTART)

    async def reload(self) -> None:
        """Have the service read its configuration again."""
        await self._do(ServiceDeed.RELOAD)

    async def enable(self) -> None:
        """Have systemd start the unit at boot."""
        await self._do(ServiceDeed.ENABLE)

    async def check_configuration(self) -> ConfigurationCheck:
        """
        Check the configuration that the unit's ExecStart names.

        Raises:
            TemporaryFailure: systemctl did not answer, or the check cannot be run.
        """
        return await self._check(exec_start(await self._show()))

    async def others_at_work(self) -> tuple[str, ...]:
        """
        systemd itself, when it is about to restart the unit or has a job for it, and who else is at work here.

        Raises:
            TemporaryFailure: systemctl did not answer, or the machine cannot be looked at.
        """
        shown = await self._show()
        found: tuple[str, ...] = ()
        if shown.get("SubState", "").startswith("auto-restart"):
            found = (f"systemd restarts {self._unit} itself (Restart=)",)
        elif shown.get("Job", "0") not in ("", "0"):
            found = (f"systemd has a job for {self._unit} under way (job {shown['Job']}, {shown.get('SubState')})",)
        return found + await self._healers.at_work()

    def command(self, deed: ServiceDeed) -> tuple[str, ...]:
        """The argv of systemctl; "--" keeps a unit's name from being an option."""
        return ("systemctl", "--no-ask-password", deed.value, "--", self._unit)

    async def _settled(self, ended: int) -> ServiceStatus:
        """The status once systemd has noticed the end of that process, which takes it some milliseconds."""
        for _ in range(_SETTLE_LOOKS):
            status = status_of(self._unit, await self._show())
            if status.pid != ended:
                return status
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise TemporaryFailure(f"systemd has not noticed that process {ended} of {self._unit} ended")

    async def _show(self) -> Mapping[str, str]:
        argv = ("systemctl", "show", "--timestamp=unix", f"--property={','.join(_PROPERTIES)}", "--", self._unit)
        finished = await self._runner.run(argv, timeout=_LOOK_S)
        if finished.status != 0:
            raise TemporaryFailure(f"systemctl show {self._unit}: {finished.said()}")
        return read_properties(self._unit, finished.output)

    async def _forgive(self) -> None:
        """
        Have systemd forget that the unit was started too often (StartLimitBurst=), or it refuses to start it.

        mailward's own throttles count starts from here on.
        """
        if (await self._show()).get("Result") == "start-limit-hit":
            await self._run(("systemctl", "--no-ask-password", "reset-failed", "--", self._unit))

    async def _do(self, deed: ServiceDeed) -> None:
        await self._run(self.command(deed))

    async def _run(self, argv: tuple[str, ...]) -> None:
        raise_unless_done(argv, await self._runner.run(argv, timeout=_DEED_S))
