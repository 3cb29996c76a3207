"""What a server's platform counts. All of it read only."""

from typing import Protocol

from mailward.model.counters import CommandTotals, RequestQueue


class Counters(Protocol):
    """
    The counters of one server's IMAP service.

    Every method raises TemporaryFailure when the host could not be asked: that is unknown, never idle.
    """

    async def commands(self) -> CommandTotals:
        """
        How many commands ended since the service started, and how long they took.

        Raises:
            Refused: This service does not count its commands; the text says what to configure.
        """
        ...

    async def queue(self) -> RequestQueue:
        """
        The accept queues of the service's IMAP listeners, and its process limits.

        Raises:
            Refused: Nothing is known to listen; the text says where it was looked for.
        """
        ...
