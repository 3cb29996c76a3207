"""What happened in one recovery, moment by moment, as lines for a terminal."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from mailward.cli.recovery_words import facts_text, gate_lines, outcome_colour, took_text
from mailward.cli.states import clock_text
from mailward.cli.terminal import Colour, Terminal, printable
from mailward.model.event import Event, EventKind
from mailward.model.recovery import GateAnswer, Operation, Step
from mailward.ports.manager import RecoveryStory
from mailward.recovery.timeline import TOLD, Moment, place_of, timeline
from mailward.recovery.withheld import Withheld
from mailward.recovery.words import command_text, outcome_text

_INDENT = 10
"""Cells of the time of day and the gap before what stands below."""
_COLOURS = {
    EventKind.ACTION_WITHHELD: Colour.WARN,
    EventKind.RECOVERY_WAITS: Colour.WARN,
    EventKind.APPROVAL_ASKED: Colour.WARN,
    EventKind.APPROVAL_GIVEN: Colour.GOOD,
    EventKind.APPROVAL_DENIED: Colour.BAD,
    EventKind.ESCALATED: Colour.BAD,
}


def timeline_lines(story: RecoveryStory, reader: Terminal, width: int, *, verbose: bool) -> Iterator[str]:
    """Yield everything in the order of time, with a blank line before it; nothing when nothing happened."""
    operation = story.operation
    moments = timeline(operation, steps=story.steps, answers=story.answers, events=story.events)
    if moments:
        yield ""
    for moment in moments:
        if moment.step is not None:
            yield from step_lines(operation, moment.step, moment.answers, reader, verbose=verbose)
        elif moment.event is not None:
            yield from _event(moment.event, moment, reader, width - _INDENT, verbose=verbose)
        else:
            yield from _left(operation, moment, reader, width - _INDENT, verbose=verbose)


def step_lines(
    operation: Operation, step: Step, answers: Sequence[GateAnswer], reader: Terminal, *, verbose: bool = False
) -> Iterator[str]:
    """Yield a step: where, why it made sense, what the gates said, what was run, and what came of it."""
    below = reader.reading_width - _INDENT
    took = took_text(step.started, step.ended)
    attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
    head = reader.paint(printable(f"{step.name.value} ({place_of(operation, step)}{attempt})"), Colour.STRONG)
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


def _event(event: Event, moment: Moment, reader: Terminal, width: int, *, verbose: bool) -> Iterator[str]:
    what = _wanted(moment.held)
    yield f"{clock_text(event.at)}  {reader.paint(TOLD[event.kind], _COLOURS[event.kind])}{_strong(what, reader)}"
    told = list(gate_lines(moment.answers, reader, width, verbose=verbose))
    lines = [*(told or wrap(printable(event.because), width)), *_held_command(moment.held, reader)]
    yield from (f"{'':{_INDENT}}{line}" for line in lines)


def _left(operation: Operation, moment: Moment, reader: Terminal, width: int, *, verbose: bool) -> Iterator[str]:
    """What is, or was, held back last."""
    when, word = ("at last", "not done") if operation.status.is_over else ("now", "held back")
    yield f"{when:{_INDENT}}{reader.paint(word, Colour.WARN)}{_strong(_wanted(moment.held), reader)}"
    lines = [*gate_lines(moment.answers, reader, width, verbose=verbose), *_held_command(moment.held, reader)]
    yield from (f"{'':{_INDENT}}{line}" for line in lines)


def _wanted(held: Withheld | None) -> str:
    return f": {held.step} ({held.server})" if held is not None else ""


def _strong(text: str, reader: Terminal) -> str:
    return reader.paint(printable(text), Colour.STRONG)


def _held_command(held: Withheld | None, reader: Terminal) -> list[str]:
    return _command(held.command, reader) if held is not None else []


def _command(command: Sequence[str], reader: Terminal) -> list[str]:
    """A command, never broken: it is there to be copied."""
    return [reader.paint(f"$ {printable(command_text(command))}", Colour.NOTE)] if command else []
