"""One notice is one POST of JSON. Its Idempotency-Key is the same for a repeated attempt."""

import json
from collections.abc import Callable

from mailward.model.alerting import Alert
from mailward.model.channels import Channel
from mailward.notify.address import Address
from mailward.notify.words import recognisable
from mailward.ports.secrets import Secrets


class Posting:
    """Posts alerts in one form."""

    def __init__(self, channel: Channel, secrets: Secrets, body: Callable[[Alert], object], *, path: str = "") -> None:
        """Post what *body* makes of an alert to the channel's address, *path* at its end."""
        self._address = Address(channel, secrets)
        self._body = body
        self._path = path

    async def send(self, alert: Alert, *, identity: str) -> None:
        """
        Post one alert.

        Raises:
            TemporaryFailure: It was not taken, or nobody knows whether it was.
            PermanentFailure: It will not be taken; the text says what to mend.
        """
        await self._address.ask(
            method="POST",
            path=self._path,
            body=json.dumps(self._body(alert)).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": recognisable(identity)},
        )
