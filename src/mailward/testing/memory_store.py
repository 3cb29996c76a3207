"""A store and a lease in memory, for tests and for labs without history; they pass the same contract as SQLite's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from mailward.model.errors import TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.probing import Canary, Phase, PhaseOutcome, ProbeResult, ResultType
from mailward.ports.clock import Clock
from mailward.ports.lease import Held
from mailward.ports.store import Retention, Rollup

_SLICE = timedelta(minutes=5)
_CLOCK_STEP = timedelta(minutes=5)
"""What lies further in the future was stamped by a clock that has been set back since."""
Kept = TypeVar("Kept")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryStore:
    """Keeps everything in lists. `out_of_reach` makes every call fail, as a database that is gone."""

    def __init__(self, *, clock: Clock) -> None:
        """Begin empty."""
        self._clock = clock
        self.out_of_reach = False
        self._results: list[ProbeResult] = []
        self._latest: dict[tuple[str, str, str], ProbeResult] = {}
        self._rollups: dict[tuple[str, str, str, Phase | None, datetime], Rollup] = {}
        self._statuses: dict[MonitorKey, MonitorStatus] = {}
        self._events: list[Event] = []
        self._last_id = 0
        self._canaries: dict[str, Canary] = {}

    async def open(self) -> None:
        """Nothing to open."""
        self._reach()

    async def close(self) -> None:
        """Nothing to let go of."""

    async def now(self) -> datetime:
        """The clock's moment."""
        self._reach()
        return self._clock.now()

    async def add_results(self, results: Sequence[ProbeResult]) -> None:
        """Keep results, refresh the latest, add to the roll-ups."""
        self._reach()
        for result in results:
            self._results.append(result if result.result.is_failure else replace(result, transcript=()))
            self._refresh_latest(replace(result, transcript=()))
            self._roll_up(result)

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
        """The newest results first."""
        self._reach()
        found = [
            result
            for result in self._results
            if probe in (None, result.probe)
            and server in (None, result.server)
            and target in (None, result.target)
            and (since is None or result.at >= since)
            and failed in (None, result.result.is_failure)
        ]
        found.sort(key=lambda result: result.at)
        return tuple(reversed(found))[:limit]

    async def latest_results(self) -> tuple[ProbeResult, ...]:
        """The last result of each (probe, server, target)."""
        self._reach()
        return tuple(self._latest.values())

    async def rollups(
        self, *, probe: str, server: str, target: str, since: datetime, phase: Phase | None = None
    ) -> tuple[Rollup, ...]:
        """Roll-ups in order of time."""
        self._reach()
        found = [
            rollup
            for key, rollup in self._rollups.items()
            if key[:4] == (probe, server, target, phase) and rollup.start >= since
        ]
        return tuple(sorted(found, key=lambda rollup: rollup.start))

    async def save_statuses(self, statuses: Sequence[MonitorStatus], events: Sequence[Event]) -> tuple[Event, ...]:
        """Keep the states, append the events."""
        self._reach()
        self._statuses.update((status.key, status) for status in statuses)
        return self._append(events)

    async def statuses(self) -> tuple[MonitorStatus, ...]:
        """The last state of every monitor that has not been retired."""
        self._reach()
        return tuple(self._statuses.values())

    async def retire(self, keys: Sequence[MonitorKey], events: Sequence[Event]) -> tuple[Event, ...]:
        """Forget these monitors' states, append the events."""
        self._reach()
        for key in keys:
            self._statuses.pop(key, None)
        return self._append(events)

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
        """Events that match, in order of their ids."""
        self._reach()
        found = [
            event
            for event in self._events
            if event.id > after
            and (before is None or event.id < before)
            and (not kinds or event.kind in kinds)
            and (subject is None or event.subject == subject or event.subject.startswith(f"{subject}/"))
            and (since is None or event.at >= since)
        ]
        return tuple((found[::-1] if newest_first else found)[:limit])

    async def canaries(self) -> dict[str, Canary]:
        """The canary each health mailbox is known by."""
        self._reach()
        return dict(self._canaries)

    async def save_canary(self, mailbox: str, canary: Canary, event: Event) -> None:
        """Record a canary and its event."""
        self._reach()
        self._canaries[mailbox] = canary
        self._append([event])

    async def tidy(self, *, now: datetime, retention: Retention, slice_rows: int = 5000) -> int:
        """Delete at most *slice_rows* records that are past their time."""
        self._reach()

        def is_past(result: ProbeResult) -> bool:
            kept = retention.failed_results if result.result.is_failure else retention.healthy_results
            return result.at < now - kept

        deleted = _delete(self._results, is_past, slice_rows)
        old = [key for key in self._rollups if key[4] < now - retention.rollups][: slice_rows - deleted]
        for key in old:
            del self._rollups[key]
        deleted += len(old)
        return deleted + _delete(self._events, lambda event: event.at < now - retention.events, slice_rows - deleted)

    def _reach(self) -> None:
        if self.out_of_reach:
            raise TemporaryFailure("the store is out of reach; it is tried again")

    def _refresh_latest(self, result: ProbeResult) -> None:
        key = (result.probe, result.server, result.target)
        old = self._latest.get(key)
        if old is None or old.at <= result.at or old.at > self._clock.now() + _CLOCK_STEP:
            self._latest[key] = result

    def _append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        numbered = tuple(replace(event, id=self._last_id + place) for place, event in enumerate(events, start=1))
        self._last_id += len(numbered)
        self._events.extend(numbered)
        return numbered

    def _roll_up(self, result: ProbeResult) -> None:
        counted = (ResultType.SUCCEEDED, ResultType.FAILED, ResultType.TIMED_OUT)
        if result.confirmation or result.result not in counted:
            return
        start = _EPOCH + (result.at - _EPOCH) // _SLICE * _SLICE
        parts: list[tuple[Phase | None, timedelta, bool]] = [(None, result.took, result.result.is_failure)]
        parts += [(timing.phase, timing.took, timing.outcome is not PhaseOutcome.OK) for timing in result.phases]
        for phase, took, failed in parts:
            key = (result.probe, result.server, result.target, phase, start)
            old = self._rollups.get(key)
            self._rollups[key] = Rollup(
                probe=result.probe,
                server=result.server,
                target=result.target,
                phase=phase,
                start=start,
                count=1 + (old.count if old else 0),
                failures=failed + (old.failures if old else 0),
                took_sum=took + (old.took_sum if old else timedelta(0)),
                took_max=max(took, old.took_max if old else took),
            )


class MemoryLease:
    """Leases in a dictionary, by a clock."""

    def __init__(self, *, clock: Clock) -> None:
        """Nobody holds anything."""
        self._clock = clock
        self._held: dict[str, Held] = {}

    async def take(self, name: str, owner: str, *, for_: timedelta) -> Held | None:
        """Take the lease if it is free or its time is over."""
        now, old = self._clock.now(), self._held.get(name)
        if old is not None and old.until > now:
            return None
        self._held[name] = Held(owner=owner, fence=(old.fence if old else 0) + 1, until=now + for_)
        return self._held[name]

    async def renew(self, held: Held, name: str, *, for_: timedelta) -> Held | None:
        """Prolong it, never shorten it; None when it is lost."""
        now, old = self._clock.now(), self._held.get(name)
        if old is None or (old.owner, old.fence) != (held.owner, held.fence) or old.until <= now:
            return None
        self._held[name] = replace(old, until=max(old.until, now + for_))
        return self._held[name]

    async def release(self, held: Held, name: str) -> None:
        """Give it back; the fence stays."""
        old = self._held.get(name)
        if old is not None and (old.owner, old.fence) == (held.owner, held.fence):
            self._held[name] = replace(old, until=_EPOCH)


def _delete(records: list[Kept], is_past: Callable[[Kept], bool], most: int) -> int:
    past = [place for place, record in enumerate(records) if is_past(record)][:most]
    for place in reversed(past):
        del records[place]
    return len(past)
