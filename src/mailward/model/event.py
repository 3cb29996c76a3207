"""The append-only record of what happened: the only history mailward keeps of decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

OURSELVES = "mailward"
"""Who acts where no person does."""


class EventKind(Enum):
    """Everything that can be recorded; a closed list."""

    MANAGER_STARTED = "manager-started"
    MANAGER_STOPPED = "manager-stopped"
    MANAGER_ORDERED = "manager-ordered"
    """Somebody had something done to the manager itself, such as a copy of its store."""
    CONFIGURATION_LOADED = "configuration-loaded"
    CONFIGURATION_REFUSED = "configuration-refused"
    MONITOR_CHANGED = "monitor-changed"
    MONITOR_RETIRED = "monitor-retired"
    MONITOR_FLAPPING = "monitor-flapping"
    MONITOR_SETTLED = "monitor-settled"
    HEALTH_SET_CHANGED = "health-set-changed"
    SERVICE_EXITED = "service-exited"
    SENTINEL_ENDED = "sentinel-ended"
    CANARY_RECORDED = "canary-recorded"
    STORE_LOST = "store-lost"
    STORE_BACK = "store-back"
    RECOVERY_STARTED = "recovery-started"
    RECOVERY_WAITS = "recovery-waits"
    RECOVERY_ENDED = "recovery-ended"
    ACTION_INTENDED = "action-intended"
    ACTION_ENDED = "action-ended"
    ACTION_WITHHELD = "action-withheld"
    """A gate said no, or the mode only recommends."""
    APPROVAL_ASKED = "approval-asked"
    APPROVAL_GIVEN = "approval-given"
    APPROVAL_DENIED = "approval-denied"
    ESCALATED = "escalated"
    ACTIVE_COPY_CHANGED = "active-copy-changed"
    """The routing sends the users of a database elsewhere: by a move, or because somebody edited the map."""
    HOLD_BEGAN = "hold-began"
    HOLD_ENDED = "hold-ended"
    PROTOCOL_LOG_CHANGED = "protocol-log-changed"
    """The conversations of health mailboxes on a mailbox server are logged from now on, or no more."""
    ALERT_CHANGED = "alert-changed"
    CHANNEL_FAILED = "channel-failed"
    CHANNEL_RECOVERED = "channel-recovered"
    LOGGED_IN = "logged-in"
    LOGIN_FAILED = "login-failed"
    ACCESS_CHANGED = "access-changed"
    """A user or token was added, changed or removed, or a user's sessions were ended."""
    LEADERSHIP_TAKEN = "leadership-taken"
    LEADERSHIP_LOST = "leadership-lost"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that happened. `id` is 0 until the store has numbered it."""

    at: datetime
    kind: EventKind
    subject: str
    """What it happened to: SERVER/HEALTHSET/ITEM/TARGET for a monitor, else the shortest unambiguous name."""
    because: str
    before: str | None = None
    after: str | None = None
    actor: str = OURSELVES
    operation: int | None = None
    cause_event: int | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    """Further facts, JSON-like: affected databases, verdict, `_Mbx`."""
    id: int = 0
