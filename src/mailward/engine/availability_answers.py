"""
The availability of a month: read from the store, computed beside the event loop, and kept while it stands.

What was read of a month that goes on is kept, so that only what happened since is read; its figures stand for a minute,
unless something happens that changes them. A month that is over is computed once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.engine.engine import Engine
from mailward.health.availability import KINDS, Month, Standing, essence
from mailward.health.courses import MENDED_WITHIN
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
class _Told:
    """A month as it was told last."""

    record: Month
    basis: _Basis | None = None
    report: AvailabilityReport | None = None

    def stands(self, basis: _Basis, now: datetime) -> AvailabilityReport | None:
        """What was told, if it may be told again."""
        if self.report is None or self.basis != basis:
            return None
        return self.report if timedelta(0) <= now - self.report.until < STANDS_FOR else None


class AvailabilityAnswers:
    """Months as they were asked for."""

    def __init__(self, engine: Engine) -> None:
        """Nothing was asked for yet; *engine* knows the store and the organization."""
        self._engine = engine
        self._months: dict[str, _Told] = {}
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
            record = Month(month)
        except ValueError as error:
            raise Refused(str(error)) from error
        if record.span.since >= self._engine.parts.clock.now():
            raise Refused(f"{month} has not begun")
        maintenance = tuple(
            hold for hold in holds if hold.kind is HoldKind.MAINTENANCE and hold.since < record.span.until
        )
        # Whoever no longer waits must not leave half a month behind.
        return await asyncio.shield(self._of(month, record, reports, maintenance))

    async def _of(
        self, name: str, empty: Month, reports: Sequence[HealthSetReport], maintenance: tuple[Hold, ...]
    ) -> AvailabilityReport:
        async with self._computing:
            now = self._engine.parts.clock.now()
            told = self._kept(name, empty)
            is_over = now >= empty.span.until + MENDED_WITHIN
            if is_over and told.report is not None and told.basis is not None and told.basis[1] == maintenance:
                return told.report
            await self._read(told.record)
            basis = (told.record.last, maintenance, self._touch_points())
            report = told.stands(basis, now) or await self._counted(told.record, basis, reports, now)
            told.report, told.basis = report, basis
            if is_over:
                told.record = empty  # read anew should it ever be counted again: it is not worth its memory
            return report

    def _kept(self, name: str, empty: Month) -> _Told:
        told = self._months.pop(name, None) or _Told(record=empty)
        self._months[name] = told  # the last one now
        while len(self._months) > MONTHS_KEPT:
            del self._months[next(iter(self._months))]
        return told

    async def _read(self, record: Month) -> None:
        """Read what happened since it was read last."""
        store = self._engine.parts.store
        while True:
            found = await store.events(after=record.last, kinds=KINDS, since=record.span.since, limit=EVENTS_AT_ONCE)
            await asyncio.to_thread(_record, record, found)
            if len(found) < EVENTS_AT_ONCE:
                return

    async def _counted(
        self, record: Month, basis: _Basis, reports: Sequence[HealthSetReport], now: datetime
    ) -> AvailabilityReport:
        before = await self._engine.parts.store.events(before=record.first, kinds=_LIFE, limit=1, newest_first=True)
        _, maintenance, touch_points = basis
        standing = Standing(
            reports=reports,
            holds=maintenance,
            was_running=bool(before) and before[0].kind is EventKind.MANAGER_STARTED,
            touch_points=touch_points,
        )
        return await asyncio.to_thread(record.report, standing, now=now)

    def _touch_points(self) -> frozenset[str]:
        organization = self._engine.snapshot.organization
        return frozenset(
            organization.access_points or (name for name, server in organization.servers.items() if server.is_proxy)
        )


def _record(record: Month, events: Sequence[Event]) -> None:
    record.add(essence(event) for event in events)
