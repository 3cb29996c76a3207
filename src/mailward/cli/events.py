"""`mailward events`: what happened and why, and what happens next."""

import json
from collections.abc import Iterator
from textwrap import wrap

import click

from mailward.cli.columns import Column, clipped, list_lines, width_of
from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_lines
from mailward.cli.states import clock_text, colour_of, moment_text
from mailward.cli.terminal import Colour, Terminal, printable, terminal
from mailward.model.event import Event, EventKind
from mailward.model.monitoring import AlertValue
from mailward.model.wire import to_plain

_INDENT = 2
_BRIEF_MIN = 12
"""Cells below which the beginning of a text says nothing."""
_TABLE_WIDTH = 110
"""On narrower terminals a line per event is read more easily than a table."""
_STATES = {state.value: state for state in AlertValue}


def change_text(event: Event) -> str:
    """What an event changed: "Healthy → Degraded", or nothing."""
    return " → ".join(part for part in (event.before, event.after) if part)


def event_colour(event: Event) -> Colour | None:
    """The colour of the state an event led to."""
    return colour_of(_STATES[event.after]) if event.after in _STATES else None


COLUMNS: tuple[Column[Event], ...] = (
    Column(title="Id", text=lambda event: str(event.id), right=True, shed=3),
    Column(title="At", text=lambda event: moment_text(event.at)),
    Column(title="Kind", text=lambda event: event.kind.value, shed=2),
    Column(title="Subject", text=lambda event: event.subject),
    Column(title="Change", text=change_text, colour=event_colour),
    Column(title="Because", text=lambda event: event.because, folds=True, shed=4),
    Column(title="Actor", text=lambda event: event.actor, list_only=True),
    Column(title="CauseEvent", text=lambda event: str(event.cause_event or ""), list_only=True),
    Column(
        title="Data",
        text=lambda event: json.dumps(to_plain(event.data), ensure_ascii=False) if event.data else "",
        list_only=True,
    ),
)


@click.command("events")
@click.option("--after", type=click.IntRange(0), metavar="ID", help="Only events with a greater id.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in EventKind]),
    metavar="KIND",
    help="Only this kind; may be repeated. A wrong one lists all.",
)
@click.option(
    "--subject", metavar="S", help="Only what happened to this, such as mbx2/IMAP.Protocol/ImapSelfTestMonitor."
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, the newest.")
@click.option("--follow", is_flag=True, help="Go on with each new event, until Ctrl-C.")
@format_option()
@socket_option
def events(
    *, after: int | None, kinds: tuple[str, ...], subject: str | None, limit: int, follow: bool, form: Format
) -> None:
    """
    Show what happened, and follow it.

    The newest comes last. With --follow --format json each event is one line.
    """
    chosen = tuple(EventKind(kind) for kind in kinds)
    client = manager()
    found = client.events(after=after or 0, kinds=chosen, subject=subject, limit=limit, newest_first=after is None)
    ordered = tuple(sorted(found, key=lambda event: event.id))
    if not follow:
        if form is Format.TABLE and (terminal().width or _TABLE_WIDTH) < _TABLE_WIDTH:
            for event in ordered:
                _show_as_it_comes(event, form)
        else:
            show(ordered, COLUMNS, form)
        if not ordered and (kinds or subject or after is not None):
            click.echo("mailward: no event matches", err=True)
            raise click.exceptions.Exit(ExitCode.FAILED)
        return
    for event in ordered:
        _show_as_it_comes(event, form)
    last = ordered[-1].id if ordered else after
    for news in client.follow(after=last):
        if news and (not chosen or news.kind in chosen) and subject in (None, news.subject):
            _show_as_it_comes(news, form)
    click.echo("mailward: the manager stopped", err=True)
    raise click.exceptions.Exit(ExitCode.UNKNOWN)


def _show_as_it_comes(event: Event, form: Format) -> None:
    reader = terminal()
    match form:
        case Format.JSON:
            click.echo(json.dumps(to_plain(event), ensure_ascii=False))
        case Format.LIST:
            show_lines([*list_lines([event], COLUMNS, reader), ""])
        case Format.TABLE:
            show_lines(line_of(event, reader))


def line_of(event: Event, reader: Terminal) -> Iterator[str]:
    """Yield one event as a line, or as several where the terminal is too narrow for one."""
    parts = _parts(event)
    if reader.width is not None and sum(width_of(text) + 2 for text, _ in parts[:3]) - 2 > reader.width:
        parts[0] = (clock_text(event.at), Colour.FAINT)
    room = (reader.width or 10**9) - _INDENT
    lines: list[list[str]] = [[]]
    taken = 0
    for text, paint in parts:
        if taken and taken + width_of(text) > room:
            lines.append([])
            taken = 0
        words = [text] if width_of(text) <= room else wrap(text, max(20, room))
        lines[-1].append(reader.paint(words[0], paint))
        lines.extend([reader.paint(more, paint)] for more in words[1:])
        taken += width_of(words[-1]) + 2
    for number, line in enumerate(lines):
        yield " " * (_INDENT if number else 0) + "  ".join(line)


def brief_line_of(event: Event, reader: Terminal) -> str:
    """Return one event as exactly one line: the time of day, the change, and as much of the rest as fits."""
    change = (printable(change_text(event)), event_colour(event))
    rest = ((printable(event.subject), None), (printable(event.because), None))
    parts = [(clock_text(event.at), Colour.FAINT), *(part for part in (change, *rest) if part[0])]
    line, taken = "", 0
    for text, paint in parts:
        room = (reader.width or 10**9) - taken
        if room < _BRIEF_MIN:
            break
        shown = clipped(text, room)
        line += reader.paint(shown, paint) + "  "
        taken += width_of(shown) + 2
    return line.rstrip()


def _parts(event: Event) -> list[tuple[str, Colour | None]]:
    parts = [
        (moment_text(event.at), Colour.FAINT),
        (printable(event.subject), None),
        (printable(change_text(event)), event_colour(event)),
        (printable(event.because), None),
    ]
    return [(text, paint) for text, paint in parts if text]
