"""The certificate a Dovecot is configured with: whom it names, and whether this machine trusts who issued it."""

import ssl
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

_LARGEST_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """A certificate file."""

    file: Path
    names: tuple[str, ...] = ()
    """DNS names and addresses it is good for, in its order."""
    is_self_signed: bool = False
    is_trusted: bool = False
    """Whether it leads to an authority that this machine trusts."""
    problem: str | None = None
    """Why nothing is known about it, for people."""


def look_at_certificate(file: Path) -> Certificate:
    """Read a certificate file: the server's own certificate first, then its chain. Never raises."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST_BYTES)
    except OSError as error:
        return Certificate(file=file, problem=f"{file} cannot be read: {error.strerror or error}")
    from cryptography import x509  # noqa: PLC0415 - takes long to load, and only `config init` needs it

    try:
        chain = x509.load_pem_x509_certificates(content)
    except ValueError:
        return Certificate(file=file, problem=f"{file} holds no readable certificate")
    return Certificate(
        file=file,
        names=_names(chain[0]),
        is_self_signed=chain[0].issuer == chain[0].subject,
        is_trusted=_is_trusted(chain),
    )


def _names(certificate: "x509.Certificate") -> tuple[str, ...]:
    from cryptography import x509  # noqa: PLC0415

    with suppress(x509.ExtensionNotFound, ValueError):
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = (str(address) for address in found.get_values_for_type(x509.IPAddress))
        return (*found.get_values_for_type(x509.DNSName), *addresses)
    return ()


def _is_trusted(chain: "list[x509.Certificate]") -> bool:
    """Whether the system's list of authorities holds the issuer of the last of the chain."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    bundle = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    try:
        with warnings.catch_warnings(action="ignore"):  # old authorities have serial numbers of zero
            authorities = load_pem_x509_certificates(Path(bundle).read_bytes())
    except (OSError, ValueError):
        return False
    return chain[-1].issuer in {authority.subject for authority in authorities}
