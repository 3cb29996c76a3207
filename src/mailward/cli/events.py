"""`mailward events`: what happened and why, and what happens next."""

import json
from collections.abc import Iterator
from textwrap import wrap

import click

from mailward.cli.columns import Column, list_lines, width_of
from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_lines
from mailward.cli.states import colour_of, moment_text
from mailward.cli.terminal import Colour, Terminal, printable, terminal
from mailward.model.event import Event, EventKind
from mailward.model.monitoring import AlertValue
from mailward.model.wire import to_plain

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
    Show what happened, the newest last.

    With --follow --format json each event is one line.
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
    """Yield one event as a line; where it is too long for the terminal its reason stands below."""
    at = reader.paint(moment_text(event.at), Colour.FAINT)
    change = reader.paint(printable(change_text(event)), event_colour(event))
    what = "  ".join(part for part in (printable(event.subject), change) if part)
    because = printable(event.because)
    taken = len(moment_text(event.at)) + 2 + width_of(event.subject) + 2 + width_of(change_text(event)) + 2
    if reader.width is None or taken + width_of(because) <= reader.width:
        yield f"{at}  {what}  {because}"
        return
    yield f"{at}  {what}"
    yield from (f"  {line}" for line in wrap(because, max(20, reader.width - 2)))
