"""What an alert is made of: a root cause, the monitors that show it, and the recoveries that deal with it."""

from dataclasses import dataclass, field
from datetime import datetime

from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.recovery import GateAnswer, Operation, Step
from mailward.model.verdict import Tier, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery:
    """One operation with everything that is kept of it."""

    operation: Operation
    steps: tuple[Step, ...] = ()
    """In order."""
    answers: tuple[GateAnswer, ...] = ()
    """In the order they were given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """What was last said on the wire, for the reader who wants to see it; secrets and bodies are masked already."""

    transcript: tuple[str, ...] = ()
    """The last lines of the last failed conversation, "C: …" and "S: …"."""
    protocol_log: tuple[str, ...] = ()
    """Lines of the platform's protocol log of the same session, where one was kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """A root cause: what one alert is about; where nothing is known of it, the health set of the server showing it."""

    tier: Tier
    server: str | None = None
    database: str | None = None
    """Only where one database's store, and not the server, is at fault."""
    health_set: str | None = None
    """Only where no verdict names a tier."""

    @property
    def key(self) -> str:
        """What groups: "mailbox server/be1", "store/be1/db1", "directory", "health set/be1/IMAP.Protocol"."""
        first = "health set" if self.health_set else self.tier.value
        parts = (first, self.server, self.database, self.health_set)
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """One root cause as it stands now."""

    cause: Cause
    statuses: tuple[MonitorStatus, ...]
    """The monitors that show it, the worst first."""
    since: datetime
    """When the first of them broke."""
    affected: tuple[str, ...] = ()
    """The mailbox databases whose users meet it, by name."""
    suffering: tuple[str, ...] = ()
    """Those of them for which a monitor is Unhealthy: long enough broken to believe it."""
    recoveries: tuple[Recovery, ...] = ()
    """What is or was done about it since it broke: its own recoveries first, of equals the newest."""
    excerpt: Excerpt = field(default_factory=Excerpt)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of the worst monitor that has one."""
        return next((status.verdict for status in self.statuses if status.verdict is not None), None)

    @property
    def monitors(self) -> tuple[MonitorKey, ...]:
        """Which monitors show it."""
        return tuple(sorted(status.key for status in self.statuses))

    @property
    def mailbox_server(self) -> str | None:
        """`_Mbx` of the worst monitor that names one."""
        return next((status.mailbox_server for status in self.statuses if status.mailbox_server), None)
