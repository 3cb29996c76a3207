"""Restarting a whole server, and telling afterwards that it was."""

from typing import Protocol


class HostControl(Protocol):
    """The machine one server runs on."""

    async def boot_id(self) -> str:
        """
        What changes with every boot (Linux: /proc/sys/kernel/random/boot_id).

        Raises:
            TemporaryFailure: The host does not answer, as while it restarts.
        """
        ...

    async def restart(self) -> None:
        """
        Have the machine restart; returns once that is accepted, not once it is back.

        Raises:
            TemporaryFailure: The host could not be asked; it may have begun.
            Refused: The host says no.
        """
        ...

    def command(self) -> tuple[str, ...]:
        """The exact words `restart` runs, for a rehearsal."""
        ...
