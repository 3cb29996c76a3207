"""The outbox in memory; it passes the same contract as SQLite's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.model.alerting import Alert, AlertStatus, Notice
from mailward.model.event import Event
from mailward.testing.memory_store import MemoryStore

_DAY = timedelta(days=1)


class MemoryOutbox:
    """Alerts and notices kept in a `MemoryStore`; another one on the same store is a restarted manager."""

    def __init__(self, store: MemoryStore, *, stored: Callable[[], None] = lambda: None) -> None:
        """Share the store; *stored* is called when events were stored."""
        self._store = store
        self._stored = stored

    async def save_alerts(
        self, alerts: Sequence[Alert], notices: Sequence[Notice], events: Sequence[Event] = ()
    ) -> tuple[Notice, ...]:
        """Keep the alerts by their keys, queue the notices that are not there yet, append the events."""
        self._store.reach()
        now = self._store.clock.now()
        for alert in alerts:
            is_undated = alert.status is AlertStatus.RESOLVED and alert.ends_at is None
            self._store.resolved_at[alert.key] = now if is_undated else alert.ends_at
            self._store.alerts[alert.key] = alert
        queued = []
        for notice in notices:
            if notice.identity not in {known.identity for known in self._store.notices.values()}:
                queued.append(replace(notice, id=self._store.next_number()))
                self._store.notices[queued[-1].id] = queued[-1]
        self._store.append(events)
        if events:
            self._stored()
        return tuple(queued)

    async def alerts(self) -> tuple[Alert, ...]:
        """The last state of every alert that fires, and of those resolved within the last day."""
        self._store.reach()
        since = self._store.clock.now() - _DAY
        return tuple(
            alert
            for key, alert in sorted(self._store.alerts.items())
            if alert.status is AlertStatus.FIRING or (self._store.resolved_at[key] or since) >= since
        )

    async def alert(self, key: str) -> Alert | None:
        """The last state of one alert; None when it is not known."""
        self._store.reach()
        return self._store.alerts.get(key)

    async def notices_of(self, key: str, *, limit: int = 100) -> tuple[Notice, ...]:
        """The notices of one alert, the newest first."""
        self._store.reach()
        own = [notice for notice in self._store.notices.values() if notice.identity.startswith(f"{key}|")]
        return tuple(reversed(own))[:limit]

    async def claim(self, *, now: datetime, until: datetime, limit: int = 20) -> tuple[Notice, ...]:
        """Take notices that are due for sending until *until*."""
        self._store.reach()
        due = [
            notice
            for notice in self._store.notices.values()
            if _waits(notice)
            and notice.next_try <= now
            and (notice.claimed_until is None or notice.claimed_until <= now)
        ]
        taken = [
            replace(notice, claimed_until=until)
            for notice in sorted(due, key=lambda notice: (notice.next_try, notice.id))[:limit]
        ]
        self._store.notices.update((notice.id, notice) for notice in taken)
        return tuple(taken)

    async def finish(self, notice: Notice) -> None:
        """Store how sending went; the claim ends."""
        self._store.reach()
        known = self._store.notices.get(notice.id)
        if known is None or known.identity != notice.identity or known.sent_at is not None:
            return
        has_claim = notice.claimed_until is None or known.claimed_until in (None, notice.claimed_until)
        if notice.sent_at is not None or has_claim:
            self._store.notices[notice.id] = replace(notice, claimed_until=None)

    async def waiting(self) -> tuple[Notice, ...]:
        """Notices neither sent nor given up, the oldest first."""
        self._store.reach()
        return tuple(notice for notice in self._store.notices.values() if _waits(notice))

    async def history(self, *, limit: int = 100) -> tuple[Notice, ...]:
        """Notices, the newest first."""
        self._store.reach()
        return tuple(reversed(self._store.notices.values()))[:limit]


def _waits(notice: Notice) -> bool:
    return notice.sent_at is None and notice.gave_up_at is None
