"""A `SocketStream` that knows its endpoint: whom to trust, and how to describe the certificate it does not trust."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime

from mailward.model.organization import ImapEndpoint, Security
from mailward.model.probing import Cause, Certificate
from mailward.network import failures
from mailward.network.certificates import CertificateReader
from mailward.network.readiness import Readiness
from mailward.network.socket_stream import SocketStream
from mailward.network.tls_contexts import TlsContexts
from mailward.network.untrusted import Reconnect, look_at_certificate
from mailward.ports.network import NetworkFailure, TlsInfo

_LOOK = 3.0
"""Seconds the unverified handshakes may take together; within what is left of the phase."""
_LOOKS = 4
"""With two servers behind a load balancer that sends in turns, the second look meets the one we want."""


class TcpStream(SocketStream):
    """The network port's stream over TCP."""

    def __init__(
        self,
        connected: socket.socket,
        readiness: Readiness,
        *,
        peer: str,
        endpoint: ImapEndpoint,
        contexts: TlsContexts,
        certificates: CertificateReader,
        reconnect: Reconnect,
        tried: Sequence[str] = (),
    ) -> None:
        super().__init__(connected, readiness, peer=peer)
        self._endpoint = endpoint
        self._contexts = contexts
        self._certificates = certificates
        self._reconnect = reconnect
        self._tried = tuple(tried)
        self._tls: TlsInfo | None = None

    @property
    def tls(self) -> TlsInfo | None:
        """What TLS agreed on, or None while the stream is plain."""
        return self._tls

    @property
    def tried(self) -> tuple[str, ...]:
        """The addresses that failed before this one answered, each with what it said."""
        return self._tried

    async def start_tls(self, *, timeout: float) -> None:
        """
        Do the handshake by the endpoint's policy.

        Raises:
            NetworkFailure: TLS_*, TIMEOUT, CLOSED; PROTOCOL_VIOLATION when plain bytes are waiting after STARTTLS;
                PROBER_FAULT when the policy itself cannot be used.
        """
        if self._tls is not None:
            raise NetworkFailure(Cause.PROBER_FAULT, f"{self.peer}: the stream is encrypted already")
        policy = self._endpoint.tls
        context = self._contexts.of(policy)
        if early := self.waiting_bytes():
            raise self._spoke_early(early)
        name = policy.expected_name or self._endpoint.host.strip("[]").split("%")[0]
        ends = asyncio.get_running_loop().time() + timeout
        try:
            agreed = await self.handshake(context, name, timeout=timeout)
        except (OSError, ValueError) as error:
            raise await self._refused(error, name, ends) from error
        secure = self.secure_socket
        assert secure is not None
        certificate = self._certificates.describe_agreed(secure)
        self._tls = TlsInfo(version=agreed.version, cipher=agreed.cipher, certificate=certificate)

    def _spoke_early(self, early: bytes) -> NetworkFailure:
        words = early.splitlines()[0].decode("ascii", "backslashreplace")[:60] if early.strip() else repr(early[:20])
        if self._endpoint.security is Security.STARTTLS:
            detail = f"{self.peer}: the server sent data between its OK to STARTTLS and the handshake"
            return NetworkFailure(Cause.PROTOCOL_VIOLATION, detail, tried=(self.peer,))
        detail = f"{self.peer}: the server does not speak TLS on this port; it says {words!r} in the clear"
        return NetworkFailure(Cause.TLS_FAILED, detail, tried=(self.peer,))

    async def _refused(self, error: OSError | ValueError, name: str, ends: float) -> NetworkFailure:
        if not isinstance(error, OSError):  # a name that cannot be a host name
            return NetworkFailure(Cause.PROBER_FAULT, f"{name!r} cannot be the name of a server: {error}")
        cause, words = failures.of_handshake(error)
        certificate = None
        if isinstance(error, ssl.SSLCertVerificationError):
            self.abandon()
            certificate = await self._look(cause, error.verify_message, name, ends)
        return NetworkFailure(cause, f"{self.peer}: {words}", tried=(self.peer,), certificate=certificate)

    async def _look(self, cause: Cause, problem: str, name: str, ends: float) -> Certificate | None:
        """
        Describe the certificate that was refused.

        Behind a load balancer the second look may meet another server than the first. One whose dates are not what
        was wrong is another one, so we look again a few times; an expired intermediate shows such dates too, and so
        the last one stands.
        """
        ends = min(ends, asyncio.get_running_loop().time() + _LOOK)
        certificate = None
        for _ in range(_LOOKS):
            left = ends - asyncio.get_running_loop().time()
            der = await look_at_certificate(self._reconnect, self._endpoint, name, timeout=left) if left > 0 else None
            if der is None:
                break
            certificate = self._certificates.describe_refused(der, problem)
            if certificate is None or _explains(certificate, cause, datetime.now(UTC)):  # noqa: TID251 - OpenSSL refused it by the real time
                break
        return certificate


def _explains(certificate: Certificate, cause: Cause, now: datetime) -> bool:
    """Whether it may be the one that was refused for *cause*; what is not about dates cannot be told from it."""
    if cause is Cause.TLS_EXPIRED:
        return certificate.not_after < now
    if cause is Cause.TLS_NOT_YET_VALID:
        return certificate.not_before > now
    return True
