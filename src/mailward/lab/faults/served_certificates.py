"""Faults of the certificate a host serves."""

from mailward.lab import certificates, session
from mailward.lab.blueprint import Blueprint, LabHost
from mailward.lab.certificates import Certificate
from mailward.lab.faults import effects
from mailward.lab.faults.deeds import NOTHING, Deeds, Heal, Inject, then
from mailward.lab.faults.fault import Memory


def _serve(kind: Certificate) -> Inject:
    def deed(blueprint: Blueprint, host: LabHost) -> Memory:
        certificates.put_certificate(host, kind)
        effects.reload(host)
        wanted = certificates.first_certificate(host, kind)
        if effects.master_of(host) is not None:
            effects.wait_until(
                lambda: session.served_certificate(blueprint, host).split() == wanted.split(),
                f"{host.name} to serve its {kind.value} certificate",
            )
        return NOTHING

    return deed


def _go_stale(blueprint: Blueprint, host: LabHost) -> Memory:
    _serve(Certificate.EXPIRED)(blueprint, host)
    certificates.put_certificate(host, Certificate.RENEWED)
    return NOTHING


def _distrust(_blueprint: Blueprint, host: LabHost) -> Memory:
    """The proxy knows one authority, itself: whatever certificate a mailbox server shows, it is not accepted."""
    effects.change_settings(host, _DISTRUSTS, f"ssl_ca = <{host.tls / 'cert.pem'}\n")
    return NOTHING


def _trust(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
    effects.change_settings(host, _DISTRUSTS, None)


_DISTRUSTS = "authorities-wrong"
AUTHORITIES_WRONG: Deeds = (_distrust, _trust)
_SERVE_GOOD: Heal = then(_serve(Certificate.GOOD))
CERTIFICATE_EXPIRED: Deeds = (_serve(Certificate.EXPIRED), _SERVE_GOOD)
CERTIFICATE_UNTRUSTED: Deeds = (_serve(Certificate.UNTRUSTED), _SERVE_GOOD)
CERTIFICATE_MISNAMED: Deeds = (_serve(Certificate.MISNAMED), _SERVE_GOOD)
CERTIFICATE_STALE: Deeds = (_go_stale, _SERVE_GOOD)
