"""What diagnosis says: which tier is broken, how sure that is, and the sentence that says why."""

from dataclasses import dataclass
from enum import Enum


class Tier(Enum):
    """Where the fault lies, in the order a conversation passes them."""

    MONITORING = "monitoring"
    NAME_SERVICE = "name service"
    NETWORK = "network"
    ACCESS_POINT = "access point"
    PROXY = "proxy"
    PATH = "path"
    """Between proxy and mailbox server, both of them being well."""
    MAILBOX_SERVER = "mailbox server"
    STORE = "store"
    DIRECTORY = "directory"
    UNKNOWN = "unknown"

    @property
    def runs_the_service(self) -> bool:
        """Whether a server of this tier runs an IMAP service, whose fault everything about it may be."""
        return self in (Tier.MAILBOX_SERVER, Tier.PROXY)


class Dependency(Enum):
    """What a cause points at, in the words of Exchange's health-set pages."""

    DIRECTORY = "directory"
    AUTHENTICATION = "authentication"
    NETWORKING = "networking"
    NAME_SERVICE = "name service"
    CERTIFICATE = "certificate"
    INFORMATION_STORE = "information store"
    HIGH_AVAILABILITY = "high availability"
    MAILBOX_SERVER_AUTHENTICATION = "mailbox-server authentication"
    MONITORING = "monitoring itself"


class Confidence(Enum):
    """How sure a verdict is. UNKNOWN never leads to an action."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Which tier is broken, and why."""

    tier: Tier
    confidence: Confidence
    because: str
    """One sentence for a person."""
    server: str | None = None
    """The server at fault, where one is."""
    dependency: Dependency | None = None
    """The dependency at fault; None when it is the tier's own service."""
