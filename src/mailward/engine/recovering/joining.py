"""A customer touch point's recovery waits for that of the mailbox server that serves it, or starts that first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from mailward.engine.recovering.ended import Ended
from mailward.engine.recovering.facts import Facts
from mailward.engine.recovering.leading import Leading
from mailward.engine.recovering.peers import OWN_MONITORS
from mailward.engine.recovering.record import Record, event
from mailward.engine.recovering.standing import Turn
from mailward.engine.recovering.world import World
from mailward.model import items
from mailward.model.event import EventKind
from mailward.model.recovery import Operation, OperationKind, OperationStatus, Step, StepOutcome
from mailward.ports.lease import Held
from mailward.recovery.triggers import Trigger, may_start

LOOK_AGAIN_AFTER = timedelta(seconds=1)


class Joining:
    """Opens operations, and has one wait for another."""

    def __init__(self, world: World, record: Record, leading: Leading, *, facts: Facts, ended: Ended) -> None:
        """Open operations in *record*."""
        self._world = world
        self._record = record
        self._leading = leading
        self._facts = facts
        self._ended = ended
        self.on_begun: Callable[[Operation], None] = lambda _: None
        """Told of every move that is opened, so that somebody goes on with it."""

    async def begin(self, trigger: Trigger, *, held: Held, parent: int | None = None) -> Operation | None:
        """Open an operation for *trigger*; None when its target has one that is not over."""
        now = self._world.clock.now()
        operation = Operation(
            kind=trigger.kind,
            target=trigger.target,
            server=trigger.server,
            mode=self._world.settings().mode,
            status=OperationStatus.RUNNING,
            because=trigger.because,
            started_at=now,
            cause=trigger.cause,
            parent=parent,
            verdict=trigger.verdict,
            databases=trigger.databases,
            owner=self._leading.owner,
            fence=held.fence,
        )
        started = event(EventKind.RECOVERY_STARTED, operation, trigger.because, at=now)
        return await self._record.operations.begin(operation, (started,), held=held)

    async def begin_move(
        self,
        database: str,
        *,
        held: Held,
        because: str,
        to: str | None = None,
        actor: str = "mailward",
        parent: int | None = None,
    ) -> Operation | None:
        """Open the move of a database; the move of it that is under way, or None when there is no such database."""
        known = self._world.organization().databases.get(database)
        if known is None:
            return None
        now = self._world.clock.now()
        operation = Operation(
            kind=OperationKind.MOVE,
            target=f"database {database}",
            server=known.active,
            mode=self._world.settings().mode,
            status=OperationStatus.RUNNING,
            because=because,
            started_at=now,
            parent=parent,
            databases=(database,),
            owner=self._leading.owner,
            fence=held.fence,
            actor=actor,
            data={"database": database, "to": to},
        )
        started = event(EventKind.RECOVERY_STARTED, operation, because, at=now)
        begun = await self._record.operations.begin(operation, (started,), held=held)
        if begun is not None:
            self.on_begun(begun)
            return begun
        return next((one for one in await self._record.operations.open() if one.target == operation.target), None)

    async def join(self, turn: Turn) -> Operation:
        """Wait for the recovery of the mailbox server the turn is about; start it where none is under way."""
        operation, server, held = turn.operation, turn.at.server, turn.held
        now = self._world.clock.now()
        trigger = self._trigger(operation, server)
        other = await self._open_on(server)
        if other is None and not self._may_start(trigger):
            because = f"a recovery of {server} ended lately and is not begun anew for the same trouble"
            step = replace(turn.step(now), ended=now, outcome=StepOutcome.SKIPPED, because=because)
            operation = replace(operation, status=OperationStatus.RUNNING, wake_at=None)
            await self._record.save(operation, held=held, steps=(step,))
            return operation
        other = other or await self.begin(trigger, held=held, parent=operation.id) or await self._open_on(server)
        step = turn.step(now)
        if other is None:
            because = f"the recovery of {server} could not be joined"
            step = replace(step, ended=now, outcome=StepOutcome.UNKNOWN, because=because)
            await self._record.save(operation, held=held, steps=(step,))
            return operation
        step = replace(step, intent=f"wait for recovery {other.id} of {other.target}", evidence={"joins": other.id})
        operation = replace(
            operation,
            status=OperationStatus.WAITING,
            joins=other.id,
            wake_at=now + LOOK_AGAIN_AFTER,
            because=f"{server} is recovered first, by recovery {other.id}",
        )
        await self._record.save(operation, held=held, steps=(step,))
        return operation

    async def look(self, operation: Operation, step: Step, held: Held) -> Operation:
        """Go on once the joined recovery is over, or has called a person."""
        now = self._world.clock.now()
        number = step.evidence.get("joins")
        other = await self._record.operations.operation(number) if isinstance(number, int) else None
        if other is not None and not other.status.is_over and other.escalated_at is None:
            operation = replace(operation, status=OperationStatus.WAITING, wake_at=now + LOOK_AGAIN_AFTER)
            await self._record.save(operation, held=held)
            return operation
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
