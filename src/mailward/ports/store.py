"""
Where results, states and events are kept.

Rules an implementation keeps: a state and its event are written in one transaction; event ids only grow; a method
that could not reach the database raises TemporaryFailure and has written nothing; `open` refuses a schema newer than
its own with ConfigError, and migrates an older one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mailward.model.event import Event, EventKind
from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.probing import Canary, Phase, ProbeResult

LOOKED_BACK = timedelta(days=8)
"""Longer than any throttle counts (24 hours) and the weekly report reaches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How long each kind of record is kept."""

    healthy_results: timedelta = timedelta(hours=48)
    failed_results: timedelta = timedelta(days=30)
    events: timedelta = timedelta(days=365)
    rollups: timedelta = timedelta(days=396)
    """13 months."""
    operations: timedelta = timedelta(days=365)
    """
    Recoveries that are over with their steps and gates' answers, holds that ended, notices that were sent or given up,
    alerts that were resolved; at least 8 days. Failed results that a recovery refers to live as long as it, transcripts
    included.
    """

    @property
    def operations_kept(self) -> timedelta:
        """What `operations` comes to: throttles and the weekly report look back at what was done, and must find it."""
        return max(self.operations, LOOKED_BACK)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollup:
    """Five minutes of one phase of one probe on one target."""

    probe: str
    server: str
    target: str
    phase: Phase | None
    """None is the whole conversation."""
    start: datetime
    count: int
    failures: int
    took_sum: timedelta
    took_max: timedelta


class Store(Protocol):
    """Results, latest states, events, roll-ups, canaries."""

    async def open(self) -> None:
        """Connect and bring the schema up to date."""
        ...

    async def close(self) -> None:
        """Write what is pending and let go."""
        ...

    async def now(self) -> datetime:
        """The store's own clock, for leases and throttles."""
        ...

    async def add_results(self, results: Sequence[ProbeResult]) -> None:
        """Store results, refresh the latest of each (probe, server, target), add to the roll-ups: all or nothing."""
        ...

    async def results(
        self,
        *,
        probe: str | None = None,
        server: str | None = None,
        target: str | None = None,
        since: datetime | None = None,
        failed: bool | None = None,
        limit: int = 100,
    ) -> tuple[ProbeResult, ...]:
        """The newest results first, with transcripts where they were kept."""
        ...

    async def latest_results(self) -> tuple[ProbeResult, ...]:
        """The last result of each (probe, server, target)."""
        ...

    async def rollups(
        self, *, probe: str, server: str, target: str, since: datetime, phase: Phase | None = None
    ) -> tuple[Rollup, ...]:
        """Roll-ups in order of time."""
        ...

    async def coarse_rollups(
        self, *, probe: str, server: str, target: str, since: datetime, step: timedelta
    ) -> tuple[Rollup, ...]:
        """
        Roll-ups of the whole conversation and of every phase, added up over *step*, in order of time.

        *step* is a multiple of five minutes, counted from 1970; `start` is where a step begins. The first one holds
        only what there was from *since* on.
        """
        ...

    async def save_statuses(self, statuses: Sequence[MonitorStatus], events: Sequence[Event]) -> tuple[Event, ...]:
        """Store the states and append the events in one transaction; return the events with their ids."""
        ...

    async def statuses(self) -> tuple[MonitorStatus, ...]:
        """The last state of every monitor that has not been retired."""
        ...

    async def retire(self, keys: Sequence[MonitorKey], events: Sequence[Event]) -> tuple[Event, ...]:
        """Forget these monitors' states and append the events in one transaction."""
        ...

    async def events(
        self,
        *,
        after: int = 0,
        before: int | None = None,
        kinds: Sequence[EventKind] = (),
        subject: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[Event, ...]:
        """Events with ids above *after* and below *before*; *subject* matches itself and all below it (A, A/…)."""
        ...

    async def canaries(self) -> dict[str, Canary]:
        """The canary each health mailbox is known by; keys are database names, or "@SERVER" for local ones."""
        ...

    async def save_canary(self, mailbox: str, canary: Canary, event: Event) -> None:
        """Record a canary and its event in one transaction."""
        ...

    async def tidy(self, *, now: datetime, retention: Retention, slice_rows: int = 5000) -> int:
        """Delete at most *slice_rows* rows that are past their time; return how many. Called until it returns 0."""
        ...

    async def check_writable(self) -> None:
        """
        See that something could be stored now, and leave no trace of it.

        Raises:
            TemporaryFailure: Nothing can be written; the text says why and what to do.
        """
        ...

    async def backup(self, path: str) -> int:
        """
        Write a consistent copy of all that is stored to the new file *path*, for its owner alone; return its bytes.

        Probing and storing go on meanwhile. To restore it, stop mailward and put the file in the store's place.

        Raises:
            Refused: *path* is not absolute, exists, or cannot be made there; or this store has no file.
            TemporaryFailure: The store cannot be read or the copy not written now; no file is left behind.
        """
        ...
