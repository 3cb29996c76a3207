"""
The live view of `mailward health --watch` and of the demo: the table as it is now, why, and what happened last.

It is drawn anew at every event and every few seconds; a manager that goes away and comes back is waited for.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from mailward.cli.columns import table_lines
from mailward.cli.events import brief_line_of, line_of
from mailward.cli.formats import show_lines
from mailward.cli.health_table import COLUMNS, why_lines
from mailward.cli.states import colour_of
from mailward.cli.terminal import Colour, Terminal, terminal
from mailward.client.manager import ManagerClient
from mailward.model.errors import MailwardError, TemporaryFailure
from mailward.model.event import Event
from mailward.model.health import MonitorHealth
from mailward.model.monitoring import AlertValue

_REDRAW_SECONDS = 2.0
_RECONNECT_SECONDS = 1.0
_EVENTS_SHOWN = 6
_ROWS_MIN = 5
_TABLE_HEAD = 2
_EVENTS_HEAD = 2


@dataclass(slots=True)
class View:
    """What the live view shows at one moment."""

    rows: Sequence[MonitorHealth] = ()
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=_EVENTS_SHOWN))
    trouble: str | None = None
    """Why the rows may be old."""
    foot: Sequence[str] = ()
    """Lines at the bottom, such as what to try next."""


def watch_health(
    client: ManagerClient,
    *,
    server: str | None = None,
    health_set: str | None = None,
    state: str | None = None,
    foot: Sequence[str] = (),
    over: Callable[[], bool] = lambda: False,
) -> None:
    """
    Show the monitors as they change until Ctrl-C or until *over* says so.

    Without a terminal the table is printed once, and then a line for every event.

    Raises:
        Refused: A name in the filter is unknown.
        NoManager: There is no manager at the beginning.
    """

    def ask() -> tuple[MonitorHealth, ...]:
        return client.health(server=server, health_set=health_set, state=state)

    view = View(rows=ask(), foot=foot)
    news: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(client, news), daemon=True).start()
    reader = terminal()
    if not reader.is_terminal:
        _follow(view, news, reader, over)
        return
    view.events.extend(sorted(client.events(limit=_EVENTS_SHOWN, newest_first=True), key=lambda event: event.id))
    _live(view, news, ask, over)


def frame(view: View, reader: Terminal, height: int) -> list[str]:
    """
    Return the lines of one picture, no more than *height*.

    What does not fit gives way in this order: healthy rows, old events, reasons. The worst rows stay.
    """
    head = [summary(view.rows, reader), *([reader.paint(view.trouble, Colour.BAD)] if view.trouble else []), ""]
    foot = ["", *view.foot] if view.foot else []
    room = height - len(head) - len(foot) - _TABLE_HEAD
    sick = sum(row.alert_value is not AlertValue.HEALTHY for row in view.rows)
    wanted = min(len(view.rows), max(_ROWS_MIN, sick + 1), max(_ROWS_MIN, room - 1))
    why = list(why_lines(view.rows, reader))[: max(0, room - wanted - 1)]
    happened = _happened(view.events, reader, room - wanted - len(why) - 1)
    shown = max(wanted, min(len(view.rows), room - len(why) - len(happened) - 1))
    table = list(table_lines(view.rows[:shown], COLUMNS, reader, note=False))
    if shown < len(view.rows):
        table.append(reader.paint(f"… and {len(view.rows) - shown} more: {_counts(view.rows[shown:])}", Colour.FAINT))
    return [*head, *table, *why, *happened, *foot][:height]


def _happened(events: Sequence[Event], reader: Terminal, room: int) -> list[str]:
    """As many of the last events as have room, a line each, the newest last."""
    kept = list(events)[-max(0, room - _EVENTS_HEAD) :] if room > _EVENTS_HEAD else []
    lines = [brief_line_of(event, reader) for event in kept]
    return ["", reader.paint("Last events:", Colour.STRONG), *lines] if lines else []


def _counts(rows: Sequence[MonitorHealth]) -> str:
    counts = {state: sum(row.alert_value is state for row in rows) for state in AlertValue}
    return ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)


def summary(rows: Sequence[MonitorHealth], reader: Terminal) -> str:
    """Return how many monitors are in which state, as one line."""
    counts = {state: sum(row.alert_value is state for row in rows) for state in AlertValue}
    parts = [
        reader.paint(f"{count} {state.value}", colour_of(state))
        for state, count in counts.items()
        if count or state is AlertValue.HEALTHY
    ]
    return f"{reader.paint(f'{len(rows)} monitors', Colour.STRONG)}: {', '.join(parts)}   (Ctrl-C ends)"


def _live(
    view: View,
    news: queue.SimpleQueue[Event | None],
    ask: Callable[[], tuple[MonitorHealth, ...]],
    over: Callable[[], bool],
) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with suppress(KeyboardInterrupt), Live(console=console, screen=True, auto_refresh=False) as live:
        while not over():
            lines = frame(view, terminal(), console.height)
            live.update(Text.from_ansi("\n".join(lines), no_wrap=True), refresh=True)
            view.events.extend(_wait(news))
            try:
                view.rows, view.trouble = ask(), None
            except TemporaryFailure as failure:
                view.trouble = f"this picture is old: {str(failure).splitlines()[0]}"


def _wait(news: queue.SimpleQueue[Event | None]) -> Iterator[Event]:
    """Yield what came: at once when there is something, else after a while nothing."""
    with suppress(queue.Empty):
        while True:
            event = news.get(timeout=_REDRAW_SECONDS) if news.empty() else news.get_nowait()
            if event is not None:
                yield event
            if news.empty():
                return


def _follow(view: View, news: queue.SimpleQueue[Event | None], reader: Terminal, over: Callable[[], bool]) -> None:
    show_lines(table_lines(view.rows, COLUMNS, reader))
    show_lines(view.foot)
    with suppress(KeyboardInterrupt):
        while not over():
            for event in _wait(news):
                show_lines(line_of(event, reader))


def _listen(client: ManagerClient, news: queue.SimpleQueue[Event | None]) -> None:
    """Pass on every event, for as long as the process lives; a lost connection is made anew where it broke off."""
    after: int | None = None
    pause = threading.Event()
    while True:
        with suppress(MailwardError):
            for event in client.follow(after=after):
                if event is not None:
                    after = event.id
                    news.put(event)
        pause.wait(_RECONNECT_SECONDS)
