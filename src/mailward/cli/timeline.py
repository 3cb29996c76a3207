"""
What happened in one recovery, moment by moment: steps, what was held back and why, what a person said.

The gates are asked about a step before it is taken, under the number it will have. Where it was taken, their answers
stand below it; where something else came first, or nothing any more, they stand below what was held back.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import wrap

from mailward.cli.recovery_words import command_text, facts_text, gate_lines, outcome_colour, outcome_text, took_text
from mailward.cli.states import clock_text
from mailward.cli.terminal import Colour, Terminal, printable
from mailward.cli.withheld import Withheld, withheld_by, withheld_in
from mailward.model.event import Event, EventKind
from mailward.model.recovery import GateAnswer, Operation, OperationKind, Step, StepName
from mailward.ports.manager import RecoveryStory

_INDENT = 10
"""Cells of the time of day and the gap before what stands below."""
_LOOKS = frozenset({StepName.RE_PROBE, StepName.PROVE_EMPTY, StepName.COLLECT, StepName.OBSERVE, StepName.ESCALATE})
"""Steps that no gate is asked about."""
_BETWEEN = frozenset({StepName.CHOOSE_COPY, StepName.SYNCHRONISE, StepName.SWITCH_OVER})
"""Steps of a move that are about the server that is left and the other one."""
_HELD = frozenset({EventKind.ACTION_WITHHELD, EventKind.RECOVERY_WAITS, EventKind.APPROVAL_ASKED})
_TOLD = {
    EventKind.ACTION_WITHHELD: ("held back", Colour.WARN),
    EventKind.RECOVERY_WAITS: ("held back", Colour.WARN),
    EventKind.APPROVAL_ASKED: ("a person is asked", Colour.WARN),
    EventKind.APPROVAL_GIVEN: ("approved", Colour.GOOD),
    EventKind.APPROVAL_DENIED: ("denied", Colour.BAD),
    EventKind.ESCALATED: ("a person is called", Colour.BAD),
}
"""The events that tell what the steps do not."""


def timeline_lines(story: RecoveryStory, reader: Terminal, width: int, *, verbose: bool) -> Iterator[str]:
    """Yield everything in the order of time, with a blank line before it; nothing when nothing happened."""
    steps = {step.seq: step for step in story.steps}
    answers: dict[int, list[GateAnswer]] = {}
    for answer in story.answers:
        answers.setdefault(answer.seq, []).append(answer)
    own = {seq: answers.pop(seq) for seq in list(answers) if seq in steps and steps[seq].name not in _LOOKS}
    events = [event for event in story.events if event.kind in _TOLD and not _is_told_by_a_step(event, steps)]
    below = width - _INDENT
    parts: list[tuple[datetime, int, int, list[str]]] = [
        (
            step.started,
            1,
            step.seq,
            list(step_lines(story.operation, step, own.get(step.seq, ()), reader, verbose=verbose)),
        )
        for step in story.steps
    ]
    # The last word about a step stands above its gates' answers, so the events are gone through backwards.
    for event in reversed(events):
        given = answers.pop(_next_seq(event, story.steps), ()) if event.kind in _HELD else ()
        parts.append((event.at, 0, event.id, list(_event(event, given, reader, below, verbose=verbose))))
    lines = [line for *_, part in sorted(parts, key=lambda part: part[:3]) for line in part]
    left = [answer for given in answers.values() for answer in given]
    lines += _left(story.operation, left, reader, below, verbose=verbose)
    if lines:
        yield ""
        yield from lines


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


def step_lines(
    operation: Operation, step: Step, answers: Sequence[GateAnswer], reader: Terminal, *, verbose: bool = False
) -> Iterator[str]:
    """Yield a step: where, why it made sense, what the gates said, what was run, and what came of it."""
    below = reader.reading_width - _INDENT
    took = took_text(step.started, step.ended)
    attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
    head = reader.paint(printable(f"{step.name.value} ({_where(operation, step)}{attempt})"), Colour.STRONG)
    outcome = reader.paint(outcome_text(step), outcome_colour(step))
    yield f"{clock_text(step.started)}  {head}: {outcome}{f', {took}' if took else ''}"
    lines = [
        *wrap(printable(f"why: {step.premise}" if step.premise else ""), below),
        *gate_lines(answers, reader, below, verbose=verbose),
        *_command(step.command, reader),
        *wrap(printable(step.because), below),
        *(wrap(printable(facts_text(step.evidence)), below) if verbose else ()),
    ]
    yield from (f"{'':{_INDENT}}{line}" for line in lines)


def _where(operation: Operation, step: Step) -> str:
    """Whom a step is about: those of a move are all kept with the server that is left, and most are about the other."""
    target = operation.data.get("target")
    if operation.kind is not OperationKind.MOVE or target is None:
        return step.server
    if step.name is StepName.VERIFY:
        return str(target)
    return f"from {step.server} to {target}" if step.name in _BETWEEN else step.server


def _event(
    event: Event, answers: Sequence[GateAnswer], reader: Terminal, width: int, *, verbose: bool
) -> Iterator[str]:
    word, colour = _TOLD[event.kind]
    held = withheld_by(event) if event.kind in _HELD else None
    what = f": {printable(_wanted(held))}" if held else ""
    yield f"{clock_text(event.at)}  {reader.paint(word, colour)}{reader.paint(what, Colour.STRONG)}"
    told = list(gate_lines(answers, reader, width, verbose=verbose))
    lines = [*(told or wrap(printable(event.because), width)), *_command(held.command if held else (), reader)]
    yield from (f"{'':{_INDENT}}{line}" for line in lines)


def _left(
    operation: Operation, answers: Sequence[GateAnswer], reader: Terminal, width: int, *, verbose: bool
) -> Iterator[str]:
    """Answers that no event tells of, at the end: what is, or was, held back last."""
    if not answers:
        return
    held = withheld_in(operation)
    when, word = ("at last", "not done") if operation.status.is_over else ("now", "held back")
    what = reader.paint(f": {printable(_wanted(held))}" if held else "", Colour.STRONG)
    yield f"{when:{_INDENT}}{reader.paint(word, Colour.WARN)}{what}"
    lines = [*gate_lines(answers, reader, width, verbose=verbose), *_command(held.command if held else (), reader)]
    yield from (f"{'':{_INDENT}}{line}" for line in lines)


def _wanted(held: Withheld) -> str:
    return f"{held.step} ({held.server})"


def _command(command: Sequence[str], reader: Terminal) -> list[str]:
    """A command, never broken: it is there to be copied."""
    return [reader.paint(f"$ {printable(command_text(command))}", Colour.NOTE)] if command else []
