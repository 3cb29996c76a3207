"""
The lab's own certificate authority: for each host a good certificate and every bad one that a fault may serve.

All of them are made before the lab starts, so that no authority's key ever lies on disk. Each kind is a pair
KIND.pem (leaf and key's certificate chain) and KIND.key beside the served cert.pem and key.pem.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from mailward.lab.blueprint import DOMAIN, PUBLIC_NAME, Blueprint, LabHost
from mailward.lab.files import write_private

if TYPE_CHECKING:
    import trustme


class Certificate(Enum):
    """The certificates a host has to choose from."""

    GOOD = "good"
    RENEWED = "renewed"
    """As good as GOOD, with a later end."""
    EXPIRED = "expired"
    UNTRUSTED = "untrusted"
    """Issued by an authority nobody knows."""
    MISNAMED = "misnamed"
    """Carries another host's name and no address."""


def write_certificates(blueprint: Blueprint, *, now: datetime) -> None:
    """Make the authority and every host's certificates, and serve the good one."""
    import trustme  # noqa: PLC0415 - takes 100 ms to load; only `lab up` needs it

    authority = trustme.CA(organization_name="mailward lab")
    stranger = trustme.CA(organization_name="an authority nobody knows")
    authority.cert_pem.write_to_path(str(blueprint.ca_file))
    blueprint.ca_file.chmod(0o644)
    for host in blueprint.hosts:
        own = (host.fqdn, host.address, *_public_names(blueprint, host))
        made = {
            Certificate.GOOD: _issue(authority, own, now, days=60),
            Certificate.RENEWED: _issue(authority, own, now, days=90),
            Certificate.EXPIRED: _issue(authority, own, now, days=-2),
            Certificate.UNTRUSTED: _issue(stranger, own, now, days=60),
            Certificate.MISNAMED: _issue(authority, (f"elsewhere.{DOMAIN}",), now, days=60),
        }
        for kind, leaf in made.items():
            chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
            write_private(host.tls / f"{kind.value}.pem", chain)
            write_private(host.tls / f"{kind.value}.key", leaf.private_key_pem.bytes())
        put_certificate(host, Certificate.GOOD)


def _public_names(blueprint: Blueprint, host: LabHost) -> Sequence[str]:
    """What clients call a proxy that they reach through the load balancer, which passes TLS on unopened."""
    balancer = blueprint.balancer
    return (PUBLIC_NAME, balancer.address) if balancer is not None and host.is_proxy else ()


def put_certificate(host: LabHost, kind: Certificate) -> None:
    """Put *kind* where the host's configuration points. The running service serves it after a reload, not before."""
    for source, served in (("pem", "cert.pem"), ("key", "key.pem")):
        write_private(host.tls / served, (host.tls / f"{kind.value}.{source}").read_bytes())


def first_certificate(host: LabHost, kind: Certificate) -> str:
    """The host's own certificate of that kind, as PEM."""
    end = "-----END CERTIFICATE-----"
    return (host.tls / f"{kind.value}.pem").read_text().partition(end)[0] + end


def certificate_file(host: LabHost) -> Path:
    """The file the host's configuration names."""
    return host.tls / "cert.pem"


def _issue(authority: "trustme.CA", names: Sequence[str], now: datetime, *, days: int) -> "trustme.LeafCert":
    ends = now.astimezone(UTC).replace(tzinfo=None) + timedelta(days=days)
    return authority.issue_cert(*names, common_name=names[0], not_before=ends - timedelta(days=120), not_after=ends)
