"""ServiceControl by the supervisor's socket: "supervisor:/path/control.sock"."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailward.model.errors import Refused
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.platforms.healers import Healers
from mailward.platforms.supervisor.conversation import Supervisor
from mailward.ports.service_control import ConfigurationCheck, ServiceDeed

_ASK_S = 5.0
#: A stop may take 3 s, a start 8 s; both have their own limits in the supervisor, and so has a check (8 s).
_DEED_S = 20.0
_STATES = {
    "running": ServiceState.RUNNING,
    "starting": ServiceState.RUNNING,
    "failed": ServiceState.FAILED,
    "stopped": ServiceState.STOPPED,
    "stopping": ServiceState.STOPPED,
    "hung": ServiceState.HUNG,
}
_ENDED = ("failed", "stopped")
_BUSY = ("starting", "stopping")


class SupervisedService:
    """The service of the host whose supervisor listens on *door*."""

    def __init__(self, door: Path, healers: Healers | None = None) -> None:
        """
        Nothing is asked yet.

        Args:
            door: The supervisor's socket.
            healers: Who else may be at work on its host, beside the supervisor itself.
        """
        self._supervisor = Supervisor(door)
        self._healers = Healers(packages=False) if healers is None else healers

    async def status(self) -> ServiceStatus:
        """
        Look at the service now.

        Raises:
            TemporaryFailure: The supervisor does not answer.
        """
        return _status(await self._supervisor.ask("status", seconds=_ASK_S))

    async def exits(self) -> AsyncIterator[ServiceStatus]:
        """
        Yield the status as soon as the master has ended; at once when it is not running to begin with.

        Raises:
            TemporaryFailure: The supervisor is gone.
        """
        async with aclosing(self._supervisor.answers("watch")) as answers:
            async for answer in answers:
                if answer.get("state") in _ENDED:
                    yield _status(answer)

    async def start(self) -> None:
        """Start the service; returns when it listens."""
        await self._do(ServiceDeed.START)

    async def stop(self) -> None:
        """Stop the service on purpose, sessions included."""
        await self._do(ServiceDeed.STOP)

    async def restart(self) -> None:
        """Stop and start the service."""
        await self._do(ServiceDeed.RESTART)

    async def reload(self) -> None:
        """Have the service read its configuration again."""
        await self._do(ServiceDeed.RELOAD)

    async def enable(self) -> None:
        """Refused: a supervisor starts its service at every boot of its host, whether asked to or not."""
        await self._do(ServiceDeed.ENABLE)

    async def check_configuration(self) -> ConfigurationCheck:
        """
        Have the supervisor check the configuration on disk.

        Raises:
            TemporaryFailure: The supervisor does not answer.
        """
        try:
            answer = await self._supervisor.ask("check", seconds=_DEED_S)
        except Refused as refusal:
            return ConfigurationCheck(is_valid=None, because=f"this supervisor does not check it: {refusal}")
        is_valid = answer.get("valid")
        return ConfigurationCheck(
            is_valid=is_valid if isinstance(is_valid, bool) else None, because=str(answer.get("because", ""))
        )

    async def others_at_work(self) -> tuple[str, ...]:
        """
        The supervisor itself, when it is starting or stopping the service, and marks on the host.

        Raises:
            TemporaryFailure: The supervisor does not answer, or a mark cannot be looked at.
        """
        answer = await self._supervisor.ask("status", seconds=_ASK_S)
        busy = answer.get("state")
        own = (f"the supervisor reports the service as {busy}: {answer.get('because', '')}",) if busy in _BUSY else ()
        return own + await self._healers.at_work()

    def command(self, deed: ServiceDeed) -> tuple[str, ...]:
        """
        The supervisor's socket and the verb it is sent.

        Raises:
            Refused: Enabling.
        """
        if deed is ServiceDeed.ENABLE:
            raise Refused("not available on this platform: a supervisor always starts its service when its host boots")
        return ("supervisor", str(self._supervisor.door), deed.value)

    async def _do(self, deed: ServiceDeed) -> None:
        *_, verb = self.command(deed)
        await self._supervisor.ask(verb, seconds=_DEED_S)


def _status(answer: Mapping[str, Any]) -> ServiceStatus:
    since = answer.get("since")
    return ServiceStatus(
        state=_STATES.get(str(answer.get("state")), ServiceState.UNKNOWN),
        because=str(answer.get("because", "")),
        since=datetime.fromtimestamp(since, UTC) if isinstance(since, int | float) else None,
        pid=answer.get("pid"),
        in_kernel=bool(answer.get("in_kernel", False)),
        starts=answer.get("starts"),
    )
