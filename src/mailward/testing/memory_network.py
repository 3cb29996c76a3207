"""
The Network port without sockets: servers under test, found by "host:port", in memory.

Time is not spent: a server that is silent for longer than the reader has left is a time-out at once. Only where a
server may still speak unasked (a push to an idling client) is real time waited for.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta

from mailward.model.organization import ImapEndpoint, Security
from mailward.model.probing import Cause, Certificate
from mailward.ports.network import Address, NetworkFailure, TlsInfo
from mailward.testing.steps import Close, Flood, Reset, Say, Server, Session, Stall, StartTls, Step, Wait

_TLS = TlsInfo(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384")


class ScriptedNetwork:
    """
    A network of servers in memory.

    Args:
        servers: By "host:port". A host none of them has is an unknown name; a port nobody has refuses.
        tls_failures: By "host:port": what a handshake there fails with, and the certificate that was refused.
        silent: Every "host:port" whose packets are lost: a connect times out.
    """

    def __init__(
        self,
        servers: Mapping[str, Server],
        *,
        tls_failures: Mapping[str, tuple[Cause, Certificate | None]] | None = None,
        silent: Sequence[str] = (),
        certificate: Certificate | None = None,
    ) -> None:
        self.servers = dict(servers)
        self.tls_failures = dict(tls_failures or {})
        self.silent = set(silent)
        self.lag = timedelta(0)
        self.open_streams = 0
        """How many streams have not been closed."""
        self.connections = 0
        self._certificate = certificate

    async def resolve(self, endpoint: ImapEndpoint, *, timeout: float) -> tuple[Address, ...]:  # noqa: ARG002 - no time is spent
        """Know the hosts of the servers, and numeric ones."""
        hosts = {name.rpartition(":")[0] for name in (*self.servers, *self.silent)}
        if endpoint.host in hosts or endpoint.host.replace(".", "").isdigit():
            return (Address(host=endpoint.host, port=endpoint.port),)
        raise NetworkFailure(Cause.NAME_UNKNOWN, f"there is no address for the name {endpoint.host}")

    async def connect(self, endpoint: ImapEndpoint, addresses: Sequence[Address], *, timeout: float) -> "MemoryStream":
        """Connect to the first of *addresses* where there is a server."""
        tried: list[str] = []
        cause = Cause.REFUSED
        for address in addresses:
            name = f"{address.host}:{address.port}"
            if name in self.silent:
                cause = Cause.TIMEOUT
                tried.append(f"{address}: no answer within {timeout:g} s")
            elif name not in self.servers:
                tried.append(f"{address}: connection refused")
            else:
                self.connections += 1
                return MemoryStream(self, endpoint, name, str(address), self.servers[name].session())
        raise NetworkFailure(cause, "; ".join(tried), tried=tried)

    def loop_lag(self) -> timedelta:
        """What a test set as `lag`."""
        return self.lag

    def handshake(self, name: str) -> TlsInfo:
        """
        Return what a handshake with the server *name* agrees on.

        Raises:
            NetworkFailure: The one it was told to fail with.
        """
        if name in self.tls_failures:
            cause, certificate = self.tls_failures[name]
            raise NetworkFailure(cause, f"{name}: {cause.value}", tried=(name,), certificate=certificate)
        return TlsInfo(version=_TLS.version, cipher=_TLS.cipher, certificate=self._certificate)


class MemoryStream:
    """A connection in memory."""

    def __init__(
        self, network: ScriptedNetwork, endpoint: ImapEndpoint, name: str, peer: str, session: Session
    ) -> None:
        self._network = network
        self._endpoint = endpoint
        self._name = name
        self._peer = peer
        self._session = session
        self._steps: deque[Step] = deque(session.opening(self._pushed))
        self._news = asyncio.Event()
        self._tls: TlsInfo | None = None
        self._is_closed = False
        network.open_streams += 1

    @property
    def peer(self) -> str:
        """The address that answered, as text with port."""
        return self._peer

    @property
    def tls(self) -> TlsInfo | None:
        """What TLS agreed on, or None while the stream is plain."""
        return self._tls

    async def read(self, *, timeout: float) -> bytes:
        """Return the server's next words, b"" when it has closed."""
        self._refuse_if_closed()
        left = timeout
        while True:
            if not self._steps:
                await self._wait_for_news(left, timeout)
                continue
            step = self._steps[0]
            match step:
                case Say(data):
                    self._steps.popleft()
                    if data:
                        return data
                case Flood(data):
                    await asyncio.sleep(0)
                    return data
                case Close():
                    return b""
                case Reset():
                    raise NetworkFailure(Cause.CLOSED, f"{self._peer}: the connection was lost: connection reset")
                case Wait(seconds) if seconds <= left:
                    left -= seconds
                    self._steps.popleft()
                case Wait(seconds):
                    self._steps[0] = Wait(seconds - left)
                    raise self._timed_out("answer", timeout)
                case Stall() | StartTls():
                    raise self._timed_out("answer", timeout)

    async def write(self, data: bytes, *, timeout: float) -> None:  # noqa: ARG002 - no time is spent
        """Let the server hear *data*."""
        self._refuse_if_closed()
        if data:
            self._steps.extend(self._session.hear(data))

    async def start_tls(self, *, timeout: float) -> None:
        """Do the handshake, if the server is about to."""
        self._refuse_if_closed()
        left = timeout
        while self._steps and isinstance(step := self._steps[0], Wait):
            left -= step.seconds
            if left < 0:
                raise self._timed_out("end of the TLS handshake", timeout)
            self._steps.popleft()
        match self._steps[0] if self._steps else None:
            case StartTls():
                self._steps.popleft()
                self._tls = self._network.handshake(self._name)
            case Say() | Flood():
                raise self._spoke_early()
            case Close() | Reset():
                raise NetworkFailure(
                    Cause.CLOSED, f"{self._peer}: the server closed the connection during the TLS handshake"
                )
            case _:
                raise self._timed_out("end of the TLS handshake", timeout)

    async def close(self) -> None:
        """Close at once."""
        if not self._is_closed:
            self._is_closed = True
            self._network.open_streams -= 1
            self._session.gone()

    def _spoke_early(self) -> NetworkFailure:
        if self._endpoint.security is Security.STARTTLS:
            detail = f"{self._peer}: the server sent data between its OK to STARTTLS and the handshake"
            return NetworkFailure(Cause.PROTOCOL_VIOLATION, detail)
        return NetworkFailure(Cause.TLS_FAILED, f"{self._peer}: the server does not speak TLS on this port")

    async def _wait_for_news(self, left: float, timeout: float) -> None:
        """Wait for a push; a script that waits to hear something will never speak before."""
        if not self._session.may_push:
            raise self._timed_out("answer", timeout)
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), max(left, 0))
        except TimeoutError:
            raise self._timed_out("answer", timeout) from None

    def _pushed(self, steps: Sequence[Step]) -> None:
        self._steps.extend(steps)
        self._news.set()

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise NetworkFailure(Cause.CLOSED, f"the connection to {self._peer} has been closed by us")

    def _timed_out(self, what: str, timeout: float) -> NetworkFailure:
        return NetworkFailure(Cause.TIMEOUT, f"{self._peer}: no {what} within {timeout:.3g} s", tried=(self._peer,))
