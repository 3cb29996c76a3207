"""
The executor: takes an operation one step further (design §8, "Operations").

Each step is one turn: read the record, ask `next_move`, do that one thing, write it down. What waits, waits in the
store as a moment; nothing is kept in memory that a kill -9 would lose.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from mailward.engine.recovering.acting import Acting
from mailward.engine.recovering.blocking import OURSELVES, own_blocks
from mailward.engine.recovering.ended import Ended
from mailward.engine.recovering.facts import Facts
from mailward.engine.recovering.joining import Joining
from mailward.engine.recovering.leading import Leading
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.move_stages import MoveStages
from mailward.engine.recovering.moving import Moving
from mailward.engine.recovering.probing import Probing
from mailward.engine.recovering.record import Record, event
from mailward.engine.recovering.standing import (
    Standing,
    Turn,
    against,
    numbered,
    settles_after,
    started_instead,
    told_by,
    waits_for,
    what_is_left,
    why_not_moved,
)
from mailward.engine.recovering.world import World
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceState
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import (
    ActionClass,
    Gate,
    GateAnswer,
    Operation,
    OperationKind,
    OperationStatus,
    Step,
    StepName,
    StepOutcome,
)
from mailward.ports.lease import Held
from mailward.recovery.circumstances import Circumstances
from mailward.recovery.deciding import decide
from mailward.recovery.next_move import (
    ALTERNATIVES,
    EndHealed,
    GiveBack,
    LookBack,
    Take,
    acted_since_last_look,
    learned_nothing,
    needs_fresh_evidence,
    next_give_back,
    next_move,
)
from mailward.recovery.premises import judge
from mailward.recovery.procedures import Stage
from mailward.recovery.wanted import ACTION_OF, Wanted

LOOK_BACK_AGAIN_AFTER = timedelta(milliseconds=500)
SERVICE_SHOWS_WITHIN = timedelta(seconds=45)
"""How long looking back at a service's deed may find nothing before it counts as not known."""
SERVER_SHOWS_WITHIN = timedelta(minutes=15)
"""The same for the restart of a machine, which may take its time to boot."""
GIVE_BACK_TRIES = 3
_PAUSED = frozenset({OperationStatus.WAITING, OperationStatus.AWAITING_APPROVAL})


_ORDERS = frozenset({OperationKind.MOVE, OperationKind.DRAIN})
"""What was decided before, by a person or under the gates of another recovery: nothing is probed whether it stands."""
_OF_COPIES = frozenset({StepName.AWAIT_MOVES, StepName.PROVE_EMPTY})
"""Stages that look at the copies of a server and not at its service."""


class Executor:
    """Takes operations further, one step at a time."""

    def __init__(self, world: World, record: Record, leading: Leading, ended: Ended) -> None:
        """*ended* keeps the operations that ended lately."""
        self._world = world
        self._record = record
        self._leading = leading
        self._ended = ended
        self.facts = Facts(world)
        self.acting = Acting(world, record, leading, facts=self.facts, ended=ended)
        self._probing = Probing(world, self.facts)
        self.joining = Joining(world, record, leading, facts=self.facts, ended=ended)
        self.facts.move_deeds.begin_move = self._begin_move
        self.facts.move_deeds.forbidden = self._forbidden
        self.moving = Moving(world)
        self._move_stages = MoveStages(world, record, self.moving, self._note)

    async def advance(self, operation: Operation) -> Operation:  # noqa: PLR0911 - one return per kind of move
        """
        Take *operation* one step further and return how it stands then.

        Raises:
            Refused: The lease was lost.
            TemporaryFailure: The store is out of reach; nothing was begun.
        """
        held = self._leading.held
        if held is None:
            return operation
        steps = await self._record.operations.steps(operation.id)
        operation = replace(operation, owner=self._leading.owner, fence=held.fence)
        organization = self._world.organization()
        if operation.kind is OperationKind.BY_HAND:
            return await self._finish_by_hand(operation, steps, held)
        move = next_move(operation, steps)
        if isinstance(move, LookBack):
            return await self._look_back(operation, move.step, held)
        if operation.server not in organization.servers and operation.server not in organization.access_points:
            because = "the configuration no longer names it"
            return await self.end(operation, OperationStatus.ABORTED, because, held=held)
        match move:
            case EndHealed() if operation.kind in _ORDERS:
                return await self.end(operation, OperationStatus.HEALED, steps[-1].because, held=held)
            case EndHealed(touched=True):
                because = "it works again after what was done"
                return await self.end(operation, OperationStatus.HEALED, because, held=held)
            case EndHealed():
                because = "the trouble was gone; nothing was touched"
                return await self.end(operation, OperationStatus.TRANSIENT, because, held=held)
            case GiveBack(place=place, step=name, server=server):
                return await self._give_back(Turn(operation, steps, Standing(place, Stage(step=name), server), held))
            case Take(place=place, stage=stage, attempt=attempt):
                at = Standing(place, stage, self._server_of(operation, stage), attempt)
                turn = Turn(operation, steps, at, held)
                if operation.data.get("ended_by") is not None:  # a person ended it: it is put back when it is well
                    return await self._escalate(turn)
                if self._looks_well(operation) and needs_fresh_evidence(steps, self._world.clock.now()):
                    return await self._re_probe(turn.again())
                return await self._take(turn)

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

    async def _finish_by_hand(self, operation: Operation, steps: Sequence[Step], held: Held) -> Operation:
        """An order by hand whose manager ended in the middle of it: find out what became of it, and end it."""
        open_step = next((step for step in steps if step.ended is None), None)
        if open_step is not None:
            return await self._look_back(operation, open_step, held)
        done = bool(steps) and steps[-1].outcome is StepOutcome.DONE
        status = OperationStatus.HEALED if done else OperationStatus.ABORTED
        because = steps[-1].because if steps else "the manager ended before it was begun"
        return await self.end(operation, status, because, held=held)

    async def settle(self, operation: Operation, step: Step, held: Held) -> None:
        """Write down what became of a deed whose operation is over already."""
        known = self.acting.remembered(step)
        if known is not None and known.outcome is not None:
            await self.acting.outcome(operation, step, known.outcome, known.because, held=held)
            return
        steps = await self._record.operations.steps(operation.id)
        deed = self.facts.deed(step.name, step.server, steps, operation)
        found = await deed.look(step, self._world.clock.now())
        outcome = {True: StepOutcome.DONE, False: StepOutcome.FAILED, None: StepOutcome.UNKNOWN}[found.was_done]
        because = f"its recovery was ended meanwhile; it was looked at: {found.because}"
        await self.acting.outcome(operation, step, outcome, because, held=held)

    def is_well(self, operation: Operation) -> bool:
        """Whether what broke is healthy again by its monitors, so that a waiting operation should look."""
        if operation.cause is not None:
            status = self._world.status(operation.cause)
            return status is not None and status.state is AlertValue.HEALTHY
        return self.facts.alert_of(operation.server) is AlertValue.HEALTHY

    async def _begin_move(self, database: str, operation: Operation | None, to: str | None) -> int | None:
        """The move of a database as part of emptying a server, or of filling it again."""
        held = self._leading.held
        if held is None or operation is None:
            return None
        doing = "is emptied" if to is None else "is well again and filled"
        because = f"{operation.server} {doing} by recovery {operation.id}"
        begun = await self.joining.begin_move(
            database, held=held, because=because, to=to, parent=operation.id, actor=operation.actor
        )
        return begun.id if begun is not None else None

    def _forbidden(self) -> str | None:
        return self._world.stopped() if self._leading.held is not None else "this manager does not lead any more"

    # stages

    async def _take(self, turn: Turn) -> Operation:
        name, server = turn.at.stage.step, turn.at.server
        if name in (StepName.ESCALATE, StepName.CHOOSE_COPY):  # these ask nothing of the server
            return await (self._escalate(turn) if name is StepName.ESCALATE else self._move_stages.choose(turn))
        if server not in self._world.organization().servers:
            return await self._take_elsewhere(turn)
        wanted = Wanted(step=name if name in ACTION_OF else StepName.RESTART_SERVICE, server=server)
        seen = await self.acting.circumstances(wanted, turn.operation, turn.steps)
        looks_at_service = turn.operation.kind not in _ORDERS and name not in _OF_COPIES
        if looks_at_service and acted_since_last_look(server, seen.deeds, turn.steps, seen.now):
            return await self._re_probe(turn.again(), settle=self._world.settings().settle)
        turn = replace(turn, at=started_instead(turn.at, seen, turn.steps))
        premise = judge(turn.at.stage.premise, seen, self.facts.surroundings(turn.operation, turn.steps))
        if not premise.holds:
            return await self._note(turn, StepOutcome.SKIPPED, premise.because)
        if turn.at.stage.step in ACTION_OF:
            return await self._act(turn, premise.because)
        return await self._look(turn)

    async def _take_elsewhere(self, turn: Turn) -> Operation:
        """A stage of an access point's recovery that no verdict puts on a server."""
        if turn.at.stage.step is StepName.RE_PROBE:
            return await self._re_probe(turn)
        because = f"{turn.at.server} is no server of this organization, so nothing can be done to it"
        return await self._note(turn, StepOutcome.SKIPPED, because)

    async def _look(self, turn: Turn) -> Operation:
        """A stage that touches nothing."""
        looks: Mapping[StepName, Callable[[Turn], Awaitable[Operation]]] = {
            StepName.RE_PROBE: self._re_probe,
            StepName.PROVE_EMPTY: self._prove_empty,
            StepName.AWAIT_MOVES: self._move_stages.await_moves,
            StepName.VERIFY: self._move_stages.verify,
            StepName.RECOVER_MAILBOX_SERVER: self.joining.join,
            StepName.COLLECT: self._collect,
        }
        name = turn.at.stage.step
        if name in looks:
            return await looks[name](turn)
        because = f"to {name.value} is not available yet; the procedure goes on without it"
        return await self._note(turn, StepOutcome.REFUSED, because)

    async def _act(self, turn: Turn, premise: str) -> Operation:
        is_order = turn.operation.kind in _ORDERS
        forced = is_order and turn.operation.data.get("force") is True
        by_hand = is_order and turn.operation.actor != OURSELVES
        wanted = Wanted(step=turn.at.stage.step, server=turn.at.server, by_hand=by_hand, forced=forced)
        seen = await self.acting.circumstances(wanted, turn.operation, turn.steps)
        decision = decide(wanted, seen)
        if decision.is_final or (decision.lasts and self._can_be_emptied(turn, seen)):
            return await self._note(turn, StepOutcome.REFUSED, decision.because, answers=decision.answers)
        if is_order:
            if not decision.may:
                return await self.acting.withhold(turn, decision)
            operation, _ = await self.acting.act(turn, wanted, decision, seen, premise=premise)
            return operation
        if decision.may and needs_fresh_evidence(turn.steps, self._world.clock.now()):
            return await self._re_probe(turn.again())
        unlearned = learned_nothing(turn.steps)
        if decision.may and unlearned is not None:
            decision = against(decision, waits_for(Gate.VERDICT, f"the last re-probe is no evidence: {unlearned}"))
        if not decision.may:
            return await self.acting.withhold(turn, decision)
        operation, _ = await self.acting.act(turn, wanted, decision, seen, premise=premise)
        return operation

    async def _re_probe(self, turn: Turn, *, settle: timedelta | None = None) -> Operation:
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
        verdict = self.facts.verdict(turn.operation) or turn.operation.verdict
        operation = replace(
            turn.operation, status=OperationStatus.RUNNING, wake_at=None, because=told_by(looked), verdict=verdict
        )
        await self._record.save(operation, held=turn.held, steps=(step,))
        return operation

    async def _prove_empty(self, turn: Turn) -> Operation:
        """By the map of this moment: no row of it names the server, and no copy on it is active."""
        trouble = await self._world.read_routing()
        if trouble is not None:
            because = f"its active copies are not known: {trouble}: it is not restarted"
            return await self._note(turn, StepOutcome.FAILED, because)
        doubt = self._world.map_doubt(turn.at.server) or _not_moved(turn.steps)
        if doubt is not None:
            return await self._note(turn, StepOutcome.FAILED, f"it is not proven to be empty: {doubt}")
        left = [database.name for database in self._world.organization().active_on(turn.at.server)]
        if not left:
            healthy = {"healthy": True} if turn.operation.kind is OperationKind.DRAIN else {}
            return await self._note(turn, StepOutcome.DONE, "no active copy is left on it", evidence=healthy)
        because = f"it still holds the active copy of {', '.join(left)}: it is not restarted"
        return await self._note(turn, StepOutcome.FAILED, because)

    async def _collect(self, turn: Turn) -> Operation:
        serving = self.facts.serving_server(turn.operation)
        if serving is None:
            return await self._note(turn, StepOutcome.UNKNOWN, "it is not known which mailbox server serves it")
        alert = self.facts.alert_of(serving)
        because = f"{serving} serves it; its IMAP monitors say {alert.value if alert is not None else 'nothing'}"
        return await self._note(turn, StepOutcome.DONE, because, evidence={"mailbox_server": serving})

    async def _escalate(self, turn: Turn) -> Operation:
        """The end of the procedure. What was taken away stays away until the thing is well again."""
        now, operation = self._world.clock.now(), turn.operation
        left = why_not_moved(turn.steps) if operation.kind in _ORDERS else what_is_left(turn.steps)
        back = next_give_back(operation, turn.steps)
        if back is None or not self._is_taken(back):
            await self._note(turn, StepOutcome.DONE, f"a person is called: {left}")
            return await self.end(operation, OperationStatus.ESCALATED, left, held=turn.held)
        if self._looks_well(operation) and needs_fresh_evidence(turn.steps, now):
            return await self._re_probe(turn.again())
        failed = await self._has_failed(back.server)
        if failed is not None:
            # its service ended while the proxy was out: that is news, and its own gates decide
            start = Stage(step=StepName.START_SERVICE)
            return await self._act(replace(turn, at=Standing(turn.at.place, start, back.server)), failed)
        events: tuple[Event, ...] = ()
        because = f"{left}; {_stays(back)}"
        if operation.escalated_at is None:
            operation = replace(operation, escalated_at=now)
            events = (event(EventKind.ESCALATED, operation, because, at=now),)
        operation = replace(
            operation,
            status=OperationStatus.WAITING,
            wake_at=now + self._world.settings().look_again,
            because=because,
        )
        await self._record.save(operation, held=turn.held, events=events)
        return operation

    async def _give_back(self, turn: Turn) -> Operation:
        name, server = turn.at.stage.step, turn.at.server
        back = GiveBack(place=turn.at.place, step=name, server=server)
        if not self._is_taken(back) or server not in self._world.organization().servers:
            return await self._note(turn, StepOutcome.SKIPPED, f"there is nothing to {name.value}")
        again = await self._wait_before_trying_again(turn)
        if again is not None:
            return again
        wanted = Wanted(step=name, server=server)
        seen = await self.acting.circumstances(wanted, turn.operation, turn.steps)
        decision = decide(wanted, seen)
        if not decision.may:
            return await self.acting.withhold(turn, decision)
        operation, _ = await self.acting.act(turn, wanted, decision, seen, premise="it is well again")
        return operation

    async def _wait_before_trying_again(self, turn: Turn) -> Operation | None:
        """A proxy that could not be put back is tried again after a while, and a person is told; None: try now."""
        name, now = turn.at.stage.step, self._world.clock.now()
        tried = [step for step in turn.steps if step.name is name and step.outcome is not StepOutcome.SKIPPED]
        last = tried[-1] if tried else None
        pause = self._world.settings().look_again
        if last is None or last.ended is None or not timedelta(0) <= now - last.ended < pause:
            return None
        operation, because = turn.operation, f"it works again, but could not {name.value}: {last.because}"
        events: tuple[Event, ...] = ()
        if len(tried) >= GIVE_BACK_TRIES and operation.escalated_at is None:
            operation = replace(operation, escalated_at=now)
            events = (event(EventKind.ESCALATED, operation, because, at=now),)
        operation = replace(operation, status=OperationStatus.WAITING, wake_at=last.ended + pause, because=because)
        await self._record.save(operation, held=turn.held, events=events)
        return operation

    async def _has_failed(self, server: str) -> str | None:
        """Why its host says that the service of a server failed, or None."""
        control = self._world.controls().services.get(server)
        if control is None:
            return None
        status, _ = await bounded(control.status())
        return status.because if status is not None and status.state is ServiceState.FAILED else None

    def _is_taken(self, back: GiveBack) -> bool:
        """Whether there is anything to give back that can be."""
        if back.step is StepName.ALLOW_ACTIVATION:
            return bool(own_blocks(self._world, back.server))
        return back.step in ACTION_OF

    # looking back

    async def _look_back(self, operation: Operation, step: Step, held: Held) -> Operation:
        """An intent without outcome: a manager died, or the step waits for another operation."""
        if step.name is StepName.RECOVER_MAILBOX_SERVER:
            return await self.joining.look(operation, step, held)
        now = self._world.clock.now()
        known = self.acting.remembered(step)
        if known is not None and known.outcome is not None:
            return await self.acting.outcome(operation, step, known.outcome, known.because, held=held)
        steps = await self._record.operations.steps(operation.id)
        found = await self.facts.deed(step.name, step.server, steps, operation).look(step, now)
        patience = SERVER_SHOWS_WITHIN if step.name is StepName.RESTART_SERVER else SERVICE_SHOWS_WITHIN
        if found.was_done is None and now - step.started < patience:
            because = f"it is looked at whether this was done: {step.intent}; {found.because}"
            operation = replace(
                operation, status=OperationStatus.WAITING, wake_at=now + LOOK_BACK_AGAIN_AFTER, because=because
            )
            await self._record.save(operation, held=held)
            return operation
        outcome = {True: StepOutcome.DONE, False: StepOutcome.FAILED, None: StepOutcome.UNKNOWN}[found.was_done]
        because = f"no outcome was written, so it was looked at: {found.because}"
        not_done = found.was_done is False
        return await self.acting.outcome(
            operation, step, outcome, because, held=held, not_done=not_done, half_done=found.half_done
        )

    # small things

    def _can_be_emptied(self, turn: Turn, seen: Circumstances) -> bool:
        """Whether a mailbox server whose service cannot be mended now has other copies that users can be sent to."""
        mends_service = turn.at.stage.step in ALTERNATIVES and turn.operation.kind is OperationKind.MAILBOX_SERVER
        return mends_service and seen.other_copies and self._world.controls().routing is not None

    def _looks_well(self, operation: Operation) -> bool:
        return operation.kind not in _ORDERS and operation.status in _PAUSED and self.is_well(operation)

    def _server_of(self, operation: Operation, stage: Stage) -> str:
        if stage.step is StepName.RECOVER_MAILBOX_SERVER:
            return self.facts.serving_server(operation) or operation.server
        if operation.server in self._world.organization().access_points:
            verdict = self.facts.verdict(operation)
            return (verdict.server if verdict is not None else None) or operation.server
        return operation.server

    async def _note(
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


def _stays(back: GiveBack) -> str:
    """What stays taken away meanwhile."""
    if back.step is StepName.ALLOW_ACTIVATION:
        return f"{back.server} stays empty: its copies may not become active until it is well again"
    return f"{back.server} stays out of the access point until it is well again"


def _not_moved(steps: Sequence[Step]) -> str | None:
    """Why the moves of an operation did not all come to their end; users may still be on the server they left."""
    waited = next((step for step in reversed(steps) if step.name is StepName.AWAIT_MOVES), None)
    if waited is None or waited.outcome is StepOutcome.DONE or waited.outcome is StepOutcome.SKIPPED:
        return None
    return waited.because
