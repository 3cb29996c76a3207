"""The health sets of every server as they are reported, counted anew only where a monitor has changed."""

import asyncio
from collections.abc import Mapping

from mailward.engine.assessment import Assessment
from mailward.health.components import ShownStates
from mailward.health.order import RANK
from mailward.health.sets import set_report
from mailward.model.health import HealthSetReport
from mailward.model.holds import Hold
from mailward.model.monitoring import MonitorStatus


class Reports:
    """
    What `health.sets.report` says of all monitors, from memory.

    Ten thousand servers have some forty thousand monitors, of which a few change in a second, while every open page
    asks for all of them.
    """

    def __init__(self, assessment: Assessment) -> None:
        """Nothing was reported yet."""
        self._assessment = assessment
        self._holds: tuple[Hold, ...] | None = None
        self._rows: dict[tuple[str, str], HealthSetReport] = {}
        self._sorted: tuple[HealthSetReport, ...] = ()
        self._counting = asyncio.Lock()

    async def all(self, holds: tuple[Hold, ...]) -> tuple[HealthSetReport, ...]:
        """Every health set of every server, worst first, then by server and name; *holds* are those in force now."""
        return await asyncio.shield(self._all(holds))  # whoever no longer waits must not leave half a count behind

    async def _all(self, holds: tuple[Hold, ...]) -> tuple[HealthSetReport, ...]:
        async with self._counting:
            changed = self._assessment.take_changed_sets()
            if holds != self._holds:
                self._holds, changed = holds, (*self._assessment.sets, *self._rows)
            if changed:
                members = {name: self._assessment.of_set(name) for name in changed}
                # In a thread: with thousands of servers every probe would wait.
                self._sorted = await asyncio.to_thread(self._count, members, ShownStates(holds))
            return self._sorted

    def _count(
        self, changed: Mapping[tuple[str, str], tuple[MonitorStatus, ...]], shown: ShownStates
    ) -> tuple[HealthSetReport, ...]:
        for name, members in changed.items():
            if members:
                self._rows[name] = set_report(members, shown=shown)
            else:
                self._rows.pop(name, None)
        return tuple(sorted(self._rows.values(), key=lambda row: (RANK[row.alert_value], row.server, row.health_set)))
