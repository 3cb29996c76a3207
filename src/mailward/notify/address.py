"""Where a channel over HTTP sends, and with which token: read at the moment of use, so that a rotated secret counts."""

import ssl
from collections.abc import Mapping

from mailward.model.channels import Channel
from mailward.model.errors import PermanentFailure
from mailward.model.organization import SecretRef
from mailward.notify.http import Request, request
from mailward.notify.reading import Reading, trusting
from mailward.ports.secrets import Secrets


class Address:
    """The address of a channel."""

    def __init__(self, channel: Channel, secrets: Secrets) -> None:
        """Ask the channel's `url`, or the address its `url_secret` holds."""
        self._channel = channel
        self._secrets = secrets
        self._reading = Reading(channel)

    async def ask(
        self, *, method: str, path: str = "", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """
        Send one request and return once it was taken; *path* is put at the address's end unless it is there already.

        Raises:
            TemporaryFailure: It was not taken, nobody knows whether it was, or a secret cannot be read.
            PermanentFailure: It will not be taken; the text says what to mend.
        """
        url, token, trust = await self._reading.read(self._needed)
        if path and not url.rstrip("/").endswith(path):
            url = url.rstrip("/") + path
        sent = {"User-Agent": "mailward", **(headers or {})}
        used = (url,) if self._channel.url_secret is not None else ()
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
            used = (*used, token)
        await request(
            Request(
                channel=self._channel.name,
                method=method,
                url=url,
                timeout=self._channel.timeout,
                body=body,
                headers=sent,
                trust=trust,
                secrets=used,
            )
        )

    def _needed(self) -> tuple[str, str | None, ssl.SSLContext]:
        """The address, the token where there is one, and whom to trust."""
        channel = self._channel
        url = self._secrets.reveal(channel.url_secret) if channel.url_secret is not None else channel.url
        return url, self._token(channel.bearer_token), trusting(channel)

    def _token(self, ref: SecretRef | None) -> str | None:
        if ref is None:
            return None
        token = self._secrets.reveal(ref)
        if not token.isascii() or not token.isprintable():
            where = f"channel {self._channel.name}"
            raise PermanentFailure(f"{where}: {ref.name} holds characters that no token may hold")
        return token
