"""A channel that keeps what it is sent, and fails as it is told; it passes the contract of the real ones."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from mailward.model.alerting import Alert
from mailward.model.errors import PermanentFailure, TemporaryFailure


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What arrived."""

    alert: Alert
    identity: str


class TameNotifier:
    """Set `failure` to make it fail, `hangs` to make it never answer."""

    def __init__(self, name: str = "tame", *, timeout: timedelta = timedelta(seconds=10)) -> None:
        """Begin with nothing sent and nothing wrong."""
        self.sent: list[Sent] = []
        self.attempts = 0
        self.failure: TemporaryFailure | PermanentFailure | None = None
        self.hangs = False
        self._name = name
        self._timeout = timeout

    async def send(self, alert: Alert, *, identity: str) -> None:
        """
        Keep the alert.

        Raises:
            TemporaryFailure: As the test told it to; also when it hangs, after its time limit.
            PermanentFailure: As the test told it to.
        """
        self.attempts += 1
        if self.hangs:
            await asyncio.sleep(self._timeout.total_seconds())
            raise TemporaryFailure(f"channel {self._name} did not answer within {self._timeout.total_seconds():g} s")
        if self.failure is not None:
            raise self.failure
        self.sent.append(Sent(alert=alert, identity=identity))
