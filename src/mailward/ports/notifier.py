"""A channel by which people, or other programs, are told."""

from typing import Protocol

from mailward.model.alerting import Alert


class Notifier(Protocol):
    """One configured channel."""

    async def send(self, alert: Alert, *, identity: str) -> None:
        """
        Send one alert, bounded in time. *identity* is the same for a repeated attempt, so that a receiver that can
        recognise one (Message-ID, Idempotency-Key) does.

        Raises:
            TemporaryFailure: It did not go out; it may later.
            PermanentFailure: It never will as things are configured; the text says what to mend.
        """
        ...
