"""What a person is told: alerts, one for each root cause, and the notices of them that go out by channels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from mailward.model.monitoring import MonitorKey


class AlertStatus(Enum):
    """Alertmanager's words."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Urgency(Enum):
    """Whether somebody has to get up."""

    CRITICAL = "critical"
    """Users cannot read mail and mailward does not, or may not, repair it."""
    WARNING = "warning"
    """Something is broken or being repaired; nobody has to get up."""
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class Turns:
    """What people have been told of an alert so far: what decides whether they are told again."""

    number: int = 0
    """How many notices there were, counted per alert, not per channel; 0 is an alert nobody has been told of."""
    last_at: datetime | None = None
    """When the last one was queued."""
    urgency: Urgency | None = None
    """The most urgent one so far; None before the first."""
    standing: str = ""
    """What a person was last asked for: "" nothing, "approval 12", "escalated"."""
    repeats: int = 0
    """How often it was told without news since the last news: each doubles the wait for the next."""
    clear_since: datetime | None = None
    """Since when all of its monitors are well, while it is not resolved yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """One root cause, as people are told of it."""

    key: str
    """What groups: the root cause, such as "mailbox server/be1"."""
    status: AlertStatus
    urgency: Urgency
    title: str
    """One line that fits a phone's lock screen."""
    text: str
    """Everything design §4 "Escalation" lists, plain text of at most 78 columns."""
    starts_at: datetime
    ends_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    operation: int | None = None
    """The recovery that is, or was last, at work on it."""
    monitors: tuple[MonitorKey, ...] = ()
    """The monitors that say so, sorted; of a resolved one, those that said so last."""
    databases: tuple[str, ...] = ()
    """The mailbox databases whose users are affected, sorted."""
    turns: Turns = field(default_factory=Turns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """
    One message of one alert for one channel, as it waits in the outbox. `id` is 0 until the store has numbered it.

    `identity` is unique in the outbox: the same alert, status and turn is never queued twice, whoever asks.
    """

    channel: str
    identity: str
    alert: Alert
    created_at: datetime
    next_try: datetime
    attempts: int = 0
    claimed_until: datetime | None = None
    """While somebody sends it; one whose sender died is looked at again after this moment."""
    sent_at: datetime | None = None
    gave_up_at: datetime | None = None
    last_error: str = ""
    id: int = 0
