"""The Network port on simulated hosts, in memory: no sockets, and no time is spent waiting for what is silent."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from mailward.lab.blueprint import DOMAIN
from mailward.lab.certificates import Certificate as Kind
from mailward.lab.simulated.host import SimulatedHost
from mailward.model.organization import ImapEndpoint
from mailward.model.probing import Cause, Certificate
from mailward.ports.network import Address, NetworkFailure, TlsInfo
from mailward.testing.memory_network import MemoryStream, ScriptedNetwork

_DAYS_LEFT = {Kind.GOOD: 60, Kind.RENEWED: 90, Kind.EXPIRED: -2, Kind.UNTRUSTED: 60, Kind.MISNAMED: 60}
_FAULTS = {Kind.EXPIRED: Cause.TLS_EXPIRED, Kind.UNTRUSTED: Cause.TLS_UNTRUSTED, Kind.MISNAMED: Cause.TLS_NAME}


class SimulatedNetwork(ScriptedNetwork):
    """
    Reaches every host by its address.

    Args:
        hosts: The hosts.
        port: The one port each listens on.
        since: When their certificates were issued, so to speak.
    """

    def __init__(self, hosts: Iterable[SimulatedHost], *, port: int, since: datetime) -> None:
        self._hosts = {f"{host.address}:{port}": host for host in hosts}
        self._since = since
        super().__init__(self._hosts)

    async def resolve(self, endpoint: ImapEndpoint, *, timeout: float) -> tuple[Address, ...]:  # noqa: ARG002 - no time is spent
        """Know numeric addresses only: a simulation has no names."""
        if not endpoint.host.replace(".", "").isdigit():
            raise NetworkFailure(Cause.NAME_UNKNOWN, f"there is no address for the name {endpoint.host}")
        return (Address(host=endpoint.host, port=endpoint.port),)

    async def connect(self, endpoint: ImapEndpoint, addresses: Sequence[Address], *, timeout: float) -> MemoryStream:
        """Connect to the first of *addresses* where a host listens."""
        self.silent = {name for name in map(str, addresses) if name in self._hosts and self._hosts[name].is_cut}
        listening = [a for a in addresses if (host := self._hosts.get(str(a))) is None or host.is_listening]
        if not listening:
            tried = [f"{address}: connection refused" for address in addresses]
            raise NetworkFailure(Cause.REFUSED, "; ".join(tried), tried=tried)
        return await super().connect(endpoint, listening, timeout=timeout)

    def handshake(self, name: str) -> TlsInfo:
        """
        Return what a handshake with the host at *name* agrees on.

        Raises:
            NetworkFailure: Its certificate does not verify.
        """
        host = self._hosts[name]
        certificate = described(host, since=self._since)
        cause = _FAULTS.get(host.serves)
        if cause is not None:
            raise NetworkFailure(cause, f"{name}: {cause.value}", tried=(name,), certificate=certificate)
        return TlsInfo(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", certificate=certificate)


def described(host: SimulatedHost, *, since: datetime) -> Certificate:
    """The certificate a host serves, as a handshake would describe it."""
    name = f"elsewhere.{DOMAIN}" if host.serves is Kind.MISNAMED else f"{host.name}.{DOMAIN}"
    ends = since + timedelta(days=_DAYS_LEFT[host.serves])
    stranger = host.serves is Kind.UNTRUSTED
    fault = _FAULTS.get(host.serves)
    return Certificate(
        subject=f"CN={name}",
        issuer=f"O={'an authority nobody knows' if stranger else 'mailward lab'}",
        names=(name,),
        not_before=ends - timedelta(days=120),
        not_after=ends,
        sha256=host.fingerprints[host.serves],
        verified=fault is None,
        problem=fault.value if fault else None,
    )
