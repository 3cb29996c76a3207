"""
A small simulation on real addresses: every host listens with TLS on its own 127.x address, all in this process.

For machines without Dovecot: whatever reaches an IMAP server reaches these, over real sockets and real handshakes.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from mailward.lab.addresses import free_network
from mailward.lab.blueprint import DOMAIN, Shape
from mailward.lab.certificates import Certificate
from mailward.lab.simulated.drawing import Site
from mailward.lab.simulated.host import SimulatedHost
from mailward.lab.simulated.simulation import Simulation
from mailward.network import TcpNetwork
from mailward.testing.scripted_server import ScriptedServer

if TYPE_CHECKING:
    import trustme

_DAYS_LEFT = {
    Certificate.GOOD: 60,
    Certificate.RENEWED: 90,
    Certificate.EXPIRED: -2,
    Certificate.UNTRUSTED: 60,
    Certificate.MISNAMED: 60,
}


@asynccontextmanager
async def on_loopback(shape: Shape, directory: Path) -> AsyncIterator[Simulation]:
    """
    Serve a simulation as small as the Dovecot lab for as long as the context lasts; nothing is left behind.

    Args:
        shape: What kind of organization.
        directory: Where its certificate authority's certificate is put; it must exist.

    Raises:
        PermanentFailure: This machine has no free loopback addresses and ports.
    """
    network, ports = free_network()
    ca_file = directory / "ca.pem"
    site = Site(network=f"{network}.0", port=ports.imaps, ca_file=str(ca_file), source_address=f"{network}.5")
    simulation = Simulation(shape, site=site)
    contexts = _write_certificates(simulation, ca_file)
    simulation.network, simulation.is_on_loopback = TcpNetwork(), True
    serving = [_Serving(host, contexts[host.name], site.port) for host in simulation.running.by_name.values()]
    tasks = [asyncio.create_task(one.serve(), name=f"simulated {one.host.name}") for one in serving]
    try:
        for one in serving:
            await one.settled.wait()
        yield simulation
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Serving:
    """Keeps the listener of one host as the host is: closed while its service does not run."""

    def __init__(self, host: SimulatedHost, contexts: Mapping[Certificate, ssl.SSLContext], port: int) -> None:
        self.host = host
        self.settled = asyncio.Event()
        self._contexts = contexts
        self._port = port
        self._changed = asyncio.Event()
        host.on_change = self._changed.set

    async def serve(self) -> None:
        """Listen, and begin anew with every change of the service or its certificate; open sessions end with it."""
        while True:
            self._changed.clear()
            if self.host.is_listening:
                context = self._contexts[self.host.serves]
                server = ScriptedServer(self.host, tls=context, host=self.host.address)
                async with server.listening(self._port):
                    self.settled.set()
                    await self._changed.wait()
            else:
                await self._changed.wait()


def _write_certificates(simulation: Simulation, ca_file: Path) -> Mapping[str, Mapping[Certificate, ssl.SSLContext]]:
    """Make every host's certificates, and tell the hosts their fingerprints."""
    import trustme  # noqa: PLC0415 - takes 100 ms to load

    authority = trustme.CA(organization_name="mailward lab")
    stranger = trustme.CA(organization_name="an authority nobody knows")
    authority.cert_pem.write_to_path(str(ca_file))
    now = datetime.now(UTC)  # noqa: TID251 - certificates need real time
    contexts: dict[str, dict[Certificate, ssl.SSLContext]] = {}
    for host in simulation.running.by_name.values():
        contexts[host.name] = {}
        for kind, days in _DAYS_LEFT.items():
            issuer = stranger if kind is Certificate.UNTRUSTED else authority
            name = f"elsewhere.{DOMAIN}" if kind is Certificate.MISNAMED else f"{host.name}.{DOMAIN}"
            leaf = _issue(issuer, name, ends=now + timedelta(days=days))
            contexts[host.name][kind] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            leaf.configure_cert(contexts[host.name][kind])
            pem = leaf.cert_chain_pems[0].bytes().decode()
            host.fingerprints[kind] = sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        host.put_certificate(Certificate.GOOD)
    return contexts


def _issue(issuer: "trustme.CA", name: str, *, ends: datetime) -> "trustme.LeafCert":
    naive = ends.astimezone(UTC).replace(tzinfo=None)
    return issuer.issue_cert(name, common_name=name, not_before=naive - timedelta(days=120), not_after=naive)
