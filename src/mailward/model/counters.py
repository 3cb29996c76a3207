"""What a platform counts: how long commands took, how many requests wait to be taken, and which limits are reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandTotal:
    """All commands of one name since the service started."""

    count: int
    took: timedelta
    """The sum of their durations."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningCommand:
    """A command that a session was carrying out at the moment it was looked at."""

    pid: int
    """The process of the session."""
    name: str
    cpu_ticks: int
    """Processor time that process has used so far, in clock ticks: one that waits uses none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandTotals:
    """What a service says of its commands at one moment."""

    at: datetime
    finished: Mapping[str, CommandTotal] = field(default_factory=dict)
    """IMAP command, such as "FETCH" or "UID FETCH" -> those that ended since the service started."""
    running: tuple[RunningCommand, ...] | None = None
    """Those that have not ended, IDLE left out; None where this platform does not show them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListenQueue:
    """The accept queue of one listening socket."""

    where: str
    """ADDRESS:PORT."""
    waiting: int
    """Connections that clients have opened and the service has not taken yet."""
    backlog: int
    """How many of them the kernel holds; further clients wait without an answer."""

    @property
    def is_full(self) -> bool:
        """Whether further clients are turned away."""
        return self.waiting >= self.backlog > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessLimit:
    """The processes of one part of a service, and how many it may have."""

    service: str
    """Such as "imap" or "imap-login"."""
    used: int
    limit: int
    waiting: bool = False
    """Whether clients wait for one, since there may be no more."""
    dropped_at: datetime | None = None
    """When the service last said that it drops clients for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestQueue:
    """Requests that a service has not taken yet, and the limits that keep it from taking them."""

    listening: tuple[ListenQueue, ...]
    limits: tuple[ProcessLimit, ...] = ()
