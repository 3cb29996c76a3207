"""
HostControl by systemd for the machine mailward runs on: `systemctl reboot`, which ends every service in order first.

Written after systemctl(1) and tried against documented output only. It needs a polkit rule for
org.freedesktop.login1.reboot; mailward itself is not root.
"""

from pathlib import Path

from mailward.model.errors import Refused
from mailward.platforms.commands import Runner
from mailward.platforms.local.boot import BOOT_ID, read_boot_id

_ASK_S = 10.0


class SystemdHost:
    """The machine mailward runs on."""

    def __init__(self, runner: Runner, *, boot_id: Path = BOOT_ID) -> None:
        """
        Args:
            runner: Runs systemctl.
            boot_id: Where the kernel shows the boot id.
        """
        self._runner = runner
        self._boot_id = boot_id

    async def boot_id(self) -> str:
        """
        What changes with every boot.

        Raises:
            TemporaryFailure: The kernel does not show it.
        """
        return read_boot_id(self._boot_id)

    async def restart(self) -> None:
        """
        Have the machine restart.

        Raises:
            TemporaryFailure: systemctl did not answer; it may have begun.
            Refused: systemd says no, for want of permission or because something inhibits it.
        """
        finished = await self._runner.run(self.command(), timeout=_ASK_S)
        if finished.status != 0:
            raise Refused(f"{' '.join(self.command())}: {finished.said()}")

    def command(self) -> tuple[str, ...]:
        """The argv of systemctl."""
        return ("systemctl", "--no-ask-password", "reboot")
