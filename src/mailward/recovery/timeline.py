"""
What happened in one recovery, moment by moment: steps, what was held back and why, what a person said.

The gates are asked about a step before it is taken, under the number it will have. Where it was taken, their answers
belong to it; where something else came first, or nothing any more, they belong to what was held back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailward.model.event import Event, EventKind
from mailward.model.recovery import GateAnswer, Operation, OperationKind, Step, StepName
from mailward.recovery.withheld import Withheld, withheld_by, withheld_in

_LOOKS = frozenset({StepName.RE_PROBE, StepName.PROVE_EMPTY, StepName.COLLECT, StepName.OBSERVE, StepName.ESCALATE})
"""Steps that no gate is asked about."""
_BETWEEN = frozenset({StepName.CHOOSE_COPY, StepName.SYNCHRONISE, StepName.SWITCH_OVER})
"""Steps of a move that are about the server that is left and the other one."""
_HELD = frozenset({EventKind.ACTION_WITHHELD, EventKind.RECOVERY_WAITS, EventKind.APPROVAL_ASKED})
TOLD = {
    EventKind.ACTION_WITHHELD: "held back",
    EventKind.RECOVERY_WAITS: "held back",
    EventKind.APPROVAL_ASKED: "a person is asked",
    EventKind.APPROVAL_GIVEN: "approved",
    EventKind.APPROVAL_DENIED: "denied",
    EventKind.ESCALATED: "a person is called",
}
"""The events that tell what the steps do not, and what is said of each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """
    One entry: a step, an event, or, with neither, what is or was held back last.

    `held` is what was wanted and not done; the answers are of the gates that were asked about it, or about the step.
    """

    step: Step | None = None
    event: Event | None = None
    held: Withheld | None = None
    answers: tuple[GateAnswer, ...] = ()


def timeline(
    operation: Operation, *, steps: Sequence[Step], answers: Sequence[GateAnswer], events: Sequence[Event]
) -> tuple[Moment, ...]:
    """
    Return everything in the order of time; what is held back now, or was at last, comes at the end.

    Args:
        operation: What it is about.
        steps: Its steps.
        answers: What gates said of its steps, in the order in which they said it.
        events: Its events; of them, those that no step tells already.
    """
    by_seq = {step.seq: step for step in steps}
    waiting: dict[int, list[GateAnswer]] = {}
    for answer in answers:
        waiting.setdefault(answer.seq, []).append(answer)
    own = {seq: waiting.pop(seq) for seq in list(waiting) if seq in by_seq and by_seq[seq].name not in _LOOKS}
    told = [event for event in events if event.kind in TOLD and not _is_told_by_a_step(event, by_seq)]
    parts = [((step.started, 1, step.seq), Moment(step=step, answers=tuple(own.get(step.seq, ())))) for step in steps]
    # The last word about a step carries its gates' answers, so the events are gone through backwards.
    for event in reversed(told):
        given = waiting.pop(_next_seq(event, steps), []) if event.kind in _HELD else []
        held = withheld_by(event) if event.kind in _HELD else None
        parts.append(((event.at, 0, event.id), Moment(event=event, held=held, answers=tuple(given))))
    moments = [moment for _, moment in sorted(parts, key=lambda part: part[0])]
    left = tuple(answer for given in waiting.values() for answer in given)
    if left:
        moments.append(Moment(held=withheld_in(operation), answers=left))
    return tuple(moments)


def place_of(operation: Operation, step: Step) -> str:
    """Whom a step is about: those of a move are all kept with the server that is left, and most are about the other."""
    target = operation.data.get("target")
    if operation.kind is not OperationKind.MOVE or target is None:
        return step.server
    if step.name is StepName.VERIFY:
        return str(target)
    return f"from {step.server} to {target}" if step.name in _BETWEEN else step.server


def _is_told_by_a_step(event: Event, steps: dict[int, Step]) -> bool:
    """Whether the step it speaks of was taken next, and so tells itself what it had waited for."""
    if event.kind not in (EventKind.ACTION_WITHHELD, EventKind.RECOVERY_WAITS):
        return False
    step = steps.get(_next_seq(event, tuple(steps.values())))
    held = withheld_by(event)
    return step is not None and held is not None and (step.name.value, step.server) == (held.step, held.server)


def _next_seq(event: Event, steps: Sequence[Step]) -> int:
    """The number of the step that would have come next at that moment."""
    return max((step.seq for step in steps if step.started < event.at), default=0) + 1
