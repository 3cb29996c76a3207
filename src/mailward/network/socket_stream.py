"""
One TCP connection, plain or TLS: a non-blocking socket and nothing between it and the caller.

Nothing is buffered here: a read takes at most 16 KiB from the kernel or from OpenSSL when somebody asks for it, so a
server that floods us fills its own side. An asyncio TLS transport would hold six times the memory (dependencies §1).
"""

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from mailward.model.probing import Cause
from mailward.network import failures
from mailward.network.readiness import Expired, Readiness
from mailward.ports.network import NetworkFailure, TlsInfo

CHUNK = 16_384
_PEEKED = 80
_T = TypeVar("_T")


class SocketStream:
    """A connected socket with deadlines. Whom to trust is the business of `TcpStream`."""

    def __init__(self, connected: socket.socket, readiness: Readiness, *, peer: str) -> None:
        self._socket = connected
        self._readiness = readiness
        self._peer = peer
        self._is_closed = False

    @property
    def peer(self) -> str:
        """The address that answered, as text with port."""
        return self._peer

    @property
    def secure_socket(self) -> ssl.SSLSocket | None:
        """The TLS socket, once there is one."""
        return self._socket if isinstance(self._socket, ssl.SSLSocket) else None

    async def read(self, *, timeout: float) -> bytes:
        """
        Return some bytes, or b"" at the end of the stream.

        Raises:
            NetworkFailure: TIMEOUT, CLOSED when the peer reset the connection, TLS_FAILED when TLS broke down.
        """
        secure = self.secure_socket
        at_once = secure is not None and secure.pending() > 0
        receive = self._socket.recv
        return await self._do(lambda: receive(CHUNK), "an answer", timeout, at_once=at_once)

    async def write(self, data: bytes, *, timeout: float) -> None:
        """
        Send all of *data*.

        Raises:
            NetworkFailure: TIMEOUT when the peer takes nothing, CLOSED when it is gone.
        """
        left = memoryview(data)

        def attempt() -> None:
            nonlocal left
            while left:
                try:
                    left = left[self._socket.send(left) :]
                except BlockingIOError:
                    raise ssl.SSLWantWriteError from None

        if data:
            await self._do(attempt, "taking of our bytes", timeout)

    async def handshake(self, context: ssl.SSLContext, name: str, *, timeout: float) -> TlsInfo:
        """
        Do a TLS handshake.

        Raises:
            OSError: As OpenSSL and the kernel say it, for the caller to explain.
            NetworkFailure: TIMEOUT.
        """
        self._readiness.stop()
        secure = context.wrap_socket(self._socket, server_hostname=name, do_handshake_on_connect=False)
        self._socket = secure
        try:
            await self._readiness.run(secure.do_handshake, timeout=timeout)
        except Expired:
            raise self._timed_out("end of the TLS handshake", timeout) from None
        cipher = secure.cipher()
        return TlsInfo(version=secure.version() or "", cipher=cipher[0] if cipher else "")

    def waiting_bytes(self) -> bytes:
        """What lies unread in the kernel, left where it is. Only while the stream is plain."""
        try:
            return self._socket.recv(_PEEKED, socket.MSG_PEEK)
        except OSError:
            return b""

    async def close(self) -> None:
        """Close at once. Never waits for the peer, never raises."""
        self.abandon()

    def abandon(self) -> None:
        """Close at once, also where nothing can be awaited."""
        if self._is_closed:
            return
        self._is_closed = True
        with contextlib.suppress(Exception):
            self._readiness.stop()
        if (secure := self.secure_socket) is not None:
            with contextlib.suppress(OSError, ValueError):
                secure.unwrap()  # says good-bye (close_notify); the answer is not waited for
        with contextlib.suppress(OSError):
            self._socket.close()

    async def _do(self, attempt: Callable[[], _T], what: str, timeout: float, *, at_once: bool = True) -> _T:
        if self._is_closed:
            raise NetworkFailure(Cause.CLOSED, f"the connection to {self._peer} has been closed by us")
        try:
            return await self._readiness.run(attempt, timeout=timeout, at_once=at_once)
        except Expired:
            raise self._timed_out(what, timeout) from None
        except OSError as error:
            cause, words = failures.of_stream(error)
            raise NetworkFailure(cause, f"{self._peer}: {words}", tried=(self._peer,)) from error

    def _timed_out(self, what: str, timeout: float) -> NetworkFailure:
        return NetworkFailure(Cause.TIMEOUT, f"{self._peer}: no {what} within {timeout:.3g} s", tried=(self._peer,))
