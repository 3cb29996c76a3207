"""HostControl by a supervisor: in a laboratory it takes its host away for some seconds and brings it back."""

from pathlib import Path

from mailward.model.errors import TemporaryFailure
from mailward.platforms.supervisor.conversation import Supervisor

_ASK_S = 5.0


class SupervisedHost:
    """The host whose supervisor listens on *door*."""

    def __init__(self, door: Path) -> None:
        """Nothing is asked yet."""
        self._supervisor = Supervisor(door)

    async def boot_id(self) -> str:
        """
        What changes with every boot of the host.

        Raises:
            TemporaryFailure: The supervisor does not answer, as while its host restarts.
        """
        answer = await self._supervisor.ask("boot-id", seconds=_ASK_S)
        if not isinstance(answer.get("boot_id"), str):
            raise TemporaryFailure(f"the supervisor at {self._supervisor.door} tells no boot id")
        return str(answer["boot_id"])

    async def restart(self) -> None:
        """
        Have the host restart.

        Raises:
            TemporaryFailure: The supervisor hung up; it may have begun.
            Refused: The supervisor says no.
        """
        *_, verb = self.command()
        await self._supervisor.ask(verb, seconds=_ASK_S)

    def command(self) -> tuple[str, ...]:
        """The supervisor's socket and the verb it is sent."""
        return ("supervisor", str(self._supervisor.door), "restart-host")
