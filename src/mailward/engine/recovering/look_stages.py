"""The stages of a recovery that touch nothing: whether the problem stands, whether a server is empty."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from mailward.engine.recovering.facts import Facts
from mailward.engine.recovering.noting import Noting
from mailward.engine.recovering.probing import Probing
from mailward.engine.recovering.record import Record
from mailward.engine.recovering.standing import Turn, settles_after, told_by
from mailward.engine.recovering.world import World
from mailward.model.recovery import (
    ActionClass,
    Operation,
    OperationKind,
    OperationStatus,
    Step,
    StepName,
    StepOutcome,
)


class LookStages:
    """Takes them."""

    def __init__(self, world: World, record: Record, *, facts: Facts, noting: Noting) -> None:
        """Look at *world*, write to *record*."""
        self._world = world
        self._record = record
        self._facts = facts
        self._noting = noting
        self._probing = Probing(world, facts)

    async def re_probe(self, turn: Turn, *, settle: timedelta | None = None) -> Operation:
        """Find out whether the problem stands; after a deed its service gets its time to settle."""
        settings = self._world.settings()
        deed = settles_after(turn.steps)
        if deed is not None:
            settle = settings.server_settle if deed.action is ActionClass.SERVER_RESTART else settings.settle
        began = self._world.clock.now()
        looked = await self._probing.look(turn.operation, settle=settle)
        step = replace(
            turn.step(began),
            intent="find out whether the problem stands",
            ended=self._world.clock.now(),
            outcome=StepOutcome.DONE if looked.is_healthy is not None else StepOutcome.UNKNOWN,
            because=looked.because,
            evidence=looked.evidence,
        )
        verdict = self._facts.verdict(turn.operation) or turn.operation.verdict
        operation = replace(
            turn.operation, status=OperationStatus.RUNNING, wake_at=None, because=told_by(looked), verdict=verdict
        )
        await self._record.save(operation, held=turn.held, steps=(step,))
        return operation

    async def prove_empty(self, turn: Turn) -> Operation:
        """By the map of this moment: no row of it names the server, and no copy on it is active."""
        trouble = await self._world.read_routing()
        if trouble is not None:
            because = f"its active copies are not known: {trouble}"
            return await self._noting.note(turn, StepOutcome.FAILED, f"{because}{_so(turn)}")
        doubt = self._world.map_doubt(turn.at.server) or _not_moved(turn.steps)
        if doubt is not None:
            return await self._noting.note(turn, StepOutcome.FAILED, f"it is not proven to be empty: {doubt}")
        left = [database.name for database in self._world.organization().active_on(turn.at.server)]
        if not left:
            healthy = {"healthy": True} if turn.operation.kind is OperationKind.DRAIN else {}
            return await self._noting.note(turn, StepOutcome.DONE, "no active copy is left on it", evidence=healthy)
        because = f"it still holds the active copy of {', '.join(left)}"
        return await self._noting.note(turn, StepOutcome.FAILED, f"{because}{_so(turn)}")


def _so(turn: Turn) -> str:
    """What follows for a recovery; a person who has a server emptied never had it restarted."""
    return "" if turn.operation.kind is OperationKind.DRAIN else ": it is not restarted"


def _not_moved(steps: Sequence[Step]) -> str | None:
    """Why the moves of an operation did not all come to their end; users may still be on the server they left."""
    waited = next((step for step in reversed(steps) if step.name is StepName.AWAIT_MOVES), None)
    if waited is None or waited.outcome in (StepOutcome.DONE, StepOutcome.SKIPPED):
        return None
    return waited.because
