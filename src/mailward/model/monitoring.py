"""What a monitor says of one target, and what may change it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from mailward.model.verdict import Verdict


class AlertValue(Enum):
    """
    The state of a monitor, in Exchange's words (managed-availability reference, section 3).

    DEGRADED is broken for less than the grace period (60 s); UNAVAILABLE means the monitor gave no answer.
    """

    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    UNHEALTHY = "Unhealthy"
    REPAIRING = "Repairing"
    DISABLED = "Disabled"
    UNAVAILABLE = "Unavailable"
    UNINITIALIZED = "Uninitialized"

    @property
    def is_broken(self) -> bool:
        """Whether the monitor's rule is broken, for however short a time."""
        return self in (AlertValue.DEGRADED, AlertValue.UNHEALTHY)

    @property
    def is_set_aside(self) -> bool:
        """Whether somebody said that what the probes say does not count for now."""
        return self in (AlertValue.REPAIRING, AlertValue.DISABLED)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class MonitorKey:
    """What identifies a monitor. For ImapCTPMonitor: server is the proxy or access point, target the database."""

    server: str
    health_set: str
    item: str
    target: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorStatus:
    """A monitor's state, since when, and why."""

    key: MonitorKey
    state: AlertValue
    since: datetime
    """When it came to this state."""
    because: str
    broken_since: datetime | None = None
    """When the rule broke that still is broken: DEGRADED and UNHEALTHY count from here."""
    verdict: Verdict | None = None
    mailbox_server: str | None = None
    """`_Mbx` of the last result, where known."""
    last_result_at: datetime | None = None
    flapping: bool = False
    """Whether it changes so often that single changes are no longer worth telling."""
