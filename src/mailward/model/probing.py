"""
What one probe measured: the phases of an IMAP conversation, how it ended, and what was seen on the way.

A result holds facts only. What they mean is the `Verdict` that diagnosis adds.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from mailward.model.verdict import Verdict


class ResultType(Enum):
    """How a probe ended. Only FAILED and TIMED_OUT say anything against what was probed."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    NOT_APPLICABLE = "NotApplicable"
    PROBER_OVERLOADED = "ProberOverloaded"

    @property
    def is_failure(self) -> bool:
        """Whether the thing probed did not do what it should."""
        return self in (ResultType.FAILED, ResultType.TIMED_OUT)


class Phase(Enum):
    """The parts of an IMAP conversation, in the order a user meets them; each is timed apart."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    CAPABILITY = "capability"
    AUTH = "auth"
    SELECT = "select"
    DELIVERY = "delivery"
    """A message is handed over by LMTP, until the server answers for it (RFC 2033)."""
    APPEND = "append"
    FETCH = "fetch"
    IDLE = "idle"
    EXPUNGE = "expunge"
    LOGOUT = "logout"

    @property
    def is_before_login(self) -> bool:
        """Whether the server does not know yet who asks."""
        return self in (Phase.DNS, Phase.CONNECT, Phase.TLS, Phase.GREETING, Phase.CAPABILITY)


class PhaseOutcome(Enum):
    """How one phase ended."""

    OK = "ok"
    FAILED = "failed"
    TIMED_OUT = "timed-out"


class Cause(Enum):
    """Why a phase failed: a closed list, so that it can be a metric's label."""

    NAME_UNKNOWN = "name-unknown"
    NAME_SERVICE_FAILED = "name-service-failed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    TLS_EXPIRED = "tls-expired"
    TLS_NOT_YET_VALID = "tls-not-yet-valid"
    TLS_UNTRUSTED = "tls-untrusted"
    TLS_NAME = "tls-name"
    TLS_FAILED = "tls-failed"
    STARTTLS_UNAVAILABLE = "starttls-unavailable"
    BYE = "bye"
    LOGIN_DISABLED = "login-disabled"
    NO_MECHANISM = "no-mechanism"
    AUTH_REJECTED = "auth-rejected"
    AUTH_UNAVAILABLE = "auth-unavailable"
    AUTH_EXPIRED = "auth-expired"
    BACKEND_UNAVAILABLE = "backend-unavailable"
    STORE_ERROR = "store-error"
    STORE_CHANGED = "store-changed"
    STORE_READ_ONLY = "store-read-only"
    MAILBOX_MISSING = "mailbox-missing"
    OVER_QUOTA = "over-quota"
    LIMIT = "limit"
    IN_USE = "in-use"
    CONTENT_MISMATCH = "content-mismatch"
    PUSH_MISSED = "push-missed"
    COMMAND_REJECTED = "command-rejected"
    PROTOCOL_VIOLATION = "protocol-violation"
    PROBER_FAULT = "prober-fault"


CERTIFICATE_FAULTS = frozenset({Cause.TLS_EXPIRED, Cause.TLS_NOT_YET_VALID, Cause.TLS_UNTRUSTED, Cause.TLS_NAME})
"""The certificate itself is at fault, not the handshake."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseTiming:
    """One phase of a conversation and how long it took."""

    phase: Phase
    took: timedelta = field(metadata={"wire": "ms"})
    outcome: PhaseOutcome
    loop_lag: timedelta = timedelta(0)
    """How late the prober's own event loop was during the phase: the part of `took` that is our fault."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """The certificate a server presented, described also when it did not verify."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """DNS names and IP addresses of the subject alternative name."""
    not_before: datetime
    not_after: datetime
    sha256: str
    """Fingerprint of the DER form, lower-case hexadecimal."""
    verified: bool
    problem: str | None = None
    """Why it did not verify, in OpenSSL's words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """
    The permanent message of a health mailbox, by which its store is recognised.

    An empty or foreign store mounted in place of the right one looks healthy to everything else (field notes, "Later
    measurements"): only a message known beforehand tells.
    """

    uid_validity: int
    uid: int
    size: int
    sha256: str
    """Digest of the message's bytes, lower-case hexadecimal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeResult:
    """One measurement."""

    probe: str
    """The item's name, such as ImapDeepTestProbe."""
    health_set: str
    server: str
    target: str
    """What was probed on that server: a database, an access point, or the server itself."""
    at: datetime
    """When the probe began."""
    took: timedelta
    result: ResultType
    failed_phase: Phase | None = None
    cause: Cause | None = None
    response_code: str | None = None
    """The RFC 5530 code in the server's refusal, such as UNAVAILABLE."""
    detail: str = ""
    """What the server (or the network) said, one line, secrets masked."""
    phases: tuple[PhaseTiming, ...] = ()
    address: str | None = None
    """The address and port that answered, or the last that was tried."""
    mailbox_server: str | None = None
    """The mailbox server that served the session: Exchange's `_Mbx`."""
    certificate: Certificate | None = None
    tls: str | None = None
    """TLS version and cipher, such as "TLSv1.3 TLS_AES_256_GCM_SHA384"."""
    capabilities: tuple[str, ...] = ()
    canary: Canary | None = None
    """The canary as found in the mailbox."""
    push_took: timedelta | None = None
    """From the acknowledged APPEND until a second session in IDLE was told of it."""
    level: float | None = None
    """What a look that is no conversation measured, such as the free share of a disk in percent."""
    account: str | None = None
    """The health mailbox the probe logged in to."""
    session: str | None = None
    """What to search the servers' logs for to find this very session, where known."""
    wrote: bool = False
    """Whether this run took the writing turn."""
    confirmation: bool = False
    """Whether this was a fast confirmation; these do not enter percent windows."""
    transcript: tuple[str, ...] = ()
    """The conversation, "C: …" and "S: …", secrets and message bodies masked."""
    verdict: Verdict | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether the probe did all it set out to do."""
        return self.result is ResultType.SUCCEEDED

    @property
    def why(self) -> str:
        """Why it went as it did: by its verdict, else in the words that came back; "" where nobody says."""
        return self.verdict.because if self.verdict is not None else self.detail
