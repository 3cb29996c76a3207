"""
One deed: the gates, the intent, the deed, the outcome; or what is told when a gate says no.

Everything the executor and the orders by hand do to the world passes through here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.engine.recovering.deeds import Deed
from mailward.engine.recovering.ended import Ended
from mailward.engine.recovering.facts import Facts
from mailward.engine.recovering.leading import Leading
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.progress import Progress
from mailward.engine.recovering.record import Record, event, with_data
from mailward.engine.recovering.standing import (
    Turn,
    against,
    numbered,
    recommended,
    waits_for,
    wake_at,
    withheld_before,
    words_of,
)
from mailward.engine.recovering.world import World
from mailward.model.errors import LeaseLost, MailwardError, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceStatus
from mailward.model.recovery import Answer, Gate, GateAnswer, Operation, OperationStatus, Step, StepName, StepOutcome
from mailward.model.recovery import Deed as BegunDeed
from mailward.model.wire import from_plain
from mailward.ports.lease import Held
from mailward.ports.operations import May
from mailward.recovery.circumstances import Circumstances
from mailward.recovery.deciding import Decision, decide, gates_of
from mailward.recovery.gates import harm
from mailward.recovery.next_move import was_not_done
from mailward.recovery.throttles import WINDOW, throttle, under_way
from mailward.recovery.wanted import ACTION_OF, OF_ONE_MOVE, Wanted

AGAIN_AFTER = timedelta(seconds=2)
"""Before a step of a move that did not come to its end is done again."""


class Acting:
    """Does deeds, under their gates."""

    def __init__(
        self, world: World, record: Record, leading: Leading, *, facts: Facts, ended: Ended, progress: Progress
    ) -> None:
        """Act on *world*, write to *record*, as long as *leading* says so; *progress* is told when a deed is over."""
        self._world = world
        self._record = record
        self._leading = leading
        self._facts = facts
        self._ended = ended
        self._progress = progress
        self._unwritten: dict[tuple[int, int], Step] = {}

    async def circumstances(self, wanted: Wanted, operation: Operation, steps: Sequence[Step]) -> Circumstances:
        """
        Everything that bears on a wanted deed now.

        A deed of which looking back found that it was not done does not count for throttles.
        """
        now = self._world.clock.now()
        operation = _with_own_approval(operation, wanted.step.value, wanted.server)
        undone = _undone(steps)
        deeds = await self._record.operations.deeds(since=now - WINDOW)
        counted = tuple(deed for deed in deeds if (deed.operation, deed.seq) not in undone)
        asked = operation.data.get("asked_at")
        seen = await self._facts.around(wanted, operation if operation.id else None, steps, counted, self._ended.all())
        return replace(
            seen,
            leads=self._leading.held is not None,
            stopped_by_us=_stopped_by_us(steps),
            approval_asked_at=datetime.fromisoformat(asked) if isinstance(asked, str) else None,
        )

    async def act(
        self, turn: Turn, wanted: Wanted, decision: Decision, seen: Circumstances, *, premise: str
    ) -> tuple[Operation, bool]:
        """
        Do a deed whose gates let it pass; the operation as it stands then, and whether the deed was begun.

        Raises:
            Refused: The lease was lost; nothing was begun.
            TemporaryFailure: The store is out of reach; nothing was begun.
        """
        deed = self._facts.deed(wanted.step, wanted.server, turn.steps, turn.operation)
        evidence, unseen = await bounded(deed.before())
        if evidence is None:
            unconfirmed = waits_for(Gate.NOT_CONFIRMED, f"the host was not seen just before: {unseen}")
            return await self.withhold(turn, against(decision, unconfirmed)), False
        decision = decide(wanted, self._as_of_now(seen, wanted.server, evidence))  # looking took its time
        if not decision.may:
            return await self.withhold(turn, decision), False
        now = self._world.clock.now()
        step = replace(
            turn.step(now),
            action=wanted.action,
            premise=premise,
            intent=f"{wanted.step.value} on {wanted.server}",
            command=deed.command(),
            evidence=evidence,
        )
        operation = replace(
            turn.operation, status=OperationStatus.RUNNING, wake_at=None, because=f"it will {step.intent}"
        )
        answer = await self._record.operations.intend(
            operation,
            step,
            held=turn.held,
            window=WINDOW,
            may=_throttle(wanted, seen, turn.steps),
            answers=numbered([one for one in decision.answers if one.gate is not Gate.THROTTLE], step),
            events=(event(EventKind.ACTION_INTENDED, operation, premise, at=now, step=step),),
        )
        if answer.answer is not Answer.PASSES:
            return await self.withhold(turn, against(decision, answer)), False
        return await self._do(operation, step, deed, turn.held), True

    def _as_of_now(self, seen: Circumstances, server: str, evidence: Mapping[str, object]) -> Circumstances:
        """The circumstances with what may have changed while the host was looked at."""
        said = evidence.get("service")
        service = from_plain(ServiceStatus, said) if isinstance(said, Mapping) else seen.service
        return replace(
            seen,
            now=self._world.clock.now(),
            service=service,
            stopped=self._world.stopped(),
            holds=self._facts.holds_on(server),
            store_trouble=self._world.store_trouble(),
            leads=self._leading.held is not None,
        )

    async def outcome(
        self,
        operation: Operation,
        step: Step,
        outcome: StepOutcome,
        because: str,
        *,
        held: Held,
        not_done: bool = False,
        half_done: bool = False,
    ) -> Operation:
        """
        Write down what came of a deed; this is tried until the store takes it.

        Raises:
            LeaseLost: Another manager leads now; what came of the deed is remembered until this one does again.
        """
        now = self._world.clock.now()
        evidence: Mapping[str, object] = {
            **step.evidence,
            **({"not_done": True} if not_done else {}),
            **({"half_done": True} if half_done else {}),
        }
        step = replace(step, ended=now, outcome=outcome, because=because, evidence=evidence)
        touched = operation.data.get("touched")
        known = [str(name) for name in touched] if isinstance(touched, list | tuple) else []
        again = not_done and step.name in OF_ONE_MOVE
        operation = replace(
            with_data(operation, withheld=None, asked_at=None, touched=[*dict.fromkeys([*known, step.server])]),
            status=OperationStatus.WAITING if again else OperationStatus.RUNNING,
            wake_at=now + AGAIN_AFTER if again else None,
            approved_at=None,
            approved_by=None,
            because=f"{step.intent}: {outcome.value}",
        )
        said = f"{step.intent}: {because or outcome.value}"
        ended = event(EventKind.ACTION_ENDED, operation, said, at=now, step=step)
        try:
            await self._record.save(operation, held=held, steps=(step,), events=(ended,), surely=True)
        except LeaseLost:
            self._unwritten[(step.operation, step.seq)] = step  # it is written once this manager leads again
            raise
        self._world.tally.ended(step)
        return operation

    def remembered(self, step: Step) -> Step | None:
        """The outcome of a step that this manager knows and could not write, as while its store was away."""
        return self._unwritten.pop((step.operation, step.seq), None)

    async def withhold(self, turn: Turn, decision: Decision) -> Operation:
        """A gate said no: wait, and tell a person, once, when waiting alone does not open it."""
        now = self._world.clock.now()
        name, server = turn.at.stage.step, turn.at.server
        operation = _with_own_approval(turn.operation, name.value, server)
        command = words_of(self._facts.deed(name, server, turn.steps, operation))
        step = replace(turn.step(now), command=command)
        told = [f"{one.gate.value}: {one.answer.value}" for one in decision.answers if one.answer is not Answer.PASSES]
        said = {"step": name.value, "server": server, "command": list(command), "gates": told}
        is_news = withheld_before(operation) != (said["step"], said["server"], told)
        refusing = {one.gate: one.answer for one in decision.answers if one.answer is not Answer.PASSES}
        asks = refusing == {Gate.APPROVAL: Answer.WAITS}
        expired = refusing.get(Gate.APPROVAL) is Answer.REFUSES
        events: list[Event] = []
        if is_news:
            events.append(event(_kind(decision, asks=asks), operation, decision.because, at=now, step=step))
        if operation.escalated_at is None and (decision.answer is Answer.REFUSES or asks):
            operation = replace(operation, escalated_at=now)
            events.append(event(EventKind.ESCALATED, operation, decision.because, at=now, step=step))
        asked_at = None if expired else operation.data.get("asked_at") or (now.isoformat() if asks else None)
        operation = replace(
            with_data(
                operation,
                withheld={**said, "because": decision.because, "would_do": decision.only_consent_missing},
                recommended=recommended(operation, said, decision, now),
                asked_at=asked_at,
            ),
            status=OperationStatus.AWAITING_APPROVAL if asks else OperationStatus.WAITING,
            wake_at=wake_at(now, decision.until, _SOON if expired else self._world.settings().look_again),
            approved_at=None if expired else operation.approved_at,
            approved_by=None if expired else operation.approved_by,
            because=decision.because,
        )
        answers = numbered(decision.answers, step) if is_news else ()
        await self._record.save(operation, held=turn.held, answers=answers, events=events)
        if is_news:
            self._world.tally.withheld(ACTION_OF[name], decision.answers)
        return operation

    async def _do(self, operation: Operation, step: Step, deed: Deed, held: Held) -> Operation:
        forbidden = None if self._leading.held is not None else "the lease was not renewed in time"
        forbidden = forbidden or self._world.stopped()
        if forbidden is not None:  # the last look before the deed, by our own clock
            because = f"it was not begun: {forbidden}"
            return await self.outcome(operation, step, StepOutcome.REFUSED, because, held=held, not_done=True)
        outcome, because = StepOutcome.DONE, ""
        try:
            kept = await deed.do()
            step = replace(step, evidence={**step.evidence, **kept})
        except TemporaryFailure as failure:
            outcome, because = StepOutcome.UNKNOWN, f"it is not known whether it was done: {failure}"
        except MailwardError as failure:
            outcome, because = StepOutcome.FAILED, str(failure)
        finally:
            self._progress.end(operation.id)
        not_done = False
        if outcome is StepOutcome.UNKNOWN:
            found = await deed.look(step, self._world.clock.now())
            not_done = found.was_done is False and step.name in OF_ONE_MOVE  # what is done again is found done
            if found.was_done is not None:
                outcome = StepOutcome.DONE if found.was_done else StepOutcome.FAILED
                because = f"{because}; {found.because}"
        return await self.outcome(operation, step, outcome, because, held=held, not_done=not_done)


def _with_own_approval(operation: Operation, step: str, server: str) -> Operation:
    """A yes is a yes to the step that was asked about, and to no other."""
    asked_step, asked_server, _ = withheld_before(operation)
    if (asked_step, asked_server) == (step, server):
        return operation
    return replace(with_data(operation, asked_at=None), approved_at=None, approved_by=None)


def _undone(steps: Sequence[Step]) -> set[tuple[int, int]]:
    """The deeds that do not count for throttles, since looking back found them not done: one a server and action."""
    first: dict[tuple[str, object], tuple[int, int]] = {}
    for step in steps:
        if was_not_done(step):
            first.setdefault((step.server, step.action), (step.operation, step.seq))
    return set(first.values())


def _stopped_by_us(steps: Sequence[Step]) -> bool:
    """Whether the last deed was a restart that ended between its stop and its start, or a move fenced the server."""
    if any(step.name is StepName.AWAIT_MOVES and step.evidence.get("fenced") is True for step in steps):
        return True
    last = next((step for step in reversed(steps) if step.action is not None and step.ended is not None), None)
    return last is not None and last.evidence.get("half_done") is True


_SOON = timedelta(seconds=1)
"""After an approval ran out: the problem is probed again, and asked about again."""


def _kind(decision: Decision, *, asks: bool) -> EventKind:
    if asks:
        return EventKind.APPROVAL_ASKED
    return EventKind.ACTION_WITHHELD if decision.only_consent_missing else EventKind.RECOVERY_WAITS


def _throttle(wanted: Wanted, seen: Circumstances, steps: Sequence[Step]) -> May:
    """What the store asks within the transaction that writes the intent, by its own clock."""
    undone = _undone(steps)
    insists = wanted.by_hand and (wanted.forced or harm.throttle not in gates_of(wanted))

    def may(deeds: Sequence[BegunDeed], now: datetime) -> GateAnswer:
        counted = [deed for deed in deeds if (deed.operation, deed.seq) not in undone]
        if insists:
            return under_way(wanted, counted)
        known = {(deed.operation, deed.seq) for deed in seen.deeds}
        for deed in counted:
            is_news = deed.server == wanted.server and (deed.operation, deed.seq) not in known
            if is_news and wanted.step not in OF_ONE_MOVE:  # what was seen of it is older than what was done to it
                because = f"{deed.server} was touched by recovery {deed.operation} since it was looked at"
                return replace(waits_for(Gate.THROTTLE, because), until=now)
        settings = seen.settings.throttles
        return throttle(wanted, place=seen.place, places=seen.places, deeds=counted, settings=settings, now=now)

    return may
