"""
TLS contexts, made once for each policy: making one costs up to 45 ms, thirty times a handshake (dependencies §1).

A context is made anew when its CA file changes. There is no session resumption: a probe does the full handshake, since
a resumed one would hide a broken certificate.
"""

import ssl
from pathlib import Path

from mailward.model.organization import TlsPolicy
from mailward.model.probing import Cause
from mailward.ports.network import NetworkFailure

_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.0": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_Key = tuple[str | None, int, str, bool]


class TlsContexts:
    """Keeps contexts."""

    def __init__(self) -> None:
        self._contexts: dict[_Key, ssl.SSLContext] = {}

    def of(self, policy: TlsPolicy) -> ssl.SSLContext:
        """
        Return the context for *policy*.

        Raises:
            NetworkFailure: PROBER_FAULT where the CA file cannot be used or the minimum version is none.
        """
        stamp = _stamp(policy.ca_file) if policy.ca_file and policy.verify else 0
        key = (policy.ca_file, stamp, policy.minimum_version, policy.verify)
        context = self._contexts.get(key)
        if context is None:
            for old in [each for each in self._contexts if each[0] == key[0] and each[2:] == key[2:]]:
                del self._contexts[old]
            context = self._contexts[key] = _made(policy)
        return context


def _made(policy: TlsPolicy) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if (minimum := _VERSIONS.get(policy.minimum_version)) is None:
        known = ", ".join(_VERSIONS)
        raise NetworkFailure(Cause.PROBER_FAULT, f"{policy.minimum_version!r} is no TLS version; known: {known}")
    context.minimum_version = minimum
    context.options |= ssl.OP_NO_TICKET
    if not policy.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        if policy.ca_file:
            context.load_verify_locations(policy.ca_file)
        else:
            context.load_default_certs()
    except (OSError, ValueError) as error:
        raise NetworkFailure(Cause.PROBER_FAULT, f"the CA file {policy.ca_file} cannot be used: {error}") from error
    return context


def _stamp(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except (OSError, ValueError) as error:
        raise NetworkFailure(Cause.PROBER_FAULT, f"the CA file {path} cannot be read: {error}") from error
