"""The availability of a month: read from the store, and computed beside the event loop."""

import asyncio
from collections.abc import Sequence

from mailward.engine.engine import Engine
from mailward.health.availability import KINDS, Recorded, availability, month_of
from mailward.health.sets import report
from mailward.model.availability import AvailabilityReport
from mailward.model.errors import Refused
from mailward.model.event import Event, EventKind
from mailward.model.holds import Hold

EVENTS_AT_ONCE = 20_000
"""As many are read in one go; the store's thread serves others in between."""
_LIFE = (EventKind.MANAGER_STARTED, EventKind.MANAGER_STOPPED)


async def availability_of(engine: Engine, month: str, *, holds: Sequence[Hold]) -> AvailabilityReport:
    """
    Compute one month.

    Args:
        engine: Knows the store, the organization, and how everything stands now.
        month: YYYY-MM, in UTC.
        holds: Maintenance, also what has ended.

    Raises:
        Refused: *month* is none, or has not begun.
        TemporaryFailure: The store cannot be reached.
    """
    now = engine.parts.clock.now()
    try:
        since = month_of(month).since
    except ValueError as error:
        raise Refused(str(error)) from error
    store, organization = engine.parts.store, engine.snapshot.organization
    events: list[Event] = []
    while True:
        after = events[-1].id if events else 0
        found = await store.events(after=after, kinds=KINDS, since=since, limit=EVENTS_AT_ONCE)
        events.extend(found)
        if len(found) < EVENTS_AT_ONCE:
            break
    first = events[0].id if events else None
    before = await store.events(before=first, kinds=_LIFE, limit=1, newest_first=True)
    recorded = Recorded(
        events=events,
        reports=report(engine.assessment.statuses),
        holds=holds,
        was_running=bool(before) and before[0].kind is EventKind.MANAGER_STARTED,
        touch_points=frozenset(
            organization.access_points or (name for name, server in organization.servers.items() if server.is_proxy)
        ),
    )
    try:
        return await asyncio.to_thread(availability, month, recorded, now=now)
    except ValueError as error:
        raise Refused(str(error)) from error
