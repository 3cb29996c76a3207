"""
One HTTP request with the standard library, in a thread of its own, bounded in time and size.

No proxy is used, no redirect is followed: what an alert says goes to the configured host and nowhere else. The path and
query of an address often are the secret (a chat's webhook), so errors show scheme and host only.
"""

import asyncio
import contextlib
import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import BufferedReader
from typing import cast
from urllib.parse import SplitResult, urlsplit

from mailward.model.errors import MailwardError, PermanentFailure, TemporaryFailure
from mailward.notify.reading import in_a_thread
from mailward.notify.words import said

_ANSWER_BYTES = 4096
_SECRET_PIECE = 5
"""A shorter piece of an address is a word, not a secret."""
_LATER = frozenset({408, 425, 429})
_TO_MEND = {
    400: "it does not take what mailward sends: is the channel of the right kind?",
    401: "mend the token or password",
    403: "mend the token or password",
    404: "mend the address",
    405: "mend the address",
    410: "the address was taken away; make a new one",
    413: "it finds the message too large",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is sent."""

    channel: str
    method: str
    url: str
    timeout: timedelta
    trust: ssl.SSLContext
    """Whom to trust, where the address is https."""
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """Never to be shown, beside the path and query of the address."""


async def request(wanted: Request) -> None:
    """
    Send it, and return once the other side said that it took it (2xx).

    Raises:
        TemporaryFailure: Not reached, no proper answer in time, or "later" (408, 425, 429, 5xx).
        PermanentFailure: The address cannot be used, or the other side said no; the text says what to mend.
    """
    parts = _parsed(wanted)
    where = f"channel {wanted.channel}: {parts.scheme}://{parts.netloc}"
    exchange = _Exchange(wanted, parts)
    try:
        async with asyncio.timeout(wanted.timeout.total_seconds()):
            status, reason, text = await exchange.run()
    except TimeoutError:
        raise TemporaryFailure(f"{where} did not answer within {wanted.timeout.total_seconds():g} s") from None
    except ssl.SSLCertVerificationError as error:
        problem = f"{where}: the certificate does not verify: {error.verify_message}; mend it, or set ca_file"
        raise PermanentFailure(problem) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        words = said(str(error) or type(error).__name__, secrets=_hidden(wanted, parts))
        raise TemporaryFailure(f"{where} cannot be reached or does not speak HTTP: {words}") from error
    finally:
        exchange.abandon()
    words = said(f"{reason}: {text}", secrets=_hidden(wanted, parts))
    failure = _failure(status, f"{where} answered {status} {words}")
    if failure is not None:
        raise failure


class _Exchange:
    """The request in its thread; `abandon` ends it from outside, whatever it waits for on its socket."""

    def __init__(self, wanted: Request, parts: SplitResult) -> None:
        self._wanted = wanted
        self._parts = parts
        self._socket: socket.socket | None = None
        self._is_abandoned = False

    async def run(self) -> tuple[int, str, str]:
        """Status, reason, and the beginning of the answer. The thread is a daemon: a hung lookup keeps no exit."""
        return await in_a_thread(self._answered, name=f"channel {self._wanted.channel}")

    def abandon(self) -> None:
        """Close the connection, also under the hands of the thread; one that comes later is not used."""
        self._is_abandoned = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # SSLSocket's own shutdown first forgets its encryption: what the thread sends then would go in clear
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _answered(self) -> tuple[int, str, str]:
        context = self._wanted.trust if self._parts.scheme == "https" else None
        connection = self._connection(context)
        try:
            connection.sock = self._connect(context)
            wanted = self._wanted
            connection.request(wanted.method, _target(self._parts), body=wanted.body, headers=dict(wanted.headers))
            response = connection.getresponse()
            text = b""
            if response.status >= 300:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    text = response.read(_ANSWER_BYTES)
            return response.status, response.reason, text.decode(errors="replace")
        finally:
            connection.close()
            if self._socket is not None:
                self._socket.close()

    def _connection(self, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
        """Not connected yet: http.client speaks, we connect."""
        connection = http.client.HTTPConnection(self._parts.hostname or "", self._parts.port or _port(context))
        connection.default_port = _port(context)
        connection.response_class = _WholeResponse
        return connection

    def _connect(self, context: ssl.SSLContext | None) -> socket.socket:
        """Connect by ourselves, so that `abandon` can end a handshake too."""
        host = self._parts.hostname or ""
        timeout = self._wanted.timeout.total_seconds()
        stream = socket.create_connection((host, self._parts.port or _port(context)), timeout=timeout)
        self._socket = stream
        if self._is_abandoned:
            raise TimeoutError("connected too late")
        if context is None:
            return stream
        secure = context.wrap_socket(stream, server_hostname=host, do_handshake_on_connect=False)
        self._socket = secure
        secure.do_handshake()
        return secure


class _WholeResponse(http.client.HTTPResponse):
    """A response whose head came in whole: http.client takes the end of a connection for the end of the head."""

    def begin(self) -> None:
        """
        Read the head.

        Raises:
            IncompleteRead: The connection ended before the empty line.
        """
        stream = self.fp
        lines = _Lines(stream)
        self.fp = cast(BufferedReader, lines)
        super().begin()
        if self.fp is not None:
            self.fp = stream
        if not lines.last.endswith(b"\n"):
            raise http.client.IncompleteRead(lines.last)


class _Lines:
    """A stream that remembers the last line that was read from it."""

    def __init__(self, stream: BufferedReader) -> None:
        self.last = b""
        self._stream = stream

    def readline(self, limit: int = -1) -> bytes:
        self.last = self._stream.readline(limit)
        return self.last

    def close(self) -> None:
        self._stream.close()


def _parsed(wanted: Request) -> SplitResult:
    where = f"channel {wanted.channel}"
    if not wanted.url.isascii() or not wanted.url.isprintable() or " " in wanted.url:
        raise PermanentFailure(f"{where}: the address holds blanks or other characters that no address may hold")
    try:
        parts = urlsplit(wanted.url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise PermanentFailure(f"{where}: the address must begin with http://HOST or https://HOST")
    if "@" in parts.netloc:
        raise PermanentFailure(f"{where}: the address must not hold a user and password; use bearer_token_file")
    return parts


def _port(context: ssl.SSLContext | None) -> int:
    return http.client.HTTP_PORT if context is None else http.client.HTTPS_PORT


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _hidden(wanted: Request, parts: SplitResult) -> tuple[str, ...]:
    """What must not be shown, and the pieces of it that an answer may repeat."""
    pieces = [piece for piece in re.split(r"[/?&=;]", _target(parts)) if len(piece) >= _SECRET_PIECE]
    return (*wanted.secrets, wanted.url, _target(parts) if len(_target(parts)) > 1 else "", *pieces)


def _failure(status: int, words: str) -> MailwardError | None:
    if 200 <= status < 300:
        return None
    if status in _LATER or status >= 500 or status < 200:
        return TemporaryFailure(words)
    if status < 400:
        return PermanentFailure(f"{words}; redirects are not followed: put the address it leads to")
    return PermanentFailure(f"{words}; {_TO_MEND.get(status, 'mend the address or the token')}")
