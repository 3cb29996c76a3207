"""
What has been seen and waits to be stored.

Probing never waits for the store. While the store cannot be reached results and changes are kept in memory, bounded;
what had to be dropped is counted and said. Events are log lines at once, and become visible to followers once stored.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from mailward.model.errors import TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.probing import Canary, ProbeResult
from mailward.ports.clock import Clock
from mailward.ports.store import Store

log = logging.getLogger("mailward.events")

_IN_SUBJECT = frozenset({"server", "health_set", "monitor", "target"})
"""Facts that a monitor's subject names already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """States and events that belong together: stored in one transaction or not at all."""

    statuses: tuple[MonitorStatus, ...] = ()
    retired: tuple[MonitorKey, ...] = ()
    canary: tuple[str, Canary] | None = None
    """The health mailbox and the canary it is known by from now on."""
    events: tuple[Event, ...] = ()


class Ledger:
    """Keeps what waits for the store, in order, and writes it in batches."""

    def __init__(self, store: Store, clock: Clock, *, flush_every: float = 0.5, results_max: int = 50_000) -> None:
        self._store = store
        self._clock = clock
        self._flush_every = flush_every
        self._results: deque[ProbeResult] = deque(maxlen=results_max)
        self._changes: deque[Change] = deque()
        self._dropped = 0
        self._lost_because: str | None = None
        self._wanted = asyncio.Event()
        self._stored = asyncio.Condition()
        self._stored_count = 0
        self._ended = False

    @property
    def pending(self) -> int:
        """Results that wait for the store."""
        return len(self._results)

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored at present, or None."""
        return self._lost_because

    def add_result(self, result: ProbeResult) -> None:
        """Keep a result until the next batch."""
        if len(self._results) == self._results.maxlen:
            self._dropped += 1
        self._results.append(result)

    def add_change(self, change: Change) -> None:
        """Keep a change and store it soon; its events are logged now."""
        for event in change.events:
            log.log(_level(event), "%s", _line(event))
        self._changes.append(change)
        self._wanted.set()

    def ring(self) -> None:
        """Tell followers that somebody else stored events."""
        self._stored_count += 1
        self._rung = asyncio.create_task(self._notify(), name="new events")

    async def _notify(self) -> None:
        async with self._stored:
            self._stored.notify_all()

    async def run(self) -> None:
        """Write batches until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._flush_every):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()
            if not await self.flush():
                await asyncio.sleep(self._flush_every)

    async def flush(self) -> bool:
        """Store everything that waits. False when the store could not be reached: all of it goes on waiting."""
        try:
            await self._write()
        except TemporaryFailure as failure:
            self._note_lost(str(failure))
            return False
        self._note_back()
        return True

    async def follow(self, after: int) -> AsyncIterator[Event]:
        """Yield stored events with ids above *after*, then every new one; ends when the ledger is closed."""
        while True:
            known = self._stored_count
            events = await self._store.events(after=after, limit=500)
            for event in events:
                yield event
                after = event.id
            if events:
                continue
            if self._ended:
                return
            async with self._stored:
                await self._stored.wait_for(lambda known=known: self._ended or self._stored_count != known)  # type: ignore[misc]

    async def close(self) -> None:
        """Store what waits, if that is possible, and end all followers."""
        await self.flush()
        self._ended = True
        async with self._stored:
            self._stored.notify_all()

    async def _write(self) -> None:
        while self._results:
            batch = [self._results.popleft() for _ in range(min(len(self._results), 1000))]
            try:
                await self._store.add_results(batch)
            except TemporaryFailure:
                self._put_back(batch)
                raise
            except Exception:
                self._dropped += len(batch)
                log.exception("%d results cannot be stored and were dropped", len(batch))
        while self._changes:
            try:
                await self._write_change(self._changes[0])
            except TemporaryFailure:
                raise
            except Exception:  # one that can never be stored must not keep back all that come after it
                log.exception("a change cannot be stored and was dropped: %s", self._changes[0])
            self._changes.popleft()
            async with self._stored:
                self._stored_count += 1
                self._stored.notify_all()

    def _put_back(self, batch: list[ProbeResult]) -> None:
        """What is oldest goes first when there is no room for all of it."""
        room = (self._results.maxlen or len(batch)) - len(self._results)
        kept = batch[len(batch) - min(room, len(batch)) :]
        self._dropped += len(batch) - len(kept)
        self._results.extendleft(reversed(kept))

    async def _write_change(self, change: Change) -> None:
        if change.canary is not None:
            mailbox, canary = change.canary
            await self._store.save_canary(mailbox, canary, change.events[0])
        elif change.retired:
            await self._store.retire(change.retired, change.events)
        else:
            await self._store.save_statuses(change.statuses, change.events)

    def _note_lost(self, because: str) -> None:
        if self._lost_because is None:
            log.error("%s", _line(self._event(EventKind.STORE_LOST, because)))
        self._lost_because = because

    def _note_back(self) -> None:
        if self._lost_because is None:
            return
        dropped = f"; {self._dropped} results had to be dropped" if self._dropped else "; nothing was lost"
        because = f"the store can be written again (it was: {self._lost_because}){dropped}"
        self._lost_because, self._dropped = None, 0
        self.add_change(Change(events=(self._event(EventKind.STORE_BACK, because),)))

    def _event(self, kind: EventKind, because: str) -> Event:
        return Event(at=self._clock.now(), kind=kind, subject="store", because=because)


def _level(event: Event) -> int:
    return logging.WARNING if event.after in ("Unhealthy", "Degraded") else logging.INFO


def _line(event: Event) -> str:
    """One event in logfmt, the form that journald, Loki and a person with grep all read."""
    pairs: Sequence[tuple[str, object]] = (
        ("event", event.kind.value),
        ("subject", event.subject),
        ("before", event.before),
        ("after", event.after),
        *_flat(event.data),
        ("because", event.because),
    )
    return " ".join(f"{key}={_quoted(value)}" for key, value in pairs if value is not None)


def _flat(data: Mapping[str, object]) -> list[tuple[str, object]]:
    """The facts a line has room for; the verdict in three words, since its sentence is the reason already."""
    pairs: list[tuple[str, object]] = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            words = (value.get("tier"), value.get("server"), value.get("confidence"))
            pairs.append((key, " ".join(str(word) for word in words if word)))
        elif isinstance(value, list | tuple):
            pairs.append((key, ",".join(map(str, value)) or None))
        elif value is not False and key not in _IN_SUBJECT:
            pairs.append((key, value))
    return pairs


def _quoted(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"' if " " in text or "=" in text or not text else text
