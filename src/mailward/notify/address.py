"""Where a channel over HTTP sends, and with which token: read at the moment of use, so that a rotated secret counts."""

from collections.abc import Mapping

from mailward.model.channels import Channel
from mailward.model.errors import PermanentFailure
from mailward.notify.http import Request
from mailward.ports.secrets import Secrets


def request_to(
    channel: Channel,
    secrets: Secrets,
    *,
    method: str,
    path: str = "",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Request:
    """
    A request to the channel's address; *path* is put at its end unless it is there already.

    Raises:
        TemporaryFailure: A secret cannot be read.
        PermanentFailure: The token cannot stand in a header.
    """
    url = secrets.reveal(channel.url_secret) if channel.url_secret is not None else channel.url
    if path and not url.rstrip("/").endswith(path):
        url = url.rstrip("/") + path
    sent = {"User-Agent": "mailward", **(headers or {})}
    used = (url,) if channel.url_secret is not None else ()
    if channel.bearer_token is not None:
        token = secrets.reveal(channel.bearer_token)
        if not token.isascii() or not token.isprintable():
            name = channel.bearer_token.name
            raise PermanentFailure(f"channel {channel.name}: {name} holds characters that no token may hold")
        sent["Authorization"] = f"Bearer {token}"
        used = (*used, token)
    return Request(
        channel=channel.name,
        method=method,
        url=url,
        timeout=channel.timeout,
        body=body,
        headers=sent,
        ca_file=channel.ca_file,
        secrets=used,
    )
