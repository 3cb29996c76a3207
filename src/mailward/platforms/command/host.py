"""HostControl by any programs: control = "command" with `commands["restart-server"]` and `commands["boot-id"]`."""

from collections.abc import Mapping

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import Runner, one_line

RESTART, BOOT = "restart-server", "boot-id"
_ASK_S = 10.0
_DEED_S = 60.0


class CommandHost:
    """A machine that programs restart, such as a hypervisor's or a power switch's."""

    def __init__(self, commands: Mapping[str, tuple[str, ...]], *, looking: Runner, doing: Runner) -> None:
        """
        Args:
            commands: The argv of each verb.
            looking: Runs `boot-id`.
            doing: Runs `restart-server`, which may leave something behind that restarts the machine a moment later.
        """
        self._commands = {verb: tuple(argv) for verb, argv in commands.items()}
        self._looking = looking
        self._doing = doing

    async def boot_id(self) -> str:
        """
        What `boot-id` prints: any line that differs after every boot, such as the moment of the last one.

        Raises:
            TemporaryFailure: It ended with another status than 0, printed nothing, or cannot be run.
        """
        argv = self._commands.get(BOOT)
        if not argv:
            raise TemporaryFailure(f"commands.{BOOT} is not configured: nobody can tell whether the machine restarted")
        finished = await self._looking.run(argv, timeout=_ASK_S)
        boot_id = one_line(finished.output)
        if finished.status != 0 or not boot_id:
            raise TemporaryFailure(f"{' '.join(argv)} tells no boot id: {finished.said()}")
        return boot_id

    async def restart(self) -> None:
        """
        Run `restart-server`.

        Raises:
            TemporaryFailure: It cannot be run, or does not end; it may have begun.
            Refused: It ended with another status than 0, or none is configured.
        """
        argv = self.command()
        finished = await self._doing.run(argv, timeout=_DEED_S)
        if finished.status != 0:
            raise Refused(f"{' '.join(argv)}: {finished.said(or_output=True)}")

    def command(self) -> tuple[str, ...]:
        """
        The configured argv.

        Raises:
            Refused: None is configured.
        """
        argv = self._commands.get(RESTART)
        if not argv:
            raise Refused(f"not available on this platform: commands.{RESTART} is not configured")
        return argv
