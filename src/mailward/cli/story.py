"""The story of one recovery for people: what broke, what was done step by step, what each gate said, what was seen."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from mailward.alerts.layout import gist
from mailward.cli.recovery_words import status_colour, took_text
from mailward.cli.states import clock_text, duration_text, moment_text
from mailward.cli.terminal import Colour, Terminal, printable
from mailward.cli.timeline import timeline_lines
from mailward.diagnosis.place import fault_text
from mailward.model.identity import subject_of
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Operation, OperationStatus
from mailward.ports.manager import RecoveryStory

_TITLE = 10
"""Cells of the word before a fact: "broken", "affected"."""


def story_lines(story: RecoveryStory, reader: Terminal, *, verbose: bool = False) -> Iterator[str]:
    """
    Yield the whole story, at most as wide as the terminal; commands and transcripts are not broken.

    *verbose* adds the rest of a long reason, that of each gate that passed, the evidence of each step, and every
    transcript.
    """
    width = reader.reading_width
    operation = story.operation
    title = f"recovery {operation.id}: {operation.kind.value} {operation.target}"
    yield f"{reader.paint(printable(title), Colour.STRONG)}  {_status(operation, reader)}"
    yield from _facts(operation, reader, width, verbose=verbose)
    yield from _fact("so far", story.progress, width)
    yield from timeline_lines(story, reader, width, verbose=verbose)
    yield from _transcripts(story.transcripts, reader, width, verbose=verbose)
    yield from _what_next(operation, reader)


def _status(operation: Operation, reader: Terminal) -> str:
    return reader.paint(operation.status.value, status_colour(operation))


def _facts(operation: Operation, reader: Terminal, width: int, *, verbose: bool) -> Iterator[str]:
    took = took_text(operation.started_at, operation.ended_at)
    ended = f", ended {clock_text(operation.ended_at)} after {took}" if operation.ended_at and took else ""
    yield from _fact("", operation.because if verbose else gist(operation.because), width)
    yield from _fact("began", f"{moment_text(operation.started_at)}{ended}", width)
    yield from _fact("broken", subject_of(operation.cause) if operation.cause else "", width)
    yield from _fact("asked by", "" if operation.actor == "mailward" else operation.actor, width)
    if operation.verdict is not None:
        yield from _fact("verdict", operation.verdict.because, width)
        for line in wrap(printable(f"fault: {fault_text(operation.verdict)}"), width - _TITLE - 2):
            yield f"  {'':{_TITLE}}{reader.paint(line, Colour.STRONG)}"
    yield from _fact("affected", f"the users of {', '.join(operation.databases)}" if operation.databases else "", width)
    yield from _fact("mode", operation.mode.value, width)
    yield from _fact("joins", f"recovery {operation.joins}, and waits for it" if operation.joins else "", width)
    yield from _fact("part of", f"recovery {operation.parent}" if operation.parent else "", width)
    if operation.approved_by:
        yield from _fact("approved", f"by {operation.approved_by}, {moment_text(operation.approved_at)}", width)
    yield from _fact("escalated", moment_text(operation.escalated_at), width)
    if not operation.status.is_over:
        yield from _fact("goes on", moment_text(operation.wake_at), width)


def _fact(title: str, text: str, width: int) -> Iterator[str]:
    for number, line in enumerate(wrap(printable(text), width - _TITLE - 2, break_on_hyphens=False)):
        yield f"  {title if number == 0 else '':{_TITLE}}{line}" if title else f"  {line}"


def _transcripts(results: Sequence[ProbeResult], reader: Terminal, width: int, *, verbose: bool) -> Iterator[str]:
    shown = results if verbose else results[-1:]
    for result in shown:
        yield ""
        title = f"what {result.probe} saw on {result.server}, {moment_text(result.at)}"
        yield reader.paint(printable(title), Colour.STRONG)
        failed = f" in {result.failed_phase.value}" if result.failed_phase else ""
        said = f"{result.result.value}{failed} after {duration_text(result.took)}: {result.detail}"
        yield from (f"  {line}" for line in wrap(printable(said), width - 2))
        yield from (f"  {reader.paint(printable(line), Colour.FAINT)}" for line in result.transcript)
    if len(results) > len(shown):
        yield reader.paint(f"  ({len(results) - len(shown)} more with --verbose)", Colour.FAINT)


def _what_next(operation: Operation, reader: Terminal) -> Iterator[str]:
    """The commands that a person has for an operation as it stands."""
    if operation.status is OperationStatus.AWAITING_APPROVAL:
        words: tuple[str, ...] = ("approve", "deny")
    elif not operation.status.is_over:
        words = ("abort",)
    else:
        return
    yield ""
    for word in words:
        yield f"  {reader.paint(f'mailward recoveries {word} {operation.id}', Colour.NOTE)}"
