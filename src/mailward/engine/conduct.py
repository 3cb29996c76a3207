"""
One run of one probe: bounded, and never an exception.

Conversations are the probes' business; looks at a disk or at mailward itself are taken here, since they ask a host or
the engine instead of a server.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from mailward.engine.timetable import Start
from mailward.model.probing import Canary, Cause, ProbeResult, ResultType
from mailward.monitors.planned import PlannedProbe
from mailward.ports.clock import Clock
from mailward.ports.probe import Probe

log = logging.getLogger(__name__)

SLACK = timedelta(seconds=2)
"""A probe ends by its own deadline; one that does not is ended this much later, and that is our own fault."""

Look = Callable[[PlannedProbe], Awaitable[ProbeResult]]


class Conduct:
    """Runs probes by name, and looks by name."""

    def __init__(self, *, probes: Mapping[str, Probe], looks: Mapping[str, Look], clock: Clock) -> None:
        self._probes = probes
        self._looks = looks
        self._clock = clock

    async def run(self, start: Start, canary: Canary | None) -> ProbeResult:
        """Run one probe and return its result, whatever happens."""
        planned = start.planned
        began = self._clock.now()
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout((planned.timeout + SLACK).total_seconds()):
                return await self._measure(start, canary)
        except TimeoutError:
            detail = f"the probe did not end by its deadline of {planned.timeout.total_seconds():g} s"
        except Exception as error:
            log.exception("%s", planned.key)
            detail = f"the probe itself failed: {type(error).__name__}"
        return ProbeResult(
            probe=planned.key.probe,
            health_set=planned.health_set,
            server=planned.key.server,
            target=planned.key.target,
            at=began,
            took=timedelta(seconds=loop.time() - started),
            result=ResultType.PROBER_OVERLOADED,
            cause=Cause.PROBER_FAULT,
            detail=detail,
            confirmation=start.confirmation,
        )

    async def _measure(self, start: Start, canary: Canary | None) -> ProbeResult:
        planned = start.planned
        write = start.writing or (canary is None and planned.write_every is not None)
        target = planned.turn_of(canary=canary, write=write, confirmation=start.confirmation)
        if target is None:
            return await self._looks[planned.key.probe](planned)
        return await self._probes[planned.key.probe].run(target)
