"""How a move of the fake manager goes: story after story, each a step further on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from mailward.model.copies import PlannedMove
from mailward.model.recovery import ActionClass, Operation, OperationStatus, Step, StepName, StepOutcome
from mailward.ports.manager import RecoveryStory

STEP_TAKES = timedelta(seconds=0.8)


def course(begun: Operation, moves: Sequence[PlannedMove], trouble: str | None) -> Iterator[RecoveryStory]:
    """Yield the operation while each step is under way, after it, and when all is over; *trouble* fails the first."""
    steps: tuple[Step, ...] = ()
    now = begun.started_at
    left = [move for move in moves if move.target is None]
    for move in moves:
        if move.target is None:
            continue
        under_way = Step(
            operation=begun.id,
            seq=len(steps) + 1,
            place=0,
            name=StepName.MOVE_DATABASES,
            server=move.source,
            started=now,
            action=ActionClass.MOVE,
            intent=f"move {move.database} from {move.source} to {move.target}",
            command=move.command,
        )
        yield RecoveryStory(operation=begun, steps=(*steps, under_way))
        now += STEP_TAKES
        because = trouble or f"the users of {move.database} are on {move.target}"
        outcome = StepOutcome.FAILED if trouble else StepOutcome.DONE
        steps = (*steps, replace(under_way, ended=now, outcome=outcome, because=because))
        yield RecoveryStory(operation=begun, steps=steps)
        if trouble:
            break
    status = OperationStatus.ESCALATED if trouble or left else OperationStatus.HEALED
    because = trouble or (f"{left[0].database} stays: {left[0].because}" if left else "every database was moved")
    yield RecoveryStory(operation=replace(begun, status=status, because=because, ended_at=now), steps=steps)
