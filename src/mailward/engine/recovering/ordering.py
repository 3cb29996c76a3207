"""
What people order: yes and no to a waiting recovery, and deeds by hand, which pass the same gates and the same record.

A deed by hand is an operation of its own kind, so that throttles count it, a crash leaves its intent, and `why` tells
who did it.
"""

from dataclasses import replace

from mailward.engine.recovering.record import event, with_data
from mailward.engine.recovering.recovering import Recovering
from mailward.engine.recovering.standing import Standing, Turn, said_by, stays, words_of
from mailward.engine.recovering.world import World
from mailward.model.errors import NotFound, Refused, TemporaryFailure
from mailward.model.event import EventKind
from mailward.model.recovery import Mode, Operation, OperationKind, OperationStatus, StepName, StepOutcome
from mailward.ports.lease import Held
from mailward.ports.manager import Intention
from mailward.ports.service_control import ServiceDeed
from mailward.recovery.deciding import decide
from mailward.recovery.next_move import GiveBack, next_give_back
from mailward.recovery.procedures import Stage
from mailward.recovery.wanted import ACTION_OF, Wanted

STEP_OF = {
    ServiceDeed.START: StepName.START_SERVICE,
    ServiceDeed.STOP: StepName.STOP_SERVICE,
    ServiceDeed.RESTART: StepName.RESTART_SERVICE,
    ServiceDeed.RELOAD: StepName.RELOAD_SERVICE,
    ServiceDeed.ENABLE: StepName.ENABLE_SERVICE,
}


class Ordering:
    """Carries out orders."""

    def __init__(self, world: World, recovering: Recovering) -> None:
        """*recovering* goes on with what is ordered, and keeps still while an order changes an operation."""
        self._world = world
        self._recovering = recovering
        self._record = recovering.record
        self._leading = recovering.leading
        self._executor = recovering.executor

    async def approve(self, number: int, *, actor: str, reason: str) -> Operation:
        """Say yes to the step an operation waits with; it probes again before it acts."""
        async with self._recovering.quiet(number):
            operation = await self._unfinished(number)
            if operation.status is not OperationStatus.AWAITING_APPROVAL:
                stands = f"it is {operation.status.value}: {operation.because}"
                raise Refused(f"recovery {number} does not wait for a yes; {stands}")
            now = self._world.clock.now()
            because = said_by(actor, "said yes", reason)
            operation = replace(operation, approved_by=actor, approved_at=now, wake_at=now, because=because)
            return await self._save(operation, EventKind.APPROVAL_GIVEN, because, actor)

    async def deny(self, number: int, *, actor: str, reason: str) -> Operation:
        """Say no: the operation ends, and a person is left with it. What it took away it still puts back when well."""
        because = said_by(actor, "said no", reason)
        return await self._end(number, OperationStatus.DENIED, EventKind.APPROVAL_DENIED, because, actor)

    async def abort(self, number: int, *, actor: str, reason: str) -> Operation:
        """
        End an operation before its next step. A deed under way is not called back, and its outcome is recorded.

        What it took away it puts back when that is well again; until then it stays open for nothing else. Moves that it
        began are ended with it.
        """
        because = said_by(actor, "ended it", reason)
        ended = await self._end(number, OperationStatus.ABORTED, EventKind.RECOVERY_ENDED, because, actor)
        for one in await self._record.operations.open():
            if one.parent == number and one.kind is OperationKind.MOVE:  # what it began is ended with it
                await self._end(one.id, OperationStatus.ABORTED, EventKind.RECOVERY_ENDED, because, actor)
        return ended

    async def _end(self, number: int, status: OperationStatus, kind: EventKind, because: str, actor: str) -> Operation:
        if await self._left_to_give_back(await self._unfinished(number)) is None:
            operation = self._over(await self._unfinished(number), status, because)
            return await self._save(operation, kind, because, actor)
        async with self._recovering.quiet(number):
            operation = await self._unfinished(number)
            back = await self._left_to_give_back(operation)
            if back is None:
                return await self._save(self._over(operation, status, because), kind, because, actor)
            left = f"{because}; {stays(back)}"
            now = self._world.clock.now()
            operation = replace(
                with_data(operation, ended_by=actor, asked_at=None, withheld=None),
                status=OperationStatus.WAITING,
                wake_at=now,
                approved_at=None,
                approved_by=None,
                escalated_at=operation.escalated_at or now,
                because=left,
            )
            return await self._save(operation, kind, left, actor)

    async def _left_to_give_back(self, operation: Operation) -> GiveBack | None:
        """What this operation took away and has not given back; None as well once a person ended it before."""
        if operation.kind is OperationKind.BY_HAND or operation.data.get("ended_by") is not None:
            return None
        back = next_give_back(operation, await self._record.operations.steps(operation.id))
        return back if back is not None and back.step in ACTION_OF else None

    async def by_hand(
        self, step: StepName, server: str, *, actor: str, reason: str, dry_run: bool, force: bool
    ) -> Intention:
        """
        Do something to a server by hand.

        Raises:
            TemporaryFailure: This manager does not lead, or its store is out of reach.
        """
        wanted = Wanted(step=step, server=server, by_hand=True, forced=force)
        operation = self._operation(wanted, actor=actor, reason=reason)
        seen = await self._executor.acting.circumstances(wanted, operation, ())
        decision = decide(wanted, seen)
        words = words_of(self._executor.facts.deed(step, server))
        intention = Intention(
            server=server,
            command=words,
            answers=decision.answers,
            allowed=decision.may,
            because=decision.because,
        )
        if dry_run or not decision.may:
            return intention
        held = self._leading.held
        if held is None:
            raise TemporaryFailure("this manager does not hold the lease that allows it to act; nothing was done")
        return await self._do(operation, wanted, intention, held)

    async def _do(self, operation: Operation, wanted: Wanted, intention: Intention, held: Held) -> Intention:
        started = event(EventKind.RECOVERY_STARTED, operation, operation.because, at=operation.started_at)
        begun = await self._record.operations.begin(operation, (started,), held=held)
        if begun is None:
            raise Refused(
                f"somebody is doing something to {wanted.server} by hand at this moment; see: mailward recoveries"
            )
        with self._recovering.agenda.reserved(begun.id):
            return await self._act(begun, wanted, intention, held)

    async def _act(self, begun: Operation, wanted: Wanted, intention: Intention, held: Held) -> Intention:
        """Ask the gates once more, now that nobody else can begin it, and do it. It is ended whatever comes of it."""
        turn = Turn(begun, (), Standing(0, Stage(step=wanted.step), wanted.server), held)
        after, began = begun, False
        try:
            seen = await self._executor.acting.circumstances(wanted, begun, ())
            decision = decide(wanted, seen)
            if decision.may:
                after, began = await self._executor.acting.act(turn, wanted, decision, seen, premise=begun.because)
            else:
                after = replace(begun, because=decision.because)
        finally:
            steps = await self._record.operations.steps(begun.id)
            if not steps and not began:  # nothing was begun: nothing is to be looked back at
                await self._executor.noting.end(
                    after, OperationStatus.ABORTED, f"not begun: {after.because}", held=held
                )
        if not began:
            return replace(intention, allowed=False, because=after.because, operation=begun.id)
        done = bool(steps) and steps[-1].outcome is StepOutcome.DONE
        because = (steps[-1].because or steps[-1].intent) if steps else after.because
        status = OperationStatus.HEALED if done else OperationStatus.ESCALATED
        await self._executor.noting.end(after, status, f"by {begun.actor}: {because}", held=held)
        return replace(intention, done=done, because=because, operation=begun.id)

    def _operation(self, wanted: Wanted, *, actor: str, reason: str) -> Operation:
        organization = self._world.organization()
        return Operation(
            kind=OperationKind.BY_HAND,
            target=f"{wanted.server}/by-hand",
            server=wanted.server,
            mode=Mode.ACT,
            status=OperationStatus.RUNNING,
            because=said_by(actor, f"wants to {wanted.step.value}", reason),
            started_at=self._world.clock.now(),
            owner=self._leading.owner,
            actor=actor,
            databases=tuple(database.name for database in organization.active_on(wanted.server)),
        )

    def _over(self, operation: Operation, status: OperationStatus, because: str) -> Operation:
        now = self._world.clock.now()
        return replace(operation, status=status, because=because, ended_at=now, wake_at=None)

    async def _unfinished(self, number: int) -> Operation:
        operation = await self._record.operations.operation(number)
        if operation is None:
            raise NotFound(f"there is no recovery {number}; see: mailward recoveries")
        if operation.status.is_over:
            raise Refused(f"recovery {number} is over already: {operation.status.value}, {operation.because}")
        return operation

    async def _save(self, operation: Operation, kind: EventKind, because: str, actor: str) -> Operation:
        told = event(kind, operation, because, at=self._world.clock.now(), actor=actor)
        await self._record.operations.save(operation, held=None, events=(told,))
        self._recovering.take_over(operation)
        return operation
