"""How operations, steps and gates look on the terminal: one look each, everywhere."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import wrap

from mailward.cli.columns import Column
from mailward.cli.states import duration_text, moment_text
from mailward.cli.terminal import Colour, Terminal, marked_lines
from mailward.diagnosis.place import fault_text
from mailward.model.identity import subject_of
from mailward.model.recovery import (
    ONLY_ADVISE,
    Answer,
    GateAnswer,
    Operation,
    OperationStatus,
    Step,
    StepOutcome,
)
from mailward.model.wire import to_plain
from mailward.recovery.words import GateWord, command_text, gate_words, outcome_text

_STATUS_COLOURS = {
    OperationStatus.RUNNING: Colour.NOTE,
    OperationStatus.WAITING: Colour.NOTE,
    OperationStatus.AWAITING_APPROVAL: Colour.WARN,
    OperationStatus.TRANSIENT: Colour.GOOD,
    OperationStatus.HEALED: Colour.GOOD,
    OperationStatus.ESCALATED: Colour.BAD,
    OperationStatus.DENIED: Colour.FAINT,
    OperationStatus.ABORTED: Colour.FAINT,
}
_OUTCOME_COLOURS = {
    StepOutcome.DONE: Colour.GOOD,
    StepOutcome.FAILED: Colour.BAD,
    StepOutcome.SKIPPED: Colour.FAINT,
    StepOutcome.UNKNOWN: Colour.WARN,
    StepOutcome.REFUSED: Colour.WARN,
}
_ANSWERS = {
    Answer.PASSES: ("✓", Colour.GOOD),
    Answer.WAITS: ("…", Colour.WARN),
    Answer.REFUSES: ("✗", Colour.BAD),
}


def status_colour(operation: Operation) -> Colour:
    """The colour of how an operation stands."""
    return _STATUS_COLOURS[operation.status]


def outcome_colour(step: Step) -> Colour:
    """The colour of how a step ended."""
    return _OUTCOME_COLOURS[step.outcome] if step.outcome else Colour.NOTE


def took_text(began: datetime, ended: datetime | None) -> str:
    """How long something took; nothing while it lasts."""
    return duration_text(ended - began) if ended and ended > began else ""


def facts_text(facts: object) -> str:
    """JSON-like facts in a line; nothing when there are none."""
    return json.dumps(to_plain(facts), ensure_ascii=False) if facts else ""


OPERATION_COLUMNS: tuple[Column[Operation], ...] = (
    Column(title="Id", text=lambda one: str(one.id), right=True),
    Column(title="Started", text=lambda one: moment_text(one.started_at), shed=2),
    Column(title="Kind", text=lambda one: one.kind.value, shed=4),
    Column(title="Target", text=lambda one: one.target, shortens=True),
    Column(title="Status", text=lambda one: one.status.value, colour=status_colour),
    Column(title="Took", text=lambda one: took_text(one.started_at, one.ended_at), right=True, shed=5),
    Column(title="Because", text=lambda one: one.because, folds=True, shed=1),
    Column(title="Server", text=lambda one: one.server, list_only=True),
    Column(title="Mode", text=lambda one: one.mode.value, list_only=True),
    Column(title="Cause", text=lambda one: subject_of(one.cause) if one.cause else "", list_only=True),
    Column(title="CauseEvent", text=lambda one: str(one.cause_event or ""), list_only=True),
    Column(title="Fault", text=lambda one: fault_text(one.verdict) if one.verdict else "", list_only=True),
    Column(title="Verdict", text=lambda one: one.verdict.because if one.verdict else "", list_only=True),
    Column(title="Databases", text=lambda one: ", ".join(one.databases), list_only=True),
    Column(title="Actor", text=lambda one: one.actor, list_only=True),
    Column(title="Parent", text=lambda one: str(one.parent or ""), list_only=True),
    Column(title="Joins", text=lambda one: str(one.joins or ""), list_only=True),
    Column(title="WakesAt", text=lambda one: moment_text(one.wake_at), list_only=True),
    Column(title="ApprovedBy", text=lambda one: one.approved_by or "", list_only=True),
    Column(title="ApprovedAt", text=lambda one: moment_text(one.approved_at), list_only=True),
    Column(title="EscalatedAt", text=lambda one: moment_text(one.escalated_at), list_only=True),
    Column(title="EndedAt", text=lambda one: moment_text(one.ended_at), list_only=True),
    Column(title="Owner", text=lambda one: one.owner, list_only=True),
    Column(title="Fence", text=lambda one: str(one.fence), list_only=True),
    Column(title="Data", text=lambda one: facts_text(one.data), list_only=True),
)
STEP_COLUMNS: tuple[Column[Step], ...] = (
    Column(title="Step", text=lambda step: str(step.seq)),
    Column(title="Name", text=lambda step: step.name.value),
    Column(title="Server", text=lambda step: step.server),
    Column(title="Started", text=lambda step: moment_text(step.started)),
    Column(title="Ended", text=lambda step: moment_text(step.ended)),
    Column(title="Outcome", text=outcome_text, colour=outcome_colour),
    Column(title="Attempt", text=lambda step: str(step.attempt)),
    Column(title="Class", text=lambda step: step.action.value if step.action else ""),
    Column(title="Premise", text=lambda step: step.premise),
    Column(title="Intent", text=lambda step: step.intent),
    Column(title="Command", text=lambda step: command_text(step.command)),
    Column(title="Because", text=lambda step: step.because),
    Column(title="Evidence", text=lambda step: facts_text(step.evidence)),
    Column(title="Fence", text=lambda step: str(step.fence)),
)
ANSWER_COLUMNS: tuple[Column[GateAnswer], ...] = (
    Column(title="Step", text=lambda answer: str(answer.seq)),
    Column(title="Gate", text=lambda answer: answer.gate.value),
    Column(
        title="Answer",
        text=lambda answer: answer.answer.value,
        colour=lambda answer: _ANSWERS[answer.answer][1],
    ),
    Column(title="Because", text=lambda answer: answer.because),
    Column(title="Until", text=lambda answer: moment_text(answer.until)),
)


def gate_lines(answers: Sequence[GateAnswer], reader: Terminal, width: int, *, verbose: bool = False) -> Iterator[str]:
    """
    Yield what gates said: each that did not pass with its reason, those that passed by name, or all when *verbose*.

    A gate that was asked again and again is told once for each kind of answer, as it last said.
    """
    words = gate_words(answers)
    passed = [word for word in words if word.answer.answer is Answer.PASSES]
    for word in words:
        if verbose or word.answer.answer is not Answer.PASSES:
            yield from _gate(word, reader, width)
    if passed and not verbose:
        lines = wrap(f"no objection: {', '.join(word.name for word in passed)}", width - 2)
        yield f"{reader.paint('✓', Colour.GOOD)} {reader.paint(lines[0], Colour.FAINT)}"
        yield from (reader.paint(f"  {line}", Colour.FAINT) for line in lines[1:])


def _gate(word: GateWord, reader: Terminal, width: int) -> Iterator[str]:
    mark, colour = _ANSWERS[word.answer.answer]
    until = f" (until {moment_text(word.answer.until)})" if word.answer.until else ""
    said = f"{word.title}: {word.answer.because}{until}"
    yield from marked_lines(reader.paint(mark, Colour.FAINT if word.has_opened else colour), said, width)


def force_hint(answers: Sequence[GateAnswer]) -> str:
    """What is added to a refusal when every gate that stands against the order only advises; else nothing."""
    standing = {answer.gate for answer in answers if answer.answer is not Answer.PASSES}
    return "; --force passes it" if standing and standing <= ONLY_ADVISE else ""
