"""A store and a lease in memory, for tests and for labs without history; they pass the same contract as SQLite's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar

from mailward.model.alerting import Alert, AlertStatus, Notice
from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.holds import Hold
from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.probing import Canary, Phase, PhaseOutcome, ProbeResult, ResultType
from mailward.model.recovery import GateAnswer, Operation, Step
from mailward.ports.clock import Clock
from mailward.ports.credentials import KeptToken, KeptUser
from mailward.ports.lease import Held
from mailward.ports.operations import results_referred_to
from mailward.ports.store import Retention, Rollup

_SLICE = timedelta(minutes=5)
_CLOCK_STEP = timedelta(minutes=5)
"""What lies further in the future was stamped by a clock that has been set back since."""
Key = TypeVar("Key")
Kept = TypeVar("Kept")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryStore:
    """
    Keeps everything in lists and dictionaries. `out_of_reach` makes every call fail, as a database that is gone.

    What recoveries, holds and the outbox keep stands here too, so that a new double on the same store finds what the
    one before it left, as after a restart.
    """

    def __init__(self, *, clock: Clock) -> None:
        """Begin empty."""
        self.clock = clock
        self.out_of_reach = False
        self.operations: dict[int, Operation] = {}
        self.steps: dict[tuple[int, int], Step] = {}
        self.intended: set[tuple[int, int]] = set()
        self.answers: list[GateAnswer] = []
        self.holds: dict[int, Hold] = {}
        self.alerts: dict[str, Alert] = {}
        self.resolved_at: dict[str, datetime | None] = {}
        self.notices: dict[int, Notice] = {}
        self.users: dict[str, KeptUser] = {}
        self.tokens: dict[str, KeptToken] = {}
        self._numbers = count(1)
        self._results: list[ProbeResult] = []
        self._latest: dict[tuple[str, str, str], ProbeResult] = {}
        self._rollups: dict[tuple[str, str, str, Phase | None, datetime], Rollup] = {}
        self._statuses: dict[MonitorKey, MonitorStatus] = {}
        self._events: list[Event] = []
        self._last_id = 0
        self._canaries: dict[str, Canary] = {}

    def reach(self) -> None:
        """
        Fail as a database that is gone does.

        Raises:
            TemporaryFailure: The store is out of reach.
        """
        if self.out_of_reach:
            raise TemporaryFailure("the store is out of reach; it is tried again")

    def next_number(self) -> int:
        """A number nothing else in this store has."""
        return next(self._numbers)

    def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Append events with ids that only grow, for all that share this store."""
        numbered = tuple(replace(event, id=self._last_id + place) for place, event in enumerate(events, start=1))
        self._last_id += len(numbered)
        self._events.extend(numbered)
        return numbered

    async def open(self) -> None:
        """Nothing to open."""
        self.reach()

    async def close(self) -> None:
        """Nothing to let go of."""

    async def now(self) -> datetime:
        """The clock's moment."""
        self.reach()
        return self.clock.now()

    async def add_results(self, results: Sequence[ProbeResult]) -> None:
        """Keep results, refresh the latest, add to the roll-ups."""
        self.reach()
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
        self.reach()
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
        self.reach()
        return tuple(self._latest.values())

    async def rollups(
        self, *, probe: str, server: str, target: str, since: datetime, phase: Phase | None = None
    ) -> tuple[Rollup, ...]:
        """Roll-ups in order of time."""
        self.reach()
        found = [
            rollup
            for key, rollup in self._rollups.items()
            if key[:4] == (probe, server, target, phase) and rollup.start >= since
        ]
        return tuple(sorted(found, key=lambda rollup: rollup.start))

    async def coarse_rollups(
        self, *, probe: str, server: str, target: str, since: datetime, step: timedelta
    ) -> tuple[Rollup, ...]:
        """Roll-ups of every phase, added up over *step*."""
        self.reach()
        sums: dict[tuple[datetime, Phase | None], Rollup] = {}
        for key, one in self._rollups.items():
            if key[:3] != (probe, server, target) or one.start < since:
                continue
            start = _EPOCH + (one.start - _EPOCH) // step * step
            old = sums.get((start, one.phase))
            sums[start, one.phase] = replace(
                one,
                start=start,
                count=one.count + (old.count if old else 0),
                failures=one.failures + (old.failures if old else 0),
                took_sum=one.took_sum + (old.took_sum if old else timedelta(0)),
                took_max=max(one.took_max, old.took_max if old else timedelta(0)),
            )
        return tuple(sorted(sums.values(), key=lambda rollup: rollup.start))

    async def save_statuses(self, statuses: Sequence[MonitorStatus], events: Sequence[Event]) -> tuple[Event, ...]:
        """Keep the states, append the events."""
        self.reach()
        self._statuses.update((status.key, status) for status in statuses)
        return self.append(events)

    async def statuses(self) -> tuple[MonitorStatus, ...]:
        """The last state of every monitor that has not been retired."""
        self.reach()
        return tuple(self._statuses.values())

    async def retire(self, keys: Sequence[MonitorKey], events: Sequence[Event]) -> tuple[Event, ...]:
        """Forget these monitors' states, append the events."""
        self.reach()
        for key in keys:
            self._statuses.pop(key, None)
        return self.append(events)

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
        self.reach()
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
        self.reach()
        return dict(self._canaries)

    async def save_canary(self, mailbox: str, canary: Canary, event: Event) -> None:
        """Record a canary and its event."""
        self.reach()
        self._canaries[mailbox] = canary
        self.append([event])

    async def tidy(self, *, now: datetime, retention: Retention, slice_rows: int = 5000) -> int:
        """Delete at most *slice_rows* records that are past their time."""
        self.reach()

        def is_past(result: ProbeResult) -> bool:
            kept = retention.failed_results if result.result.is_failure else retention.healthy_results
            return result.at < now - kept

        def is_kept(result: ProbeResult) -> bool:
            return result.result.is_failure and (result.probe, result.server, result.target, result.at) in named

        named = {key for step in self.steps.values() for key in results_referred_to(step)}
        deleted = self._tidy_recoveries(now - retention.operations_kept, slice_rows)
        deleted += _delete(self._results, lambda result: is_past(result) and not is_kept(result), slice_rows - deleted)
        old = [key for key in self._rollups if key[4] < now - retention.rollups][: slice_rows - deleted]
        for key in old:
            del self._rollups[key]
        deleted += len(old)
        return deleted + _delete(self._events, lambda event: event.at < now - retention.events, slice_rows - deleted)

    async def check_writable(self) -> None:
        """Whatever is in reach can be written."""
        self.reach()

    async def backup(self, path: str) -> int:
        """
        There is nothing to copy.

        Raises:
            Refused: Always.
        """
        self.reach()
        raise Refused(f"no backup was written to {path}: this store is kept in memory, it has no file")

    def _tidy_recoveries(self, before: datetime, most: int) -> int:
        past = {
            number
            for number, operation in self.operations.items()
            if operation.status.is_over and (operation.ended_at or operation.started_at) < before
        }
        deleted = _delete(self.answers, lambda answer: answer.operation in past, most)
        deleted += _delete_keys(self.steps, lambda _, step: step.operation in past, most - deleted)
        left = {step.operation for step in self.steps.values()} | {answer.operation for answer in self.answers}
        deleted += _delete_keys(self.operations, lambda number, _: number in past - left, most - deleted)
        deleted += _delete_keys(
            self.holds, lambda _, hold: _is_before(hold.ended_at or hold.until, before), most - deleted
        )
        deleted += _delete_keys(
            self.notices, lambda _, notice: _is_before(notice.sent_at or notice.gave_up_at, before), most - deleted
        )
        return deleted + _delete_keys(
            self.alerts,
            lambda key, alert: alert.status is AlertStatus.RESOLVED and _is_before(self.resolved_at[key], before),
            most - deleted,
        )

    def _refresh_latest(self, result: ProbeResult) -> None:
        key = (result.probe, result.server, result.target)
        old = self._latest.get(key)
        if old is None or old.at <= result.at or old.at > self.clock.now() + _CLOCK_STEP:
            self._latest[key] = result

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

    def is_held(self, held: Held, name: str) -> bool:
        """Whether *held* still has the lease and renewed it in time."""
        old = self._held.get(name)
        return old is not None and (old.owner, old.fence) == (held.owner, held.fence) and old.until > self._clock.now()

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


def _delete_keys(records: dict[Key, Kept], is_past: Callable[[Key, Kept], bool], most: int) -> int:
    past = [key for key, record in records.items() if is_past(key, record)][:most]
    for key in past:
        del records[key]
    return len(past)


def _is_before(moment: datetime | None, before: datetime) -> bool:
    return moment is not None and moment < before
