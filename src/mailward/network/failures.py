"""What the kernel's and OpenSSL's errors mean: each becomes one cause and one sentence, here and nowhere else."""

import errno
import os
import socket
import ssl

from mailward.model.probing import Cause

_REFUSED = frozenset((errno.ECONNREFUSED,))
_CLOSED = frozenset((errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN, errno.ESHUTDOWN))
_OURS = frozenset(
    (errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAFNOSUPPORT)
)
_UNKNOWN_NAME = frozenset((socket.EAI_NONAME, socket.EAI_NODATA))

# X509_V_ERR_… of OpenSSL's x509_vfy.h
_VERIFY_CAUSES = {
    9: Cause.TLS_NOT_YET_VALID,
    10: Cause.TLS_EXPIRED,
    62: Cause.TLS_NAME,
    64: Cause.TLS_NAME,
}
_TLS_SENTENCES = {
    "WRONG_VERSION_NUMBER": "the server does not speak TLS on this port",
    "UNSUPPORTED_PROTOCOL": "the server offers only TLS versions that are too old",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the server refuses every TLS version that we take",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the server refused the handshake: no cipher or certificate in common",
    "TLSV1_UNRECOGNIZED_NAME": "the server has no certificate for the name we asked for",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the server wants a certificate from us",
    "DH_KEY_TOO_SMALL": "the server's Diffie-Hellman key is too small",
    "EE_KEY_TOO_SMALL": "the key of the server's certificate is too small",
    "CA_MD_TOO_WEAK": "the server's certificate is signed with a weak hash",
}


def of_connect(error: OSError) -> tuple[Cause, str]:
    """Return cause and words of a failed connect."""
    code = error.errno
    if code in _REFUSED:
        return Cause.REFUSED, "connection refused"
    if code == errno.ETIMEDOUT:
        return Cause.TIMEOUT, "no answer"
    if code == errno.EADDRNOTAVAIL:
        return Cause.PROBER_FAULT, "our source address does not exist on this machine, or has no free port"
    if code in _OURS:
        return Cause.PROBER_FAULT, _words(error)
    if code in _CLOSED:
        return Cause.CLOSED, _words(error)
    return Cause.UNREACHABLE, _words(error)


def of_stream(error: OSError) -> tuple[Cause, str]:
    """Return cause and words of a read or write that failed."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Cause.CLOSED, "the server closed the connection"
    if isinstance(error, ssl.SSLError):
        return Cause.TLS_FAILED, f"TLS broke down: {_reason(error)}"
    if error.errno == errno.ETIMEDOUT:
        return Cause.TIMEOUT, "the server's machine no longer answers"
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return Cause.UNREACHABLE, _words(error)
    return Cause.CLOSED, f"the connection was lost: {_words(error)}"


def of_handshake(error: OSError) -> tuple[Cause, str]:
    """Return cause and words of a handshake that failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        cause = _VERIFY_CAUSES.get(error.verify_code, Cause.TLS_UNTRUSTED)
        return cause, f"the certificate does not verify: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        sentence = _TLS_SENTENCES.get(error.reason or "")
        return Cause.TLS_FAILED, sentence or f"the TLS handshake failed: {_reason(error)}"
    if isinstance(error, ssl.SSLError) or error.errno in _CLOSED:
        return Cause.CLOSED, "the server closed the connection during the TLS handshake"
    return of_stream(error)


def of_lookup(error: OSError | ValueError, host: str) -> tuple[Cause, str]:
    """Return cause and words of a name that did not resolve."""
    if isinstance(error, ValueError) or error.errno in _UNKNOWN_NAME:
        return Cause.NAME_UNKNOWN, f"there is no address for the name {host}"
    return Cause.NAME_SERVICE_FAILED, f"the name {host} could not be looked up: {_words(error)}"


def _words(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return str(error.strerror).lower()
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
