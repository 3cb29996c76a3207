"""
ServiceControl by any programs: service = "command", with the argv of `commands`.

`status` answers by its exit status as init scripts do (LSB core 3.1, "Init Script Actions"): 0 running, 1 and 2 dead
although its pid or lock file is there, 3 not running, 4 unknown; 150, in the range left to applications, hung. Its
output may say more, a line each: `pid=4711`, `since=` in seconds since the epoch, `starts=` how often it was started,
and a first line for people. Whoever cannot tell a dead service from a stopped one should answer 3: a service that was
stopped on purpose is left alone. A program that ends with 1 or 2 and only complains has failed itself: unknown.
"""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

from mailward.model.errors import PermanentFailure, Refused
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.platforms.commands import Finished, Runner, one_line
from mailward.platforms.healers import Healers
from mailward.platforms.polled_exits import polled_exits
from mailward.ports.service_control import ConfigurationCheck, ServiceDeed

#: What may stand in `commands` for a service.
VERBS = ("status", "check", *(deed.value for deed in ServiceDeed))
_STATES: Mapping[int, tuple[ServiceState, str]] = {
    0: (ServiceState.RUNNING, "it runs"),
    1: (ServiceState.FAILED, "it is dead, and its pid file is still there"),
    2: (ServiceState.FAILED, "it is dead, and its lock file is still there"),
    3: (ServiceState.STOPPED, "it does not run"),
    4: (ServiceState.UNKNOWN, "its state is unknown"),
    150: (ServiceState.HUNG, "it hangs"),
}
_FACT = re.compile(r"(pid|since|starts)=(\d{1,15})")
_LOOK_S = 10.0
_DEED_S = 100.0
_LOOK_AGAIN = timedelta(seconds=2)


class CommandService:
    """A service that programs control."""

    def __init__(
        self,
        commands: Mapping[str, tuple[str, ...]],
        *,
        looking: Runner,
        doing: Runner,
        healers: Healers | None = None,
        look_again: timedelta = _LOOK_AGAIN,
    ) -> None:
        """
        Args:
            commands: The argv of each verb; a verb without one is not available.
            looking: Runs `status` and `check`.
            doing: Runs the deeds, which may leave a daemon behind.
            healers: Who else may be at work on this machine.
            look_again: How often to look whether the service has ended.
        """
        self._commands = {verb: tuple(argv) for verb, argv in commands.items()}
        self._looking = looking
        self._doing = doing
        self._healers = Healers() if healers is None else healers
        self._look_again = look_again

    async def status(self) -> ServiceStatus:
        """
        Run `status`.

        Raises:
            TemporaryFailure: It cannot be run, or does not end.
            Refused: None is configured.
        """
        argv = self._argv("status")
        return _status(argv, await self._looking.run(argv, timeout=_LOOK_S))

    def exits(self) -> AsyncIterator[ServiceStatus]:
        """
        Yield the status whenever the service has ended, found out by looking.

        Raises:
            TemporaryFailure: `status` cannot be run.
        """
        return polled_exits(self.status, every=self._look_again)

    async def start(self) -> None:
        """Start it, unless it runs."""
        if (await self.status()).state is not ServiceState.RUNNING:
            await self._do(ServiceDeed.START)

    async def stop(self) -> None:
        """Stop it; sessions it leaves behind are the program's business."""
        await self._do(ServiceDeed.STOP)

    async def restart(self) -> None:
        """Restart it."""
        await self._do(ServiceDeed.RESTART)

    async def reload(self) -> None:
        """Have it read its configuration again."""
        await self._do(ServiceDeed.RELOAD)

    async def enable(self) -> None:
        """Have it started at boot."""
        await self._do(ServiceDeed.ENABLE)

    async def check_configuration(self) -> ConfigurationCheck:
        """
        Run `check`: exit status 0 means valid.

        Raises:
            TemporaryFailure: It cannot be run, or does not end.
        """
        if "check" not in self._commands:
            return ConfigurationCheck(is_valid=None, because="commands.check is not configured")
        finished = await self._looking.run(self._argv("check"), timeout=_LOOK_S)
        if finished.status == 0:
            return ConfigurationCheck(is_valid=True, because=f"{self._argv('check')[0]} accepts it")
        return ConfigurationCheck(
            is_valid=False, because=f"the configuration on disk is invalid: {finished.said(or_output=True)}"
        )

    async def others_at_work(self) -> tuple[str, ...]:
        """
        Who else is at work on this machine.

        Raises:
            TemporaryFailure: It cannot be looked at.
        """
        return await self._healers.at_work()

    def command(self, deed: ServiceDeed) -> tuple[str, ...]:
        """
        The configured argv.

        Raises:
            Refused: None is configured.
        """
        return self._argv(deed.value)

    def _argv(self, verb: str) -> tuple[str, ...]:
        argv = self._commands.get(verb)
        if not argv:
            raise Refused(f"not available on this platform: commands.{verb} is not configured")
        return argv

    async def _do(self, deed: ServiceDeed) -> None:
        argv = self.command(deed)
        finished = await self._doing.run(argv, timeout=_DEED_S)
        if finished.status != 0:
            raise PermanentFailure(f"{' '.join(argv)}: {finished.said(or_output=True)}")


def _status(argv: tuple[str, ...], finished: Finished) -> ServiceStatus:
    unknown = (ServiceState.UNKNOWN, f"{argv[0]} ended with status {finished.status}, which says nothing of a service")
    state, meaning = _STATES.get(finished.status, unknown)
    if state is ServiceState.FAILED and not finished.output.strip() and finished.errors.strip():
        # how a program ends that has failed itself: 1 and 2 are everybody's statuses
        state, meaning = ServiceState.UNKNOWN, f"{argv[0]} says nothing of a service: {finished.said()}"
    facts = {found[1]: int(found[2]) for line in finished.output.splitlines() if (found := _FACT.fullmatch(line))}
    words = [line for line in finished.output.splitlines() if line.strip() and not _FACT.fullmatch(line)]
    return ServiceStatus(
        state=state,
        because=one_line(words[0]) if words else meaning,
        since=datetime.fromtimestamp(facts["since"], UTC) if facts.get("since", 10**12) < 10**11 else None,
        pid=facts.get("pid") if state.has_processes else None,
        starts=facts.get("starts"),
    )
