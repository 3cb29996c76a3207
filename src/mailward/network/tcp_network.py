"""The network port over TCP."""

from collections.abc import Sequence
from datetime import timedelta

from mailward.model.organization import ImapEndpoint
from mailward.network.certificates import CertificateReader
from mailward.network.connecting import connect_to_any
from mailward.network.lookups import Lookup, Resolver, system_lookup
from mailward.network.loop_lag import LoopLag
from mailward.network.socket_stream import SocketStream
from mailward.network.tcp_stream import TcpStream
from mailward.network.tls_contexts import TlsContexts
from mailward.ports.network import Address


class TcpNetwork:
    """Makes TCP streams. One of it serves a whole process: it keeps TLS contexts and what it knows of certificates."""

    def __init__(self, *, lookup: Lookup = system_lookup) -> None:
        self._resolver = Resolver(lookup)
        self._contexts = TlsContexts()
        self._certificates = CertificateReader()
        self._lag = LoopLag()

    async def resolve(self, endpoint: ImapEndpoint, *, timeout: float) -> tuple[Address, ...]:
        """
        Return every address of the endpoint's host in the order to try them.

        Raises:
            NetworkFailure: NAME_UNKNOWN, NAME_SERVICE_FAILED or TIMEOUT.
        """
        self._lag.watch()
        return await self._resolver.resolve(endpoint.host, endpoint.port, timeout=timeout)

    async def connect(self, endpoint: ImapEndpoint, addresses: Sequence[Address], *, timeout: float) -> TcpStream:
        """
        Return a plain stream to the first address that answers.

        Raises:
            NetworkFailure: REFUSED, UNREACHABLE or TIMEOUT, naming every address tried; PROBER_FAULT where our own
                source address or machine stands in the way.
        """
        self._lag.watch()
        made = await connect_to_any(endpoint, addresses, timeout=timeout)

        async def reconnect(seconds: float) -> SocketStream:
            again = await connect_to_any(endpoint, (made.address,), timeout=seconds)
            return SocketStream(again.socket, again.readiness, peer=str(again.address))

        return TcpStream(
            made.socket,
            made.readiness,
            peer=str(made.address),
            endpoint=endpoint,
            contexts=self._contexts,
            certificates=self._certificates,
            reconnect=reconnect,
            tried=made.tried,
        )

    def loop_lag(self) -> timedelta:
        """How late this process's own loop was: the worst of the last second."""
        return self._lag.worst()
