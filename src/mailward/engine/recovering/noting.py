"""Writing down what touches nothing: a step that only looked, an operation that waits, one that ends."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from mailward.engine.recovering.ended import Ended
from mailward.engine.recovering.record import Record, event
from mailward.engine.recovering.standing import Turn, numbered
from mailward.engine.recovering.world import World
from mailward.model.event import Event, EventKind
from mailward.model.recovery import GateAnswer, Operation, OperationStatus, Step, StepOutcome
from mailward.ports.lease import Held


class Noting:
    """
    Writes it down.

    Each raises Refused when the lease was lost, and TemporaryFailure while the store is out of reach; what ended is
    written until the store takes it.
    """

    def __init__(self, world: World, record: Record, ended: Ended) -> None:
        """*ended* keeps the operations that ended lately."""
        self._world = world
        self._record = record
        self._ended = ended

    async def note(
        self,
        turn: Turn,
        outcome: StepOutcome,
        because: str,
        *,
        evidence: Mapping[str, object] | None = None,
        answers: tuple[GateAnswer, ...] = (),
    ) -> Operation:
        """Write down a step that touched nothing."""
        now = self._world.clock.now()
        step = replace(turn.step(now), ended=now, outcome=outcome, because=because, evidence=evidence or {})
        operation = replace(turn.operation, status=OperationStatus.RUNNING, wake_at=None)
        events: tuple[Event, ...] = ()
        if outcome is StepOutcome.REFUSED:
            events = (event(EventKind.ACTION_WITHHELD, operation, because, at=now, step=step),)
        given = numbered(answers, step)
        await self._record.save(operation, held=turn.held, steps=(step,), answers=given, events=events)
        return operation

    async def wait(
        self,
        operation: Operation,
        because: str,
        *,
        until: datetime,
        held: Held,
        steps: Sequence[Step] = (),
        calls: bool = False,
    ) -> Operation:
        """Let an operation wait; with *calls* a person is called, the first time."""
        events: tuple[Event, ...] = ()
        if calls and operation.escalated_at is None:
            now = self._world.clock.now()
            operation = replace(operation, escalated_at=now)
            events = (event(EventKind.ESCALATED, operation, because, at=now),)
        operation = replace(operation, status=OperationStatus.WAITING, wake_at=until, because=because)
        await self._record.save(operation, held=held, steps=steps, events=events)
        return operation

    async def end(self, operation: Operation, status: OperationStatus, because: str, *, held: Held) -> Operation:
        """End an operation, and tell it."""
        now = self._world.clock.now()
        operation = replace(operation, status=status, because=because, ended_at=now, wake_at=None)
        events = [event(EventKind.RECOVERY_ENDED, operation, f"{status.value}: {because}", at=now)]
        if status is OperationStatus.ESCALATED and operation.escalated_at is None:
            operation = replace(operation, escalated_at=now)
            events.append(event(EventKind.ESCALATED, operation, because, at=now))
        await self._record.save(operation, held=held, events=events, surely=True)
        self._ended.note(operation)
        return operation
