"""
Follows an operation until it is over: each step as it ends, what it waits for, and how it all ended.

Watching is not doing: who stops watching stops nothing, and a manager that is restarted meanwhile goes on with its work
and is asked again.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from textwrap import wrap

import click

from mailward.cli import held
from mailward.cli.connection import manager
from mailward.cli.exits import ExitCode
from mailward.cli.formats import show_lines
from mailward.cli.progress import progress
from mailward.cli.recovery_words import status_colour, took_text
from mailward.cli.states import clock_text
from mailward.cli.terminal import Colour, Terminal, printable, terminal
from mailward.cli.timeline import step_lines
from mailward.model.errors import TemporaryFailure
from mailward.model.recovery import Operation, OperationStatus
from mailward.ports.manager import RecoveryStory

LOOK_EVERY_SECONDS = 0.4
FIRST_AFTER_SECONDS = 1.0
"""What is over sooner needs no word that it goes on; of what can be counted the next number is shown at once."""
_AT_ONCE = timedelta(seconds=1)
_WAITS = (OperationStatus.WAITING, OperationStatus.AWAITING_APPROVAL)


def follow(numbers: Sequence[int]) -> None:
    """
    Print what happens in operations, one after the other, until all are over, and end the command.

    Exits with 1 unless each ended healed, and with 130 on Ctrl-C, which leaves them running.
    """
    reader = terminal()
    ended = [_followed(number, reader, left=numbers[place:]) for place, number in enumerate(numbers)]
    if any(operation.status is not OperationStatus.HEALED for operation in ended):
        raise click.exceptions.Exit(ExitCode.FAILED)


def _followed(number: int, reader: Terminal, *, left: Sequence[int]) -> Operation:
    """One of them, as it ended; *left* are all that may not have."""
    try:
        *_, last = _stories(number, reader)
    except KeyboardInterrupt:
        click.echo(f"\n{_go_on_without_you(left)}", err=True)
        raise click.exceptions.Exit(ExitCode.INTERRUPTED) from None
    _tell_end(last.operation, reader)
    return last.operation


def _go_on_without_you(numbers: Sequence[int]) -> str:
    listed = ", ".join(str(number) for number in numbers)
    who, ends = (f"recovery {listed} goes", "it") if len(numbers) == 1 else (f"recoveries {listed} go", "one")
    named = numbers[0] if len(numbers) == 1 else "ID"
    return (
        f"mailward: {who} on without you: `mailward recoveries show {named}` tells how {ends} stands,"
        f" `mailward recoveries abort {named}` ends {ends} before its next step"
    )


def _stories(number: int, reader: Terminal) -> Iterator[RecoveryStory]:
    """Yield the story each time it has changed, what is new in it being told, until it is over."""
    last: RecoveryStory | None = None
    is_silent = False
    while last is None or not last.operation.status.is_over:
        try:
            with progress(_doing(last, number), after=0.0 if last and last.progress else FIRST_AFTER_SECONDS):
                story = _changed(number, last)
        except TemporaryFailure as failure:
            if not is_silent:
                first = str(failure).partition("\n")[0]
                click.echo(f"mailward: {first}; it is asked again until it answers (Ctrl-C ends that)", err=True)
            is_silent = True
            time.sleep(LOOK_EVERY_SECONDS)
            continue
        is_silent = False
        show_lines(_news(story, last, reader))
        yield story
        last = story


def _changed(number: int, last: RecoveryStory | None) -> RecoveryStory:
    while True:
        story = manager().recovery(number)
        if story != last:
            return story
        time.sleep(LOOK_EVERY_SECONDS)


def _doing(story: RecoveryStory | None, number: int) -> str:
    """What goes on now, in a few words."""
    under_way = [step for step in story.steps if step.ended is None] if story else []
    if story is None or not under_way:
        return f"recovery {number}"
    doing = under_way[-1].intent or under_way[-1].name.value
    return printable(f"{doing}: {story.progress}" if story.progress else doing)


def _news(story: RecoveryStory, last: RecoveryStory | None, reader: Terminal) -> Iterator[str]:
    """Yield the steps that have ended since, and what is waited for if that is new."""
    known = {step.seq for step in last.steps if step.ended is not None} if last else set()
    for step in story.steps:
        if step.ended is not None and step.seq not in known:
            yield from step_lines(story.operation, step, (), reader)
    operation = story.operation
    if operation.status in _WAITS and (last is None or last.operation.because != operation.because):
        yield from _waiting(operation, held.now(), reader)


def _waiting(operation: Operation, now: datetime, reader: Terminal) -> Iterator[str]:
    """Yield what is waited for, and when it goes on where that is not at once."""
    clock, status = clock_text(now), operation.status.value
    later = operation.wake_at is not None and operation.wake_at > now + _AT_ONCE
    goes_on = f" (it goes on {clock_text(operation.wake_at)})" if later and operation.wake_at else ""
    said = printable(f"{clock}  {status}: {operation.because}{goes_on}")
    first, *rest = wrap(said, reader.reading_width, subsequent_indent=" " * (len(clock) + 2))
    yield first.replace(status, reader.paint(status, status_colour(operation)), 1)
    yield from rest


def _tell_end(operation: Operation, reader: Terminal) -> None:
    is_well = operation.status is OperationStatus.HEALED
    word = reader.paint("done" if is_well else operation.status.value, Colour.GOOD if is_well else Colour.BAD)
    took = took_text(operation.started_at, operation.ended_at)
    said = f"{f' after {took}' if took else ''}: {printable(operation.because)}; `mailward why {operation.id}` tells it"
    click.echo(f"{word}{said}", color=True)
