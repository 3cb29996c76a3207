"""Looking back at a deed that has an intent and no outcome: its manager died, or an operator ended its operation."""

from collections.abc import Sequence
from datetime import timedelta

from mailward.engine.recovering.acting import Acting
from mailward.engine.recovering.deeds import Found
from mailward.engine.recovering.facts import Facts
from mailward.engine.recovering.joining import Joining
from mailward.engine.recovering.noting import Noting
from mailward.engine.recovering.record import Record
from mailward.engine.recovering.world import World
from mailward.model.recovery import Operation, OperationStatus, Step, StepName, StepOutcome
from mailward.ports.lease import Held

AGAIN_AFTER = timedelta(milliseconds=500)
SERVICE_SHOWS_WITHIN = timedelta(seconds=45)
"""How long looking back at a service's deed may find nothing before it counts as not known."""
SERVER_SHOWS_WITHIN = timedelta(minutes=15)
"""The same for the restart of a machine, which may take its time to boot."""
_OUTCOMES = {True: StepOutcome.DONE, False: StepOutcome.FAILED, None: StepOutcome.UNKNOWN}


class LookingBack:
    """Finds out what became of a deed, and writes it down."""

    def __init__(
        self, world: World, record: Record, *, facts: Facts, acting: Acting, joining: Joining, noting: Noting
    ) -> None:
        """Look at *world*, write to *record*."""
        self._world = world
        self._record = record
        self._facts = facts
        self._acting = acting
        self._joining = joining
        self._noting = noting

    async def look(self, operation: Operation, step: Step, held: Held) -> Operation:
        """The step may also wait for another operation: then that is looked at."""
        if step.name is StepName.RECOVER_MAILBOX_SERVER:
            return await self._joining.look(operation, step, held)
        known = self._acting.remembered(step)
        if known is not None and known.outcome is not None:
            return await self._acting.outcome(operation, step, known.outcome, known.because, held=held)
        found = await self._find(operation, step)
        now = self._world.clock.now()
        patience = SERVER_SHOWS_WITHIN if step.name is StepName.RESTART_SERVER else SERVICE_SHOWS_WITHIN
        if found.was_done is None and now - step.started < patience:
            because = f"it is looked at whether this was done: {step.intent}; {found.because}"
            return await self._noting.wait(operation, because, until=now + AGAIN_AFTER, held=held)
        because = f"no outcome was written, so it was looked at: {found.because}"
        return await self._acting.outcome(
            operation,
            step,
            _OUTCOMES[found.was_done],
            because,
            held=held,
            not_done=found.was_done is False,
            half_done=found.half_done,
        )

    async def settle(self, operation: Operation, step: Step, held: Held) -> None:
        """Write down what became of a deed whose operation is over already."""
        known = self._acting.remembered(step)
        if known is not None and known.outcome is not None:
            await self._acting.outcome(operation, step, known.outcome, known.because, held=held)
            return
        found = await self._find(operation, step)
        because = f"its recovery was ended meanwhile; it was looked at: {found.because}"
        await self._acting.outcome(operation, step, _OUTCOMES[found.was_done], because, held=held)

    async def finish_by_hand(self, operation: Operation, steps: Sequence[Step], held: Held) -> Operation:
        """An order by hand whose manager ended in the middle of it: find out what became of it, and end it."""
        open_step = next((step for step in steps if step.ended is None), None)
        if open_step is not None:
            return await self.look(operation, open_step, held)
        done = bool(steps) and steps[-1].outcome is StepOutcome.DONE
        status = OperationStatus.HEALED if done else OperationStatus.ABORTED
        because = (steps[-1].because or steps[-1].intent) if steps else "the manager ended before it was begun"
        return await self._noting.end(operation, status, because, held=held)

    async def _find(self, operation: Operation, step: Step) -> Found:
        steps = await self._record.operations.steps(operation.id)
        return await self._facts.deed(step.name, step.server, steps, operation).look(step, self._world.clock.now())
