"""The MailDelivery port in memory."""

from collections.abc import Callable

from mailward.model.organization import LmtpEndpoint
from mailward.ports.mail_delivery import DeliveryRefused
from mailward.ports.network import NetworkFailure
from mailward.testing.mailboxes import StoredMailbox


class MemoryDelivery:
    """Puts what is handed over into mailboxes, unless a test wants it otherwise."""

    def __init__(self, mailboxes: dict[str, StoredMailbox]) -> None:
        """*mailboxes* by the name of their user; nobody else's mail is taken."""
        self._mailboxes = mailboxes
        self.trouble: DeliveryRefused | NetworkFailure | None = None
        """What every delivery ends with."""
        self.instead: Callable[[bytes], None] | None = None
        """What becomes of a message that is answered for, in place of being stored at once."""

    async def deliver(self, door: LmtpEndpoint, *, recipient: str, message: bytes, timeout: float) -> None:  # noqa: ARG002 - no time is spent
        """Store it."""
        if self.trouble is not None:
            raise self.trouble
        if recipient not in self._mailboxes:
            raise DeliveryRefused(550, f"5.1.1 <{recipient}> is not here")
        if self.instead is not None:
            self.instead(message)
        else:
            self._mailboxes[recipient].add(message)
