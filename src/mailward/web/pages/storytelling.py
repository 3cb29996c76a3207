"""The story of a recovery as a page shows it: what happened, what was held back and why, and what comes next."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from mailward.diagnosis.place import fault_text
from mailward.model.event import OURSELVES
from mailward.model.identity import subject_of
from mailward.model.recovery import Answer, Operation, OperationStatus, Step
from mailward.model.wire import to_plain
from mailward.ports.manager import RecoveryStory
from mailward.recovery.next_move import LookBack, Take, next_move
from mailward.recovery.procedures import PROCEDURES, Stage
from mailward.recovery.timeline import TOLD, Moment, place_of, timeline
from mailward.recovery.words import GateWord, command_text, gate_words, outcome_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of the timeline, in words."""

    moment: Moment
    title: str
    """What was done, or what is said: "restart the IMAP service"."""
    place: str
    """Where; "" where the title says it all."""
    outcome: str
    """How it ended, a word that is also the look of it."""
    premise: str = ""
    because: str = ""
    command: str = ""
    took: timedelta | None = None
    objections: tuple[GateWord, ...] = ()
    """What gates had or have against it."""
    passed: tuple[GateWord, ...] = ()
    evidence: str = ""
    """Facts as JSON with one member a line; "" where there are none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """A story in words."""

    story: RecoveryStory
    entries: tuple[Entry, ...]
    fault: str
    """Where the verdict sees it; "" where there is none."""
    cause: str
    """The monitor that broke; "" where a person asked."""
    asked_by: str
    took: timedelta | None
    follows: tuple[Stage, ...]
    """The stages the procedure still has, in order, while the problem stands."""
    joined: tuple[Operation, ...] = ()
    """The operations it began, and those that wait for it."""

    @property
    def operation(self) -> Operation:
        """What it is about."""
        return self.story.operation

    @property
    def may_decide(self) -> bool:
        """Whether it waits for a person's yes or no."""
        return self.operation.status is OperationStatus.AWAITING_APPROVAL


def tell(story: RecoveryStory, *, others: Sequence[Operation] = ()) -> Telling:
    """
    Put a story in words.

    Args:
        story: What is told.
        others: Other operations, among which those that belong to it are found.
    """
    operation = story.operation
    moments = timeline(operation, steps=story.steps, answers=story.answers, events=story.events)
    related = [one for one in others if operation.id in (one.parent, one.joins)]
    return Telling(
        story=story,
        entries=tuple(_entry(operation, moment) for moment in moments),
        fault=fault_text(operation.verdict) if operation.verdict is not None else "",
        cause=subject_of(operation.cause) if operation.cause is not None else "",
        asked_by="" if operation.actor == OURSELVES else operation.actor,
        took=operation.ended_at - operation.started_at if operation.ended_at is not None else None,
        follows=_follows(operation, story.steps),
        joined=tuple(sorted(related, key=lambda one: one.id)),
    )


def _entry(operation: Operation, moment: Moment) -> Entry:
    words = gate_words(moment.answers)
    objections = tuple(word for word in words if word.answer.answer is not Answer.PASSES)
    passed = tuple(word for word in words if word.answer.answer is Answer.PASSES)
    if moment.step is not None:
        return _step(operation, moment.step, moment, objections, passed)
    held = moment.held
    if moment.event is not None:
        told = TOLD[moment.event.kind]
        because = "" if objections else moment.event.because
    else:
        told = "not done" if operation.status.is_over else "held back"
        because = ""
    return Entry(
        moment=moment,
        title=held.step if held is not None else told,
        place=held.server if held is not None else "",
        outcome=told,
        because=because,
        command=command_text(held.command) if held is not None else "",
        objections=objections,
        passed=passed,
    )


def _step(
    operation: Operation,
    step: Step,
    moment: Moment,
    objections: tuple[GateWord, ...],
    passed: tuple[GateWord, ...],
) -> Entry:
    attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
    return Entry(
        moment=moment,
        title=step.name.value,
        place=f"{place_of(operation, step)}{attempt}",
        outcome=outcome_text(step),
        premise=step.premise,
        because=step.because,
        command=command_text(step.command),
        took=step.ended - step.started if step.ended is not None else None,
        objections=objections,
        passed=passed,
        evidence=json.dumps(to_plain(step.evidence), ensure_ascii=False, indent=1) if step.evidence else "",
    )


def _follows(operation: Operation, steps: Sequence[Step]) -> tuple[Stage, ...]:
    """What is left of the procedure; of a move or an order by hand too, which have procedures of their own."""
    procedure = PROCEDURES.get(operation.kind)
    if operation.status.is_over or procedure is None:
        return ()
    match next_move(operation, steps):
        case Take(place=place):
            return procedure.stages[place:]
        case LookBack(step=step):
            return procedure.stages[step.place + 1 :]
        case _:
            return ()
