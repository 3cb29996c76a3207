"""`mailward recommendations`: what mailward would have done, had it been allowed to."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from textwrap import wrap

import click

from mailward.cli.connection import manager, socket_option
from mailward.cli.durations import read_option
from mailward.cli.formats import Format, format_option, show_json, show_lines
from mailward.cli.recoveries import show_in_full
from mailward.cli.states import clock_text, moment_text
from mailward.cli.terminal import Colour, Terminal, printable, terminal
from mailward.diagnosis.place import fault_text
from mailward.model.recovery import Operation
from mailward.model.wire import listing
from mailward.platforms.local.system_clock import SystemClock
from mailward.ports.manager import RecoveryStory
from mailward.recovery.withheld import recommended_in
from mailward.recovery.words import command_text


@click.command("recommendations")
@click.option(
    "--since",
    metavar="DURATION",
    default="7d",
    show_default=True,
    callback=read_option,
    help="How far back, such as 12h or 7d.",
)
@format_option()
@socket_option
def recommendations(*, since: timedelta, form: Format) -> None:
    """
    Show what mailward would have done, had it been allowed to.

    For each recovery that was only recommended: what was wrong, the exact commands, and what held them back.
    """
    moment = SystemClock().now() - since
    stories = sorted(manager().would_have(since=moment), key=lambda story: story.operation.started_at)
    match form:
        case Format.JSON:
            show_json(listing(stories))
        case Format.LIST:
            for number, story in enumerate(stories):
                show_lines(["", ""] if number else [])
                show_in_full(story)
        case Format.TABLE:
            show_lines(report_lines(stories, moment, terminal()))


def report_lines(stories: Sequence[RecoveryStory], since: datetime, reader: Terminal) -> Iterator[str]:
    """Yield the report as text."""
    width = reader.reading_width
    if not stories:
        yield f"Since {moment_text(since)} mailward would have done nothing."
        return
    yield reader.paint(f"What mailward would have done since {moment_text(since)}", Colour.STRONG)
    deeds = Counter[str]()
    for story in stories:
        yield ""
        yield from _operation(story.operation, reader, width)
        deeds.update(deed.step for deed in recommended_in(story.operation))
    yield ""
    yield f"{len(stories)} recover{'y' if len(stories) == 1 else 'ies'}, in which mailward would have tried to:"
    yield from (f"  {count} × {printable(name)}" for name, count in deeds.most_common())
    yield ""
    yield from wrap(
        "`mailward why ID` tells each in full. Which of it mailward may do by itself is the mode, for the organization"
        " and for each class of action: `mailward config explain recovery`.",
        width,
        break_on_hyphens=False,
    )


def _operation(operation: Operation, reader: Terminal, width: int) -> Iterator[str]:
    head = f"{moment_text(operation.started_at)}  {operation.kind.value} {operation.target} (ID {operation.id})"
    yield reader.paint(printable(head), Colour.STRONG)
    if operation.verdict is not None:
        yield from _told(operation.verdict.because, width)
        yield from _told(f"fault: {fault_text(operation.verdict)}", width)
    for deed in recommended_in(operation):
        when = f" at {clock_text(deed.at)}" if deed.at else ""
        yield from _told(f"would {deed.step} on {deed.server}{when}; {deed.because}", width)
        if deed.command:
            yield f"    {reader.paint(f'$ {printable(command_text(deed.command))}', Colour.NOTE)}"
    yield from _told(f"{operation.status.value}: {operation.because}", width)


def _told(text: str, width: int) -> list[str]:
    return wrap(printable(text), width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
