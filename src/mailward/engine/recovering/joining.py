"""A customer touch point's recovery waits for that of the mailbox server that serves it, or starts that first."""

from dataclasses import replace
from datetime import timedelta

from mailward.engine.recovering.ended import Ended
from mailward.engine.recovering.noting import Noting
from mailward.engine.recovering.opening import Opening
from mailward.engine.recovering.peers import OWN_MONITORS
from mailward.engine.recovering.record import Record
from mailward.engine.recovering.standing import Turn
from mailward.engine.recovering.world import World
from mailward.model import items
from mailward.model.recovery import Operation, OperationKind, OperationStatus, Step, StepOutcome
from mailward.ports.lease import Held
from mailward.recovery.triggers import Trigger, may_start

LOOK_AGAIN_AFTER = timedelta(seconds=1)


class Joining:
    """Has one operation wait for another."""

    def __init__(self, world: World, record: Record, *, opening: Opening, noting: Noting, ended: Ended) -> None:
        """*opening* begins what is not under way yet; *ended* says what ended lately."""
        self._world = world
        self._record = record
        self._opening = opening
        self._noting = noting
        self._ended = ended

    async def join(self, turn: Turn) -> Operation:
        """Wait for the recovery of the mailbox server the turn is about; start it where none is under way."""
        operation, server, held = turn.operation, turn.at.server, turn.held
        trigger = self._trigger(operation, server)
        other = await self._open_on(server)
        if other is None and not self._may_start(trigger):
            because = f"a recovery of {server} ended lately and is not begun anew for the same trouble"
            return await self._noting.note(turn, StepOutcome.SKIPPED, because)
        other = other or await self._opening.recovery(trigger, held=held, parent=operation.id)
        other = other or await self._open_on(server)
        if other is None:
            return await self._noting.note(turn, StepOutcome.UNKNOWN, f"the recovery of {server} could not be joined")
        now = self._world.clock.now()
        intent = f"wait for recovery {other.id} of {other.target}"
        step = replace(turn.step(now), intent=intent, evidence={"joins": other.id})
        because = f"{server} is recovered first, by recovery {other.id}"
        return await self._noting.wait(
            replace(operation, joins=other.id), because, until=now + LOOK_AGAIN_AFTER, held=held, steps=(step,)
        )

    async def look(self, operation: Operation, step: Step, held: Held) -> Operation:
        """Go on once the joined recovery is over, or has called a person."""
        now = self._world.clock.now()
        number = step.evidence.get("joins")
        other = await self._record.operations.operation(number) if isinstance(number, int) else None
        if other is not None and not other.status.is_over and other.escalated_at is None:
            return await self._noting.wait(operation, operation.because, until=now + LOOK_AGAIN_AFTER, held=held)
        said = "gone" if other is None else other.status.value
        if other is not None and not other.status.is_over:
            said = f"{said}, and a person was called"
        step = replace(step, ended=now, outcome=StepOutcome.DONE, because=f"recovery {number} is {said}")
        operation = replace(operation, status=OperationStatus.RUNNING, wake_at=None, joins=None, because=step.because)
        await self._record.save(operation, held=held, steps=(step,))
        return operation

    def _may_start(self, trigger: Trigger) -> bool:
        """What a person ended, or what did not help, is not begun again by another way."""
        status = self._world.status(trigger.cause) if trigger.cause is not None else None
        former = self._ended.of(trigger.target)
        now = self._world.clock.now()
        return may_start(trigger, status, former, settings=self._world.settings(), now=now)

    async def _open_on(self, server: str) -> Operation | None:
        for operation in await self._record.operations.open():
            if operation.kind is OperationKind.MAILBOX_SERVER and operation.server == server:
                return operation
        return None

    def _trigger(self, operation: Operation, server: str) -> Trigger:
        broken = [
            status
            for status in self._world.of_server(server)
            if status.broken_since is not None and status.key.item in OWN_MONITORS
        ]
        # the self test speaks for the whole server
        first = min(broken, key=lambda s: (s.key.item != items.SELF_TEST_MONITOR, s.key), default=None)
        return Trigger(
            kind=OperationKind.MAILBOX_SERVER,
            target=server,
            server=server,
            because=f"{server} serves what {operation.server} cannot reach, and its own monitors are not healthy",
            cause=first.key if first is not None else None,
            verdict=first.verdict if first is not None else operation.verdict,
            databases=tuple(database.name for database in self._world.organization().active_on(server)),
        )
