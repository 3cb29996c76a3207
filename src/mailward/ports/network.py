"""Streams to servers: name resolution, TCP, TLS. Every operation has a deadline and ends by it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from mailward.model.organization import ImapEndpoint
from mailward.model.probing import Cause, Certificate


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """One address a name resolved to."""

    host: str
    """Numeric, IPv4 or IPv6."""
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class NetworkFailure(Exception):
    """The network or TLS said no: a fact about what is probed, raised only between a Stream and its probe."""

    def __init__(
        self, cause: Cause, detail: str, *, tried: Sequence[str] = (), certificate: Certificate | None = None
    ) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail
        self.tried = tuple(tried)
        """Every address tried, with what it answered."""
        self.certificate = certificate
        """The certificate that was refused, described by a second, read-only handshake."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsInfo:
    """What a finished handshake agreed on."""

    version: str
    cipher: str
    certificate: Certificate | None = field(default=None)


class Stream(Protocol):
    """One connection. All waits are bounded by *timeout* seconds and raise NetworkFailure(TIMEOUT) at its end."""

    @property
    def peer(self) -> str:
        """The address that answered, as text with port."""
        ...

    @property
    def tls(self) -> TlsInfo | None:
        """What TLS agreed on, or None while the stream is plain."""
        ...

    async def read(self, *, timeout: float) -> bytes:
        """
        Return some bytes, or b"" at the end of the stream.

        Raises:
            NetworkFailure: TIMEOUT, or CLOSED when the peer reset the connection.
        """
        ...

    async def write(self, data: bytes, *, timeout: float) -> None:
        """Send all of *data*."""
        ...

    async def start_tls(self, *, timeout: float) -> None:
        """
        Do the handshake now, by the endpoint's policy: the TLS phase of implicit TLS, or STARTTLS.

        Raises:
            NetworkFailure: TLS_*, TIMEOUT, CLOSED, or PROTOCOL_VIOLATION when unread plain bytes are waiting
                (response injection before the handshake).
        """
        ...

    async def close(self) -> None:
        """Close at once. Never waits for the peer, never raises."""
        ...


class Network(Protocol):
    """Makes streams."""

    async def resolve(self, endpoint: ImapEndpoint, *, timeout: float) -> tuple[Address, ...]:
        """
        Return every address of the endpoint's host in the order to try them.

        Raises:
            NetworkFailure: NAME_UNKNOWN, NAME_SERVICE_FAILED or TIMEOUT.
        """
        ...

    async def connect(self, endpoint: ImapEndpoint, addresses: Sequence[Address], *, timeout: float) -> Stream:
        """
        Return a plain stream to the first address that answers; TLS is a phase of its own (`start_tls`).

        Raises:
            NetworkFailure: REFUSED, UNREACHABLE or TIMEOUT, naming every address tried.
        """
        ...

    def loop_lag(self) -> timedelta:
        """How late this process's own loop was in the last moments: the worst of the last second."""
        ...
