"""
Watching and controlling the IMAP service of one server on its host.

Watching (`status`, `exits`) is used from the first day; the deeds belong to recovery, under its gates.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from mailward.model.evidence import ServiceStatus


class ServiceControl(Protocol):
    """The IMAP service of one server."""

    async def status(self) -> ServiceStatus:
        """
        Look at the service now.

        Raises:
            TemporaryFailure: The host could not be asked. That is *unknown*, never *down*.
        """
        ...

    def exits(self) -> AsyncIterator[ServiceStatus]:
        """
        Yield the service's status at once whenever its master process ends, FAILED or STOPPED on purpose.

        Raises:
            TemporaryFailure: The watch itself broke; the caller starts it anew after a while.
        """
        ...

    async def start(self) -> None:
        """Start the service. Starting a running one changes nothing."""
        ...

    async def stop(self) -> None:
        """Stop the service on purpose, with every session it left behind."""
        ...

    async def restart(self) -> None:
        """Stop and start the service."""
        ...

    async def reload(self) -> None:
        """Have the service read its configuration and certificates again; sessions stay."""
        ...
