"""Handing a message over for delivery, as a mail server does."""

from typing import Protocol

from mailward.model.errors import MailwardError
from mailward.model.organization import LmtpEndpoint


class DeliveryRefused(MailwardError):
    """The server answered, and does not deliver it."""

    def __init__(self, code: int, said: str) -> None:
        """*code* and *said* as the reply has them (RFC 5321 §4.2), the words with their enhanced code (RFC 3463)."""
        super().__init__(f"{code} {said}")
        self.code = code
        self.said = said


class MailDelivery(Protocol):
    """Hands messages over."""

    async def deliver(self, door: LmtpEndpoint, *, recipient: str, message: bytes, timeout: float) -> None:
        """
        Hand *message* over at *door* for one mailbox; returns once the server answers for it.

        The sender is the empty one, so that nobody is ever answered. All of it takes *timeout* seconds at most.

        Raises:
            DeliveryRefused: The server answered that it does not, or not now.
            NetworkFailure: No answer came: REFUSED, UNREACHABLE, NAME_UNKNOWN, CLOSED, TIMEOUT; whether the message was
                taken is unknown then. PROBER_FAULT: it cannot be sent at all, such as to a name that is not ASCII.
        """
        ...
