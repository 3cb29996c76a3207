"""
The far end of each kind of channel: real servers on loopback that take, refuse, hang, babble or hang up.

`far_end(kind, manner)` gives the notifier and what arrived.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import Message

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from mailward.model.channels import Channel, ChannelKind
from mailward.model.errors import PermanentFailure, TemporaryFailure
from mailward.model.organization import SecretKind, SecretRef
from mailward.notify.channels import notifier_for
from mailward.ports.notifier import Notifier
from mailward.testing.notifier import TameNotifier
from mailward.testing.platform import KnownSecrets

HOST = "127.0.0.1"
SECRETS = {"password": "s3cret-pass", "token": "t0ken-of-the-hook", "url": ""}
TAKES, LATER, NEVER = "takes", "later", "never"
HANGS, BABBLES, HANGS_UP, ABSENT, DRIPS = "hangs", "babbles", "hangs up", "absent", "drips"
HOSTILE = (HANGS, BABBLES, HANGS_UP, ABSENT, DRIPS)


@dataclass
class FarEnd:
    """What arrived, and the notifier that sends there."""

    channel: Channel
    notifier: Notifier
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    """HTTP: request line, headers in lower case, body."""
    mails: list[Message] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    tls: list[bool] = field(default_factory=list)

    def arrived(self) -> int:
        """How many alerts, or pings, came in whole."""
        if isinstance(self.notifier, TameNotifier):
            return len(self.notifier.sent)
        return len(self.requests) + len(self.mails)

    def marks(self) -> list[str]:
        """By what a repeated attempt can be recognised."""
        if isinstance(self.notifier, TameNotifier):
            return [sent.identity for sent in self.notifier.sent]
        return [str(mail["Message-ID"]) for mail in self.mails] + [
            headers.get("idempotency-key", "") for _, headers, _ in self.requests
        ]


class SmtpHandler:
    def __init__(self, far: FarEnd, manner: str) -> None:
        self.far = far
        self.manner = manner

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # noqa: N802
        if self.manner == NEVER or address.startswith("nobody"):
            return "550 5.1.1 there is no such user"
        if address.startswith("greylisted"):
            return "450 4.2.0 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802
        if self.manner == LATER:
            return "451 4.3.0 greylisted, come again"
        self.far.mails.append(message_from_bytes(envelope.original_content))
        self.far.tls.append(session.ssl is not None)
        return "250 OK"

    def login(self, server, session, envelope, mechanism, auth_data) -> AuthResult:
        given = (auth_data.login.decode(), auth_data.password.decode())
        self.far.logins.append(given)
        return AuthResult(success=given == ("alerts", SECRETS["password"]), handled=False)


ANSWERS = {
    TAKES: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    LATER: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\noverload!",
    NEVER: b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nno %s",
}


class HttpServer:
    def __init__(self, far: FarEnd, manner: str, answer: bytes | None = None) -> None:
        self.far = far
        self.answer = answer or ANSWERS[manner]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (header.split(": ", 1) for header in rest)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            if b" 200 " in self.answer:
                self.far.requests.append((line, headers, body))
            writer.write(self.answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def hostile(manner: str, greeting: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if manner == BABBLES:
                writer.write(b"\x00\xff garbage \x1b[31m" * 2000 + b"\r\n")
                await writer.drain()
            elif manner == HANGS:
                await reader.read(65_536)
                await reader.read()
            elif manner == DRIPS:
                writer.write(greeting)
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            else:
                writer.write(greeting)
                await reader.read(10)
        except ConnectionError:
            pass
        finally:
            writer.close()

    return serve


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_context(authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority, tmp_path) -> str:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return str(file)


@pytest.fixture
async def far_end() -> AsyncIterator[Callable[..., Awaitable[FarEnd]]]:
    """Start a far end of that kind and manner; other arguments are fields of the channel or settings of the server."""
    servers: list[asyncio.Server] = []

    async def start(
        kind: str,
        manner: str = TAKES,
        *,
        answer: bytes | None = None,
        tls_context: ssl.SSLContext | None = None,
        starttls_context: ssl.SSLContext | None = None,
        wants_login: bool = False,
        login_needs_tls: bool = True,
        path: str = "/hooks/t0pSecretPath?key=q8w7e6",
        timeout: float = 2.0,
        **fields: object,
    ) -> FarEnd:
        if kind == "tame":
            return _tame(manner, timeout)
        far = FarEnd(channel=Channel(name=kind, kind=ChannelKind(kind)), notifier=TameNotifier())
        port = free_port()
        logins = {"auth_required": wants_login, "auth_require_tls": login_needs_tls}
        server = await _serve(far, kind, manner, port, answer, tls_context, starttls_context, logins)
        if server is not None:
            servers.append(server)
        scheme = "https" if tls_context is not None else "http"
        common = {"timeout": timedelta(seconds=timeout)}
        if kind == "smtp":
            common |= {
                "host": HOST,
                "port": port,
                "sender": "mailward@example.org",
                "recipients": ("duty@example.org",),
            }
        else:
            common |= {"url": f"{scheme}://{HOST}:{port}{path}"}
        far.channel = replace(far.channel, **(common | fields))  # type: ignore[arg-type]
        far.notifier = notifier_for(far.channel, KnownSecrets(SECRETS | {"url": far.channel.url}))
        return far

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def _serve(far, kind, manner, port, answer, tls_context, starttls_context, logins) -> asyncio.Server | None:
    if manner == ABSENT:
        return None
    if manner in HOSTILE:
        greeting = b"220 far end" if kind == "smtp" else b"HTTP/1.1 200"
        return await asyncio.start_server(hostile(manner, greeting), HOST, port)
    if kind != "smtp":
        return await asyncio.start_server(HttpServer(far, manner, answer).serve, HOST, port, ssl=tls_context)
    handler = SmtpHandler(far, manner)

    def session() -> SMTP:
        return SMTP(
            handler,
            hostname="relay.example.org",
            tls_context=starttls_context,
            authenticator=handler.login,
            **logins,
        )

    return await asyncio.get_running_loop().create_server(session, HOST, port, ssl=tls_context)


def _tame(manner: str, timeout: float) -> FarEnd:
    notifier = TameNotifier(timeout=timedelta(seconds=timeout))
    if manner == NEVER:
        notifier.failure = PermanentFailure("channel tame: as the test says; mend it")
    elif manner == HANGS:
        notifier.hangs = True
    elif manner != TAKES:
        notifier.failure = TemporaryFailure(f"channel tame: {manner}")
    return FarEnd(channel=Channel(name="tame", kind=ChannelKind.WEBHOOK), notifier=notifier)


@pytest.fixture
def secret() -> Callable[[str], SecretRef]:
    return lambda name: SecretRef(kind=SecretKind.FILE, name=name)


@pytest.fixture
def hung_file(tmp_path) -> Iterator[str]:
    """A file on a disk that hangs: whoever opens it to read waits until the test is over."""
    path = tmp_path / "hangs"
    os.mkfifo(path, 0o600)
    yield str(path)
    with contextlib.suppress(OSError):  # ENXIO: nobody reads
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
