"""
A dead-man's switch: a GET now and then, whose absence somebody else notices (healthchecks.io and the like).

It is the only channel that still speaks when mailward, its host or its network is gone: by being silent.
"""

from mailward.model.alerting import Alert
from mailward.model.channels import Channel
from mailward.notify.address import Address
from mailward.ports.secrets import Secrets


class DeadManNotifier:
    """Pings."""

    def __init__(self, channel: Channel, secrets: Secrets) -> None:
        """Ping the channel's `url`, or the address its `url_secret` holds."""
        self._address = Address(channel, secrets)

    async def send(self, alert: Alert, *, identity: str) -> None:  # noqa: ARG002 - a ping says that we live, no more
        """
        Ping, whatever the alert says.

        Raises:
            TemporaryFailure: It did not arrive.
            PermanentFailure: It will not arrive as configured; the text says what to mend.
        """
        await self._address.ask(method="GET")
