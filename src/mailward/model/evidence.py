"""
What the platform shows of a server, handed to diagnosis as values; diagnosis fetches nothing.

None in a field means "not looked at or not to be seen from here", never "all is well".
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum


class ServiceState(Enum):
    """The state of a server's IMAP service as its host reports it."""

    RUNNING = "running"
    FAILED = "failed"
    """It ended although nobody asked it to."""
    STOPPED = "stopped on purpose"
    HUNG = "hung"
    """Its process exists but does not run: stopped by a signal, or waiting in the kernel."""
    UNKNOWN = "unknown"

    @property
    def has_ended(self) -> bool:
        """Whether there is no process of it any more."""
        return self in (ServiceState.FAILED, ServiceState.STOPPED)

    @property
    def has_processes(self) -> bool:
        """Whether there is one, be it hung."""
        return self in (ServiceState.RUNNING, ServiceState.HUNG)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceStatus:
    """What ServiceControl says of one service."""

    state: ServiceState
    because: str
    since: datetime | None = None
    pid: int | None = None
    in_kernel: bool = False
    """Whether the process waits in the kernel (D state): a restart would not help."""
    starts: int | None = None
    """How often the service has been started, where the host counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One line of a server's log."""

    server: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DiskUsage:
    """Free space under one mail store."""

    server: str
    path: str
    free_bytes: int
    total_bytes: int
    free_inodes: int | None = None
    total_inodes: int | None = None
    read_only: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerEvidence:
    """What is known of one server from its own host."""

    server: str
    service: ServiceStatus | None = None
    log: tuple[LogLine, ...] = ()
    disks: tuple[DiskUsage, ...] = ()
    certificate_on_disk: str | None = None
    """SHA-256 fingerprint of the certificate file the service is configured with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProberEvidence:
    """What is known of the prober itself."""

    loop_lag: timedelta = timedelta(0)
    network_up: bool | None = None
    """Whether this host reaches anything at all beyond the servers in question."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Everything diagnosis may look at beside the conversations themselves."""

    servers: tuple[ServerEvidence, ...] = ()
    prober: ProberEvidence = field(default_factory=ProberEvidence)

    def of(self, server: str) -> ServerEvidence | None:
        """What is known of *server*, or None."""
        return next((known for known in self.servers if known.server == server), None)
