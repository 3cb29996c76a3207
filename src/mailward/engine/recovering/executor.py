"""
The executor: takes an operation one step further (design §8, "Operations").

Each step is one turn: read the record, ask `next_move`, do that one thing, write it down. What waits, waits in the
store as a moment; nothing is kept in memory that a kill -9 would lose.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from mailward.engine.recovering.acting import Acting
from mailward.engine.recovering.ended import Ended
from mailward.engine.recovering.facts import Facts
from mailward.engine.recovering.giving_back import GivingBack
from mailward.engine.recovering.joining import Joining
from mailward.engine.recovering.leading import Leading
from mailward.engine.recovering.log_stages import LogStages
from mailward.engine.recovering.look_stages import LookStages
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.looking_back import LookingBack
from mailward.engine.recovering.moves.deeds import MoveDeeds
from mailward.engine.recovering.moves.looks import MoveLooks
from mailward.engine.recovering.moves.stages import MoveStages
from mailward.engine.recovering.noting import Noting
from mailward.engine.recovering.observing import Observing
from mailward.engine.recovering.opening import Opening
from mailward.engine.recovering.progress import Progress
from mailward.engine.recovering.record import Record
from mailward.engine.recovering.standing import (
    Standing,
    Turn,
    against,
    started_instead,
    stays,
    waits_for,
    what_is_left,
    why_not_moved,
)
from mailward.engine.recovering.world import World
from mailward.model.event import OURSELVES
from mailward.model.evidence import ServiceState
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import Gate, Operation, OperationKind, OperationStatus, Step, StepName, StepOutcome
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
    log_left_on,
    needs_fresh_evidence,
    next_give_back,
    next_move,
)
from mailward.recovery.premises import judge
from mailward.recovery.procedures import Stage
from mailward.recovery.wanted import ACTION_OF, Wanted

_PAUSED = frozenset({OperationStatus.WAITING, OperationStatus.AWAITING_APPROVAL})
_ORDERS = frozenset({OperationKind.MOVE, OperationKind.DRAIN})
"""What was decided before, by a person or under the gates of another recovery: nothing is probed whether it stands."""
_OF_MAILBOX_SERVER = frozenset({StepName.RECOVER_MAILBOX_SERVER, StepName.PROTOCOL_LOG_ON})
"""Stages of a customer touch point that are about the mailbox server that serves it."""
_NOT_OF_SERVICE = frozenset({StepName.AWAIT_MOVES, StepName.PROVE_EMPTY, StepName.OBSERVE})
"""Stages that look at the copies of a server, or at its monitors for a while, and do not probe its service."""


class Executor:
    """Takes operations further, one step at a time."""

    def __init__(
        self, world: World, record: Record, leading: Leading, *, ended: Ended, on_begun: Callable[[Operation], None]
    ) -> None:
        """
        Args:
            world: The engine.
            record: Where operations are written down.
            leading: Whether this manager may act.
            ended: The operations that ended lately.
            on_begun: Told of every operation that is begun.
        """
        self._world = world
        self._record = record
        self._leading = leading
        self.opening = Opening(world, record, leading, on_begun=on_begun)
        self.noting = Noting(world, record, ended)
        self.move_looks = MoveLooks(world, record)
        self.progress = Progress()
        move_deeds = MoveDeeds(
            world, looks=self.move_looks, opening=self.opening, leading=leading, progress=self.progress
        )
        self.facts = Facts(world, move_deeds)
        self.acting = Acting(world, record, leading, facts=self.facts, ended=ended, progress=self.progress)
        self._looks = LookStages(world, record, facts=self.facts, noting=self.noting)
        self._logs = LogStages(world, facts=self.facts, noting=self.noting)
        self._observing = Observing(world, noting=self.noting)
        self._moves = MoveStages(world, record, looks=self.move_looks, noting=self.noting)
        self._joining = Joining(world, record, opening=self.opening, noting=self.noting, ended=ended)
        self._giving_back = GivingBack(world, acting=self.acting, noting=self.noting)
        self.looking_back = LookingBack(
            world, record, facts=self.facts, acting=self.acting, joining=self._joining, noting=self.noting
        )

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
            return await self.looking_back.finish_by_hand(operation, steps, held)
        move = next_move(operation, steps)
        if isinstance(move, LookBack):
            return await self.looking_back.look(operation, move.step, held)
        if operation.server not in organization.servers and operation.server not in organization.access_points:
            because = "the configuration no longer names it"
            return await self.noting.end(operation, OperationStatus.ABORTED, because, held=held)
        match move:
            case EndHealed() if operation.kind in _ORDERS:
                return await self.noting.end(operation, OperationStatus.HEALED, steps[-1].because, held=held)
            case EndHealed(touched=True):
                because = "it works again after what was done"
                return await self.noting.end(operation, OperationStatus.HEALED, because, held=held)
            case EndHealed():
                because = "the trouble was gone; nothing was touched"
                return await self.noting.end(operation, OperationStatus.TRANSIENT, because, held=held)
            case GiveBack(place=place, step=name, server=server):
                turn = Turn(operation, steps, Standing(place, Stage(step=name), server), held)
                return await (self._logs.off if name is StepName.PROTOCOL_LOG_OFF else self._giving_back.take)(turn)
            case Take(place=place, stage=stage, attempt=attempt):
                at = Standing(place, stage, self._server_of(operation, stage, steps), attempt)
                turn = Turn(operation, steps, at, held)
                if operation.data.get("ended_by") is not None:  # a person ended it: it is put back when it is well
                    return await self._escalate(turn)
                if stage.step is StepName.OBSERVE:  # it takes its time, however well things look
                    return await self._take(turn)
                if self._looks_well(operation) and needs_fresh_evidence(steps, self._world.clock.now()):
                    return await self._looks.re_probe(turn.again())
                return await self._take(turn)

    def is_well(self, operation: Operation) -> bool:
        """Whether what broke is healthy again by its monitors, so that a waiting operation should look."""
        if operation.cause is not None:
            status = self._world.status(operation.cause)
            return status is not None and status.state is AlertValue.HEALTHY
        return self.facts.alert_of(operation.server) is AlertValue.HEALTHY

    # stages

    async def _take(self, turn: Turn) -> Operation:
        name, server = turn.at.stage.step, turn.at.server
        if name in (StepName.ESCALATE, StepName.CHOOSE_COPY):  # these ask nothing of the server
            return await (self._escalate(turn) if name is StepName.ESCALATE else self._moves.choose(turn))
        if server not in self._world.organization().servers:
            return await self._take_elsewhere(turn)
        wanted = Wanted(step=name if name in ACTION_OF else StepName.RESTART_SERVICE, server=server)
        seen = await self.acting.circumstances(wanted, turn.operation, turn.steps)
        looks_at_service = turn.operation.kind not in _ORDERS and name not in _NOT_OF_SERVICE
        if looks_at_service and acted_since_last_look(server, seen.deeds, turn.steps, seen.now):
            return await self._looks.re_probe(turn.again(), settle=self._world.settings().settle)
        turn = replace(turn, at=started_instead(turn.at, seen, turn.steps))
        premise = judge(turn.at.stage.premise, seen, self.facts.surroundings(turn.operation, turn.steps))
        if not premise.holds:
            return await self.noting.note(turn, StepOutcome.SKIPPED, premise.because)
        if turn.at.stage.step in ACTION_OF:
            return await self._act(turn, premise.because)
        return await self._look(turn)

    async def _take_elsewhere(self, turn: Turn) -> Operation:
        """A stage of an access point's recovery that no verdict puts on a server."""
        if turn.at.stage.step is StepName.RE_PROBE:
            return await self._looks.re_probe(turn)
        because = f"{turn.at.server} is no server of this organization, so nothing can be done to it"
        return await self.noting.note(turn, StepOutcome.SKIPPED, because)

    async def _look(self, turn: Turn) -> Operation:
        """A stage that touches nothing."""
        looks: Mapping[StepName, Callable[[Turn], Awaitable[Operation]]] = {
            StepName.RE_PROBE: self._looks.re_probe,
            StepName.PROVE_EMPTY: self._looks.prove_empty,
            StepName.AWAIT_MOVES: self._moves.await_moves,
            StepName.VERIFY: self._moves.verify,
            StepName.RECOVER_MAILBOX_SERVER: self._joining.join,
            StepName.COLLECT: self._logs.collect,
            StepName.PROTOCOL_LOG_ON: self._logs.on,
            StepName.PROTOCOL_LOG_OFF: self._logs.off,
            StepName.OBSERVE: self._observing.observe,
        }
        name = turn.at.stage.step
        if name in looks:
            return await looks[name](turn)
        because = f"to {name.value} is not available yet; the procedure goes on without it"
        return await self.noting.note(turn, StepOutcome.REFUSED, because)

    async def _act(self, turn: Turn, premise: str) -> Operation:
        if turn.operation.kind is OperationKind.LOAD and self.facts.fails_itself(turn.at.server):
            because = f"the own tests of {turn.at.server} fail: it is recovered for that first"
            until = self._world.clock.now() + self._world.settings().look_again
            return await self.noting.wait(turn.operation, because, until=until, held=turn.held)
        is_order = turn.operation.kind in _ORDERS
        forced = is_order and turn.operation.data.get("force") is True
        by_hand = is_order and turn.operation.actor != OURSELVES
        wanted = Wanted(step=turn.at.stage.step, server=turn.at.server, by_hand=by_hand, forced=forced)
        seen = await self.acting.circumstances(wanted, turn.operation, turn.steps)
        decision = decide(wanted, seen)
        if decision.is_final or (decision.lasts and self._can_be_emptied(turn, seen)):
            return await self.noting.note(turn, StepOutcome.REFUSED, decision.because, answers=decision.answers)
        if not is_order and decision.may:
            if needs_fresh_evidence(turn.steps, self._world.clock.now()):
                return await self._looks.re_probe(turn.again())
            unlearned = learned_nothing(turn.steps)
            if unlearned is not None:
                because = f"the last re-probe is no evidence: {unlearned}"
                decision = against(decision, waits_for(Gate.VERDICT, because))
        if not decision.may:
            return await self.acting.withhold(turn, decision)
        operation, _ = await self.acting.act(turn, wanted, decision, seen, premise=premise)
        return operation

    async def _escalate(self, turn: Turn) -> Operation:
        """The end of the procedure. What was taken away stays away until the thing is well again."""
        now, operation = self._world.clock.now(), turn.operation
        log = log_left_on(operation, turn.steps)
        if log is not None:  # nothing it says is waited for any more
            return await self._logs.off(replace(turn, at=Standing(log.place, Stage(step=log.step), log.server)))
        left = why_not_moved(turn.steps) if operation.kind in _ORDERS else what_is_left(turn.steps)
        back = next_give_back(operation, turn.steps)
        if back is None or not self._giving_back.is_taken(back):
            await self.noting.note(turn, StepOutcome.DONE, f"a person is called: {left}")
            return await self.noting.end(operation, OperationStatus.ESCALATED, left, held=turn.held)
        if self._looks_well(operation) and needs_fresh_evidence(turn.steps, now):
            return await self._looks.re_probe(turn.again())
        failed = await self._has_failed(back.server)
        if failed is not None:
            # its service ended while the proxy was out: that is news, and its own gates decide
            start = Stage(step=StepName.START_SERVICE)
            return await self._act(replace(turn, at=Standing(turn.at.place, start, back.server)), failed)
        return await self.noting.wait(
            operation,
            f"{left}; {stays(back)}",
            until=now + self._world.settings().look_again,
            held=turn.held,
            calls=True,
        )

    async def _has_failed(self, server: str) -> str | None:
        """Why its host says that the service of a server failed, or None."""
        control = self._world.controls().services.get(server)
        if control is None:
            return None
        status, _ = await bounded(control.status())
        return status.because if status is not None and status.state is ServiceState.FAILED else None

    # small things

    def _can_be_emptied(self, turn: Turn, seen: Circumstances) -> bool:
        """Whether a mailbox server whose service cannot be mended now has other copies that users can be sent to."""
        mends_service = turn.at.stage.step in ALTERNATIVES and turn.operation.kind is OperationKind.MAILBOX_SERVER
        return mends_service and seen.other_copies and self._world.controls().routing is not None

    def _looks_well(self, operation: Operation) -> bool:
        return operation.kind not in _ORDERS and operation.status in _PAUSED and self.is_well(operation)

    def _server_of(self, operation: Operation, stage: Stage, steps: Sequence[Step]) -> str:
        if stage.step in _OF_MAILBOX_SERVER:
            return self.facts.serving_server(operation, steps) or operation.server
        if operation.server in self._world.organization().access_points:
            verdict = self.facts.verdict(operation)
            return (verdict.server if verdict is not None else None) or operation.server
        return operation.server
