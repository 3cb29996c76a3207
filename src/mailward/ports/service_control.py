"""
Watching and controlling the IMAP service of one server on its host.

Watching (`status`, `exits`) is used from the first day; the deeds belong to recovery, under its gates.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from mailward.model.evidence import ServiceStatus


class ServiceDeed(Enum):
    """What can be done to a service."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RELOAD = "reload"
    ENABLE = "enable"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigurationCheck:
    """Whether the configuration on disk would be accepted at the next start."""

    is_valid: bool | None
    """None: this platform cannot check it."""
    because: str


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
        """
        Have the service read its configuration and certificates again.

        Sessions stay, as far as the service itself lets them: a Dovecot with `shutdown_clients = yes`, its default,
        ends those that are older than the reload some seconds later (measured with 2.3.19).
        """
        ...

    async def enable(self) -> None:
        """
        Have the host start the service at boot.

        Raises:
            Refused: This platform cannot.
        """
        ...

    async def check_configuration(self) -> ConfigurationCheck:
        """
        Check the configuration on disk, touching nothing.

        Raises:
            TemporaryFailure: The host could not be asked.
        """
        ...

    async def others_at_work(self) -> tuple[str, ...]:
        """
        Who else starts and stops this service at present, a sentence each: systemd about to restart it, a package
        upgrade at work, a cluster manager's mark. Empty when nobody is.

        Raises:
            TemporaryFailure: The host could not be asked.
        """
        ...

    def command(self, deed: ServiceDeed) -> tuple[str, ...]:
        """
        The exact words that *deed* runs, for a rehearsal; the deed itself runs the same value.

        Raises:
            Refused: This platform cannot do it; the text says why.
        """
        ...
