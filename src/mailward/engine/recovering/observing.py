"""The stage that observes: it waits, and looks at the monitors from time to time."""

from datetime import datetime

from mailward.engine.recovering.noting import Noting
from mailward.engine.recovering.record import with_data
from mailward.engine.recovering.standing import Turn
from mailward.engine.recovering.world import World
from mailward.model import items
from mailward.model.monitoring import MonitorStatus
from mailward.model.recovery import Operation, StepOutcome
from mailward.recovery.observing import observe

_OF_EMPTY_SERVER = frozenset({items.QUEUE_MONITOR, items.SELF_TEST_MONITOR, items.DEEP_TEST_MONITOR})
"""What is to be healthy where no user is: commands that nobody gives take no time."""


class Observing:
    """Takes it. What it waits for is in the record, so that another manager goes on with it."""

    def __init__(self, world: World, *, noting: Noting) -> None:
        """Look at *world*, write down by *noting*."""
        self._world = world
        self._noting = noting

    async def observe(self, turn: Turn) -> Operation:
        """Begin to observe, go on with it, or write down what it came to."""
        now, settings = self._world.clock.now(), self._world.settings()
        began = _began(turn) or now
        watched = self._watched(turn)
        observed = observe(watched, began=began, window=settings.observe, now=now)
        if observed.is_healthy is None:
            operation = with_data(
                turn.operation, observing={"place": turn.at.place, "since": began.isoformat()}, withheld=None
            )
            until = min(now + settings.look_again, observed.until or now + settings.look_again)
            return await self._noting.wait(operation, observed.because, until=until, held=turn.held)
        evidence = {
            "healthy": observed.is_healthy,
            "observed": {f"{one.key.item} of {one.key.server}": one.state.value for one in watched},
        }
        return await self._noting.note(turn, StepOutcome.DONE, observed.because, evidence=evidence)

    def _watched(self, turn: Turn) -> tuple[MonitorStatus, ...]:
        """The monitor that broke; on a mailbox server that was emptied, its queue and its own tests."""
        server = self._world.organization().servers.get(turn.operation.server)
        if server is not None and server.is_mailbox and not self._world.organization().active_on(server.name):
            return tuple(one for one in self._world.of_server(server.name) if one.key.item in _OF_EMPTY_SERVER)
        status = self._world.status(turn.operation.cause) if turn.operation.cause is not None else None
        return () if status is None else (status,)


def _began(turn: Turn) -> datetime | None:
    """When this stage began, where it has."""
    known = turn.operation.data.get("observing")
    if not isinstance(known, dict) or known.get("place") != turn.at.place:
        return None
    return datetime.fromisoformat(str(known["since"]))
