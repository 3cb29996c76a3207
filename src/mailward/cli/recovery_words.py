"""How operations, steps and gates look on the terminal: one look each, everywhere."""

import json
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import wrap

from mailward.cli.columns import Column
from mailward.cli.states import duration_text, fault_text, moment_text
from mailward.cli.terminal import Colour, Terminal, marked_lines
from mailward.model.identity import subject_of
from mailward.model.recovery import (
    ONLY_ADVISE,
    Answer,
    Gate,
    GateAnswer,
    Operation,
    OperationStatus,
    Step,
    StepOutcome,
    is_statement,
)
from mailward.model.wire import to_plain

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
    Answer.PASSES: ("✓", "", Colour.GOOD),
    Answer.WAITS: ("…", " waits", Colour.WARN),
    Answer.REFUSES: ("✗", " refuses", Colour.BAD),
}
_PASSED = {
    Gate.STOPPED_ON_PURPOSE: "not stopped on purpose",
    Gate.CONFIGURATION_INVALID: "configuration",
    Gate.OTHERS_AT_WORK: "nobody else at work",
    Gate.VERDICT: "verdict",
    Gate.SHARED_DEPENDENCY: "shared dependencies",
    Gate.MONITORING_AT_FAULT: "monitoring",
    Gate.NOT_CONFIRMED: "confirmed on the host",
    Gate.NOT_YET_UNHEALTHY: "unhealthy long enough",
    Gate.KERNEL_HANG: "no kernel hang",
    Gate.ACTIVE_COPY_LEFT: "no active copy left",
    Gate.COPIES_NOT_READY: "other copies",
    Gate.STILL_IN_SERVICE: "out of service",
    Gate.LAST_HEALTHY: "others of its role",
    Gate.INEFFECTIVE: "effect so far",
    Gate.NOT_AVAILABLE: "what the platform offers",
    Gate.NOT_RESTARTABLE: "named as restartable",
}
"""What is said of a gate that has let a step pass, where its name says what it is shut for."""
_BEFORE = {Answer.WAITS: " waited", Answer.REFUSES: " refused"}
"""What a gate said before it let the step pass."""


def status_colour(operation: Operation) -> Colour:
    """The colour of how an operation stands."""
    return _STATUS_COLOURS[operation.status]


def outcome_text(step: Step) -> str:
    """How a step ended; one without outcome was begun and has not ended."""
    return step.outcome.value if step.outcome else "under way"


def outcome_colour(step: Step) -> Colour:
    """The colour of how a step ended."""
    return _OUTCOME_COLOURS[step.outcome] if step.outcome else Colour.NOTE


def took_text(began: datetime, ended: datetime | None) -> str:
    """How long something took; nothing while it lasts."""
    return duration_text(ended - began) if ended and ended > began else ""


def command_text(command: Sequence[str]) -> str:
    """A command as it would be typed; a statement of SQL as it stands, since no shell sees it."""
    return " ".join(command) if is_statement(command) else shlex.join(command)


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
        colour=lambda answer: _ANSWERS[answer.answer][2],
    ),
    Column(title="Because", text=lambda answer: answer.because),
    Column(title="Until", text=lambda answer: moment_text(answer.until)),
)


def gate_lines(answers: Sequence[GateAnswer], reader: Terminal, width: int, *, verbose: bool = False) -> Iterator[str]:
    """
    Yield what gates said: each that did not pass with its reason, those that passed by name, or all when *verbose*.

    A gate that was asked again and again is told once for each kind of answer, as it last said.
    """
    last = {(answer.gate, answer.answer): answer for answer in answers}
    passed = [answer for answer in last.values() if answer.answer is Answer.PASSES]
    opened = {answer.gate for answer in passed}
    for answer in last.values():
        if verbose or answer.answer is not Answer.PASSES:
            yield from _gate(answer, reader, width, opened=answer.gate in opened)
    if passed and not verbose:
        lines = wrap(f"no objection: {', '.join(map(_name, passed))}", width - 2)
        yield f"{reader.paint('✓', Colour.GOOD)} {reader.paint(lines[0], Colour.FAINT)}"
        yield from (reader.paint(f"  {line}", Colour.FAINT) for line in lines[1:])


def _gate(answer: GateAnswer, reader: Terminal, width: int, *, opened: bool) -> Iterator[str]:
    mark, word, colour = _ANSWERS[answer.answer]
    if opened and answer.answer is not Answer.PASSES:
        word, colour = _BEFORE[answer.answer], Colour.FAINT
    until = f" (until {moment_text(answer.until)})" if answer.until else ""
    said = f"{_name(answer)}{word}: {answer.because}{until}"
    yield from marked_lines(reader.paint(mark, colour), said, width)


def _name(answer: GateAnswer) -> str:
    own = answer.gate.value
    return _PASSED.get(answer.gate, own) if answer.answer is Answer.PASSES else own


def force_hint(answers: Sequence[GateAnswer]) -> str:
    """What is added to a refusal when every gate that stands against the order only advises; else nothing."""
    standing = {answer.gate for answer in answers if answer.answer is not Answer.PASSES}
    return "; --force passes it" if standing and standing <= ONLY_ADVISE else ""
