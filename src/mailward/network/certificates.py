"""
Describing the certificate a server presents, also one that does not verify.

OpenSSL describes only certificates it has verified; for the others cryptography reads the DER form. It is imported when
the first such certificate is met: importing it costs more than fifty probes.
"""

import hashlib
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from mailward.model.probing import Certificate

_SHORT = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "stateOrProvinceName": "ST",
    "localityName": "L",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_KEPT = 256


class CertificateReader:
    """Describes certificates; the same one is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bool], Certificate] = {}

    def describe_agreed(self, connection: ssl.SSLSocket) -> Certificate | None:
        """Describe the certificate of a finished handshake; `verified` says whether it was checked."""
        der = connection.getpeercert(True)
        is_verified = connection.context.verify_mode is ssl.CERT_REQUIRED
        if der is None or (known := self._known.get((der, is_verified))):
            return known if der else None
        told = connection.getpeercert() if is_verified else None
        return self._keep((der, is_verified), _from_openssl(der, told) if told else _from_der(der))

    def describe_refused(self, der: bytes | None, problem: str) -> Certificate | None:
        """Describe a certificate that did not verify, and why; None where it cannot be read."""
        if der is None:
            return None
        described = self._known.get((der, False)) or self._keep((der, False), _from_der(der))
        return replace(described, problem=problem) if described else None

    def _keep(self, key: tuple[bytes, bool], described: Certificate | None) -> Certificate | None:
        if described is not None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = described
        return described


def _from_openssl(der: bytes, told: dict[str, Any]) -> Certificate:
    return Certificate(
        subject=_name(told.get("subject", ())),
        issuer=_name(told.get("issuer", ())),
        names=tuple(_alternative_names(told)),
        not_before=_moment(told["notBefore"]),
        not_after=_moment(told["notAfter"]),
        sha256=hashlib.sha256(der).hexdigest(),
        verified=True,
    )


def _alternative_names(told: dict[str, Any]) -> Iterator[str]:
    for kind, value in told.get("subjectAltName", ()):
        if kind == "DNS":
            yield value
        elif kind == "IP Address":  # OpenSSL writes 0:0:0:0:0:0:0:1
            yield str(ip_address(value.strip()))


def _from_der(der: bytes) -> Certificate | None:
    from cryptography import x509  # noqa: PLC0415 (see the module's docstring)

    try:
        read = x509.load_der_x509_certificate(der)
        try:
            alternative = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = [*alternative.get_values_for_type(x509.DNSName)]
            names += map(str, alternative.get_values_for_type(x509.IPAddress))
        except x509.ExtensionNotFound:
            names = []
        return Certificate(
            subject=read.subject.rfc4514_string(),
            issuer=read.issuer.rfc4514_string(),
            names=tuple(names),
            not_before=read.not_valid_before_utc,
            not_after=read.not_valid_after_utc,
            sha256=hashlib.sha256(der).hexdigest(),
            verified=False,
        )
    except ValueError:
        return None


def _name(relative_names: Iterable[Iterable[tuple[str, str]]]) -> str:
    """Write a name as RFC 4514 does: the most specific part first."""
    parts = ["+".join(f"{_SHORT.get(key, key)}={value}" for key, value in part) for part in relative_names]
    return ",".join(reversed(parts))


def _moment(text: str) -> datetime:
    """Read OpenSSL's "Nov 24 12:00:00 2026 GMT" whatever the locale."""
    month, day, clock, year, _ = text.split()
    hour, minute, second = map(int, clock.split(":"))
    return datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC)
