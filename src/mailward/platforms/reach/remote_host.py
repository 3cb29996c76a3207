"""HostControl over ssh: control = "systemd" with reach = "ssh:…"."""

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.reach.conversation import MailwardHost, words

_ASK_S = 15.0


class RemoteHost:
    """Another machine."""

    def __init__(self, host: MailwardHost) -> None:
        """
        Args:
            host: The other end; its own configuration says whether it may be restarted at all.
        """
        self._host = host

    async def boot_id(self) -> str:
        """
        Its kernel's boot id.

        Raises:
            TemporaryFailure: It was not reached, as while it restarts.
        """
        answer = await self._host.ask("boot-id", seconds=_ASK_S)
        if not (boot_id := words(answer.get("boot_id"))):
            raise TemporaryFailure(f"{self._host.runner.where} tells no boot id")
        return boot_id

    async def restart(self) -> None:
        """
        Have it restart.

        Raises:
            TemporaryFailure: It was not reached, or hung up; it may have begun.
            Refused: It says no.
        """
        *_, verb = self.command()
        finished = await self._host.run(verb, seconds=_ASK_S)
        if finished.status != 0:
            raise Refused(f"{self._host.runner.where}: {finished.said()}")

    def command(self) -> tuple[str, ...]:
        """The argv of ssh."""
        return self._host.runner.words(("restart-server",))
