"""The append-only record of what happened: the only history mailward keeps of decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class EventKind(Enum):
    """Everything that can be recorded; a closed list."""

    MANAGER_STARTED = "manager-started"
    MANAGER_STOPPED = "manager-stopped"
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
    actor: str = "mailward"
    operation: int | None = None
    cause_event: int | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    """Further facts, JSON-like: affected databases, verdict, `_Mbx`."""
    id: int = 0
