"""What would fail in the middle of a recovery is better found at the start: descriptors, the clock, a full disk."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from mailward.model.errors import TemporaryFailure
from mailward.ports.clock import Clock
from mailward.ports.store import Store

log = logging.getLogger(__name__)

CLOCK_STEP = timedelta(minutes=1)
"""How far behind its own last record the clock may stand: hosts are corrected by a little all the time."""


class StartCheck:
    """Looks at this machine when the manager starts, and at its clock whenever asked."""

    def __init__(self, store: Store, clock: Clock, self_check: Callable[[int], tuple[str, ...]]) -> None:
        """*self_check* says what is wrong with this machine for so many probes."""
        self._store = store
        self._clock = clock
        self._self_check = self_check
        self._found: tuple[str, ...] = ()
        self._last_stored_at: datetime | None = None

    async def run(self, probes: int) -> None:
        """Look, and tell the log."""
        self._found = self._self_check(probes)
        try:
            await self._store.check_writable()
            newest = await self._store.events(limit=1, newest_first=True)
        except TemporaryFailure as failure:
            log.error("the store: %s", failure)
        else:
            self._last_stored_at = newest[0].at if newest else None
        for problem in self.problems():
            log.error("at the start: %s", problem)

    def problems(self) -> tuple[str, ...]:
        """What was found, and whether the clock still stands wrong."""
        return (*self._found, *self._clock_problem())

    def _clock_problem(self) -> tuple[str, ...]:
        """The clock must not stand before what was stored already: throttles and approvals count by it."""
        now = self._clock.now()
        if self._last_stored_at is None or now >= self._last_stored_at - CLOCK_STEP:
            return ()
        return (
            f"the clock says {now:%Y-%m-%d %H:%M} UTC, before what was stored at {self._last_stored_at:%Y-%m-%d %H:%M}",
        )
