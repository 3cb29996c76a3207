"""Holds in memory; they pass the same contract as SQLite's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from mailward.model.event import Event
from mailward.model.holds import Hold
from mailward.ports.holds import replaces
from mailward.testing.memory_store import MemoryStore


class MemoryHolds:
    """Holds kept in a `MemoryStore`; another one on the same store is a restarted manager."""

    def __init__(self, store: MemoryStore, *, stored: Callable[[], None] = lambda: None) -> None:
        """Share the store; *stored* is called when events were stored."""
        self._store = store
        self._stored = stored

    async def add(self, hold: Hold, events: Sequence[Event] = ()) -> Hold:
        """Keep a hold, end those it replaces, append the events."""
        self._store.reach()
        now = self._store.clock.now()
        for old in tuple(self._store.holds.values()):
            if replaces(hold, old, now=now):
                self._store.holds[old.id] = replace(old, ended_at=now, ended_by=hold.owner)
        added = replace(hold, id=self._store.next_number())
        self._store.holds[added.id] = added
        self._append(events)
        return added

    async def end(self, number: int, *, at: datetime, by: str, events: Sequence[Event] = ()) -> bool:
        """End a hold now; False when there is none of that number, or it was ended before."""
        self._store.reach()
        known = self._store.holds.get(number)
        if known is None or known.ended_at is not None:
            return False
        self._store.holds[number] = replace(known, ended_at=at, ended_by=by)
        self._append(events)
        return True

    async def present(self, *, now: datetime) -> tuple[Hold, ...]:
        """Those in force at *now* or scheduled for later, the oldest first."""
        self._store.reach()
        return tuple(
            hold
            for hold in self._store.holds.values()
            if hold.ended_at is None and (hold.until is None or hold.until > now)
        )

    async def history(self, *, subject: str | None = None, limit: int = 100) -> tuple[Hold, ...]:
        """All of them, the newest first; *subject* matches itself and all below it."""
        self._store.reach()
        found = [
            hold
            for hold in self._store.holds.values()
            if subject is None or hold.subject == subject or hold.subject.startswith(f"{subject}/")
        ]
        return tuple(reversed(found))[:limit]

    def _append(self, events: Sequence[Event]) -> None:
        self._store.append(events)
        if events:
            self._stored()
