"""
The availability of a month: read from the store, computed beside the event loop, and kept while it stands.

What was read of a month that goes on is kept, so that only what happened since is read; its figures stand for a minute,
unless something happens that changes them. A month that is over is computed once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailward.engine.engine import Engine
from mailward.health.availability import KINDS, MENDED_WITHIN, Recorded, availability, essence, month_of
from mailward.health.spans import Span
from mailward.model.availability import AvailabilityReport
from mailward.model.errors import Refused
from mailward.model.event import Event, EventKind
from mailward.model.health import HealthSetReport
from mailward.model.holds import Hold, HoldKind

EVENTS_AT_ONCE = 2_000
"""As many are read in one go; the store's thread serves others in between."""
STANDS_FOR = timedelta(minutes=1)
"""As long the figures of a month that goes on are told again while nothing happens: its pages fit each other."""
MONTHS_KEPT = 3
_LIFE = (EventKind.MANAGER_STARTED, EventKind.MANAGER_STOPPED)

_Basis = tuple[int, tuple[Hold, ...], frozenset[str]]
"""The last event, maintenance, and where users meet the service: what changes the figures besides the time."""


@dataclass(kw_only=True, slots=True)
class _Month:
    """What is known of one month."""

    span: Span
    events: list[Event] = field(default_factory=list)
    basis: _Basis | None = None
    report: AvailabilityReport | None = None


class AvailabilityAnswers:
    """Months as they were asked for."""

    def __init__(self, engine: Engine) -> None:
        """Nothing was asked for yet; *engine* knows the store and the organization."""
        self._engine = engine
        self._months: dict[str, _Month] = {}
        self._computing = asyncio.Lock()

    async def of(self, month: str, *, reports: Sequence[HealthSetReport], holds: Sequence[Hold]) -> AvailabilityReport:
        """
        Tell one month, as it is or was up to a minute ago.

        Args:
            month: YYYY-MM, in UTC.
            reports: The health sets as they are now; taken before this is asked, as what they are is stored a little
                later.
            holds: What is held, also what has ended.

        Raises:
            Refused: *month* is none, or has not begun.
            TemporaryFailure: The store cannot be reached.
        """
        try:
            span = month_of(month)
        except ValueError as error:
            raise Refused(str(error)) from error
        if span.since >= self._engine.parts.clock.now():
            raise Refused(f"{month} has not begun")
        maintenance = tuple(hold for hold in holds if hold.kind is HoldKind.MAINTENANCE and hold.since < span.until)
        # Whoever no longer waits must not leave half a month behind.
        return await asyncio.shield(self._of(month, span, reports, maintenance))

    async def _of(
        self, name: str, span: Span, reports: Sequence[HealthSetReport], maintenance: tuple[Hold, ...]
    ) -> AvailabilityReport:
        async with self._computing:
            now = self._engine.parts.clock.now()
            month = self._kept(name, span)
            is_over = now >= span.until + MENDED_WITHIN
            if is_over and month.report is not None and month.basis is not None and month.basis[1] == maintenance:
                return month.report
            await self._read(month)
            last = month.events[-1].id if month.events else 0
            basis = (last, maintenance, self._touch_points())
            if not _stands(month, basis, now):
                month.report = await self._compute(name, month, basis, reports, now)
                month.basis = basis
            if is_over:
                month.events = []
            assert month.report is not None
            return month.report

    def _kept(self, name: str, span: Span) -> _Month:
        month = self._months.pop(name, None) or _Month(span=span)
        self._months[name] = month  # the last one now
        while len(self._months) > MONTHS_KEPT:
            del self._months[next(iter(self._months))]
        return month

    async def _read(self, month: _Month) -> None:
        """Read what happened since it was read last."""
        store = self._engine.parts.store
        while True:
            after = month.events[-1].id if month.events else 0
            found = await store.events(after=after, kinds=KINDS, since=month.span.since, limit=EVENTS_AT_ONCE)
            month.events.extend(await asyncio.to_thread(_essences, found))
            if len(found) < EVENTS_AT_ONCE:
                return

    async def _compute(
        self, name: str, month: _Month, basis: _Basis, reports: Sequence[HealthSetReport], now: datetime
    ) -> AvailabilityReport:
        first = month.events[0].id if month.events else None
        before = await self._engine.parts.store.events(before=first, kinds=_LIFE, limit=1, newest_first=True)
        _, maintenance, touch_points = basis
        recorded = Recorded(
            events=month.events,
            reports=reports,
            holds=maintenance,
            was_running=bool(before) and before[0].kind is EventKind.MANAGER_STARTED,
            touch_points=touch_points,
        )
        return await asyncio.to_thread(availability, name, recorded, now=now)

    def _touch_points(self) -> frozenset[str]:
        organization = self._engine.snapshot.organization
        return frozenset(
            organization.access_points or (name for name, server in organization.servers.items() if server.is_proxy)
        )


def _essences(events: Sequence[Event]) -> list[Event]:
    return [essence(event) for event in events]


def _stands(month: _Month, basis: _Basis, now: datetime) -> bool:
    """Whether what was computed last may be told again."""
    if month.report is None or month.basis != basis:
        return False
    return timedelta(0) <= now - month.report.until < STANDS_FOR
