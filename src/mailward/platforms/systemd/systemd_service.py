"""
ServiceControl by systemd: "systemd:dovecot.service".

Written after systemctl(1) and org.freedesktop.systemd1(5) and tried against documented output only: the machines this
was developed on have no systemd. Deeds need a polkit rule for this unit; mailward itself is not root.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.platforms.commands import Runner
from mailward.platforms.linux.pid_file_service import VITAL
from mailward.platforms.linux.processes import children, find_stuck, look_at, wait_for_end

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "Result", "MainPID", "NRestarts", "StateChangeTimestamp")
#: systemd.unit(5): the characters a unit's name may have; it must not look like an option.
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}")
_LOOK_S = 5.0
#: TimeoutStopSec and TimeoutStartSec are 90 s by default.
_DEED_S = 100.0
_SETTLE_LOOKS = 20
_LOOK_AGAIN_S = 0.1
_AWAIT_START_S = 1.0


class SystemdService:
    """One unit of the machine mailward runs on."""

    def __init__(self, unit: str, runner: Runner) -> None:
        """
        Args:
            unit: The unit's name, with or without ".service".
            runner: Runs systemctl.

        Raises:
            Refused: That cannot be the name of a unit.
        """
        if not _UNIT.fullmatch(unit):
            raise Refused(f"{unit!r} cannot be the name of a systemd unit")
        self._unit = unit
        self._runner = runner

    async def status(self) -> ServiceStatus:
        """
        Look at the unit now.

        Raises:
            TemporaryFailure: systemctl did not answer, or there is no such unit.
        """
        shown = await self._show()
        status = _status(self._unit, shown)
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
        if status.state in (ServiceState.FAILED, ServiceState.STOPPED):
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
        """Start the unit."""
        await self._do("start")

    async def stop(self) -> None:
        """Stop the unit; systemd ends the sessions in its control group with it."""
        await self._do("stop")

    async def restart(self) -> None:
        """Stop and start the unit."""
        await self._do("restart")

    async def reload(self) -> None:
        """Have the service read its configuration again."""
        await self._do("reload")

    async def _settled(self, ended: int) -> ServiceStatus:
        """The status once systemd has noticed the end of that process, which takes it some milliseconds."""
        for _ in range(_SETTLE_LOOKS):
            status = _status(self._unit, await self._show())
            if status.pid != ended:
                return status
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise TemporaryFailure(f"systemd has not noticed that process {ended} of {self._unit} ended")

    async def _show(self) -> Mapping[str, str]:
        argv = ("systemctl", "show", "--timestamp=unix", f"--property={','.join(_PROPERTIES)}", "--", self._unit)
        finished = await self._runner.run(argv, timeout=_LOOK_S)
        if finished.status != 0:
            raise TemporaryFailure(f"systemctl show {self._unit}: {_said(finished.errors, finished.status)}")
        shown = dict(line.split("=", 1) for line in finished.output.splitlines() if "=" in line)
        if shown.get("LoadState") in (None, "not-found", "bad-setting", "error"):
            raise TemporaryFailure(f"systemd has no usable unit {self._unit} (LoadState={shown.get('LoadState')})")
        return shown

    async def _do(self, verb: str) -> None:
        finished = await self._runner.run(("systemctl", "--no-ask-password", verb, "--", self._unit), timeout=_DEED_S)
        if finished.status != 0:
            raise Refused(f"systemctl {verb} {self._unit}: {_said(finished.errors, finished.status)}")


def _status(unit: str, shown: Mapping[str, str]) -> ServiceStatus:
    active, sub, result = shown.get("ActiveState", ""), shown.get("SubState", ""), shown.get("Result", "")
    pid = int(shown.get("MainPID", "0") or 0) or None
    restarts = shown.get("NRestarts", "")
    return ServiceStatus(
        state=_state(active, sub, result),
        because=f"systemd says {unit} is {active} ({sub}), result {result}",
        since=_moment(shown.get("StateChangeTimestamp", "")),
        pid=pid if active in ("active", "reloading", "activating", "deactivating", "refreshing") else None,
        starts=int(restarts) + 1 if restarts.isdigit() else None,
    )


def _state(active: str, sub: str, result: str) -> ServiceState:
    if active in ("active", "reloading", "refreshing"):
        return ServiceState.RUNNING
    if active == "failed" or sub.startswith("auto-restart"):
        return ServiceState.FAILED
    if active == "activating":
        return ServiceState.RUNNING
    if active in ("inactive", "deactivating"):
        return ServiceState.STOPPED if result == "success" else ServiceState.FAILED
    return ServiceState.UNKNOWN


def _moment(text: str) -> datetime | None:
    """systemd ≥ 247 writes "@1795480929" with --timestamp=unix; anything else says nothing."""
    seconds = text.removeprefix("@")
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdigit() else None


def _said(errors: str, status: int) -> str:
    return " ".join(errors.split()) or f"exit status {status}"
