"""
Looking at a certificate that does not verify: a second connection whose only purpose is to see it.

OpenSSL gives no certificate out of a handshake it has refused. Nothing is sent over the second connection but what
leads to the handshake, and no word the server says over it counts.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from mailward.imap import Conversation, Limits, LocalProtocolError, RemoteProtocolError, StartTls
from mailward.model.organization import ImapEndpoint, Security
from mailward.network.socket_stream import SocketStream
from mailward.ports.network import NetworkFailure

#: Opens one more connection to the same address within so many seconds.
Reconnect = Callable[[float], Awaitable[SocketStream]]

_LIMITS = Limits(conversation_bytes=65_536)


async def look_at_certificate(
    reconnect: Reconnect, endpoint: ImapEndpoint, name: str, *, timeout: float
) -> bytes | None:
    """Return the DER form of the certificate the server presents, or None where it cannot be had within *timeout*."""
    ends = asyncio.get_running_loop().time() + timeout
    stream: SocketStream | None = None
    try:
        stream = await reconnect(timeout)
        if endpoint.security is Security.STARTTLS:
            await _ask_for_tls(stream, ends)
        await stream.handshake(_trusting(), name, timeout=_left(ends))
        secure = stream.secure_socket
        return secure.getpeercert(True) if secure else None
    except (NetworkFailure, OSError, ValueError, LocalProtocolError, RemoteProtocolError):
        return None
    finally:
        if stream is not None:
            stream.abandon()


async def _ask_for_tls(stream: SocketStream, ends: float) -> None:
    talk = Conversation(security=Security.STARTTLS, limits=_LIMITS)
    while talk.greeting is None:
        talk.receive(await stream.read(timeout=_left(ends)))
    talk.send(StartTls())
    await stream.write(talk.data_to_send(), timeout=_left(ends))
    while talk.reply is None:
        talk.receive(await stream.read(timeout=_left(ends)))
    talk.tls_established()


def _left(ends: float) -> float:
    return ends - asyncio.get_running_loop().time()


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
