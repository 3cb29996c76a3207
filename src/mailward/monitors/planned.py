"""One probe as it exists in this organization, and the lane it shares with others."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailward.model.probing import Canary, ProbeResult, ResultType
from mailward.model.target import ProbeTarget, Turn
from mailward.monitors.samples import ProbeKey


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedProbe:
    """What to run, against what, how often, and what must not run beside it."""

    key: ProbeKey
    """Stable: the same probe has the same key after a reload and in every result."""
    health_set: str
    interval: timedelta
    """How often it runs; for a member of a lane, how often its turn comes when nothing fails."""
    timeout: timedelta
    target: ProbeTarget | None = None
    """A template, see `turn_of`. None: a look at a host or at mailward itself, which is no conversation."""
    database: str | None = None
    mailbox: str | None = None
    """The health mailbox it logs in to: at most one conversation with the same text here is under way at any time."""
    lane: str | None = None
    """The `Lane` it takes turns in; None has its own rhythm."""
    on_request: bool = False
    """Whether it runs only when somebody asks for it; `interval` is zero then."""
    write_every: timedelta | None = None
    """How often a run takes the writing turn; None never writes."""
    canary_name: str | None = None
    """Under which name the store keeps the canary of its mailbox: the database, or "@SERVER" for a local one."""

    def looked_at(self, moment: datetime) -> ProbeResult:
        """What a look that is no conversation comes to where it finds nothing wrong."""
        return ProbeResult(
            probe=self.key.probe,
            health_set=self.health_set,
            server=self.key.server,
            target=self.key.target,
            at=moment,
            took=timedelta(0),
            result=ResultType.SUCCEEDED,
        )

    def turn_of(
        self, *, canary: Canary | None = None, write: bool = False, confirmation: bool = False
    ) -> ProbeTarget | None:
        """What to hand to the probe for this run; None for a look that is no conversation."""
        if self.target is None:
            return None
        turn = Turn.WRITE if write and self.write_every is not None else self.target.turn
        return replace(self.target, canary=canary, turn=turn, confirmation=confirmation)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """Probes of one proxy or access point that take turns, one under way at a time."""

    name: str
    server: str
    interval: timedelta
    """Between two starts in this lane."""
    members: tuple[ProbeKey, ...]

    @property
    def covering_time(self) -> timedelta:
        """How long it takes until every member has had its turn."""
        return self.interval * len(self.members)
