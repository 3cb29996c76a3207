"""
Tables and lists of values, as Exchange's Format-Table and Format-List show them.

Where a terminal is too narrow for a table its least needed columns are left out, which is said below it; where that
does not help either, each row becomes a list. Lists and JSON never lose a character. Written without rich, because
drawing thousands of rows has to be quick.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import Generic, TypeVar
from unicodedata import combining, east_asian_width

from mailward.cli.terminal import Colour, Terminal, printable

Row = TypeVar("Row")
_GAP = 2
_LIST_TEXT_MIN = 30
_FOLDED_MIN = 24
"""A column of sentences narrower than this is no longer read but spelled out."""
_SHORTENED_MIN = 16
_SHED_BEFORE_SHORTENING = 2
"""Columns that leave at this number or above do so before any name is shortened."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column(Generic[Row]):
    """One column of a table, or one line of a list."""

    title: str
    text: Callable[[Row], str]
    """What stands there; several lines only in lists."""
    colour: Callable[[Row], Colour | None] | None = None
    shed: int = 0
    """Columns with a greater number leave a narrow table first; those with 0 stay."""
    folds: bool = False
    """Whether its words may be folded into several lines; for sentences, never for names."""
    shortens: bool = False
    """Whether a long name may lose its middle in a table; lists and JSON always have all of it."""
    list_only: bool = False
    right: bool = False


def table_lines(
    rows: Sequence[Row], columns: Sequence[Column[Row]], reader: Terminal, *, note: bool = True
) -> Iterator[str]:
    """Yield a table with a header, and a *note* when columns had to be left out; nothing without rows."""
    if not rows:
        return
    shown = [column for column in columns if not column.list_only]
    cells = {column.title: [printable(column.text(row)) for row in rows] for column in shown}
    layout = _layout(shown, cells, reader.width)
    if layout is None:
        yield from list_lines(rows, columns, reader)
        return
    yield reader.paint(_line(layout, [column.title for column, _ in layout]), Colour.STRONG)
    yield reader.paint(_line(layout, ["-" * width for _, width in layout]), Colour.FAINT)
    for number, row in enumerate(rows):
        paints = [column.colour(row) if column.colour else None for column, _ in layout]
        folded = [_fitted(column, cells[column.title][number], width) for column, width in layout]
        for texts in zip_longest(*folded, fillvalue=""):
            yield _line(layout, texts, paints, reader)
    hidden = [column.title for column in shown if all(column is not kept for kept, _ in layout)]
    if hidden and note:
        sentence = f"({', '.join(hidden)} left out: the terminal is too narrow; --format list shows all)"
        yield from (reader.paint(line, Colour.FAINT) for line in wrap(sentence, reader.width or 80))


def list_lines(rows: Sequence[Row], columns: Sequence[Column[Row]], reader: Terminal) -> Iterator[str]:
    """Yield each row as `Title : text` lines, a blank line between rows; empty texts are left out."""
    title_width = max((len(column.title) for column in columns), default=0)
    for number, row in enumerate(rows):
        if number:
            yield ""
        for column in columns:
            text = column.text(row)
            if text:
                colour = column.colour(row) if column.colour else None
                yield from _list_item(column.title.ljust(title_width), text, colour, reader)


def width_of(text: str) -> int:
    """Return how many terminal cells *text* takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


_Layout = Sequence[tuple[Column[Row], int]]
"""The columns that are shown, each with its width."""


def clipped(text: str, width: int) -> str:
    """Return *text*, or as much of its beginning as fits into *width* cells, with an ellipsis."""
    if width_of(text) <= width:
        return text
    while text and width_of(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def _layout(
    columns: Sequence[Column[Row]], cells: Mapping[str, Sequence[str]], limit: int | None
) -> _Layout[Row] | None:
    """
    Fit the columns into *limit*; None when not even the needed ones fit.

    In turn: fold sentences, leave out what is least needed, shorten long names, leave out the rest of what may go.
    """
    shown = list(columns)
    natural = {column.title: max(map(width_of, (column.title, *cells[column.title]))) for column in columns}
    least = {column.title: _least_width(column, cells[column.title]) for column in columns}
    shortened = False
    while True:
        widths = {column.title: natural[column.title] for column in shown}
        excess = sum(widths.values()) + _GAP * (len(shown) - 1) - (limit or 10**9)
        for column in sorted(shown, key=lambda column: -natural[column.title]):
            if excess > 0 and (column.folds or (column.shortens and shortened)):
                given = min(excess, max(0, natural[column.title] - least[column.title]))
                widths[column.title] -= given
                excess -= given
        if excess <= 0:
            return [(column, widths[column.title]) for column in shown]
        leaving = max(shown, key=lambda column: column.shed)
        if not shortened and leaving.shed < _SHED_BEFORE_SHORTENING:
            shortened = True
        elif leaving.shed:
            shown.remove(leaving)
        else:
            return None


def _least_width(column: Column[Row], texts: Sequence[str]) -> int:
    if column.shortens:
        return max(len(column.title), _SHORTENED_MIN)
    return max(len(column.title), _FOLDED_MIN, *(_longest_word(text) for text in texts))


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _fitted(column: Column[Row], text: str, width: int) -> list[str]:
    if width_of(text) <= width:
        return [text]
    if column.shortens:
        kept = width - 1
        return [f"{text[: kept // 3]}…{text[-(kept - kept // 3) :]}"]
    return wrap(text, width, break_on_hyphens=False)


def _line(
    layout: _Layout[Row], texts: Sequence[str], paints: Sequence[Colour | None] = (), reader: Terminal | None = None
) -> str:
    parts = []
    for number, ((column, width), text) in enumerate(zip(layout, texts, strict=True)):
        painted = reader.paint(text, paints[number]) if reader and paints else text
        blank = " " * (width - width_of(text))
        parts.append(blank + painted if column.right else painted + blank)
    return (" " * _GAP).join(parts).rstrip()


def _list_item(title: str, text: str, colour: Colour | None, reader: Terminal) -> Iterator[str]:
    room = max(_LIST_TEXT_MIN, reader.width - len(title) - 3) if reader.width else None
    lines = [
        part
        for line in text.split("\n")
        for part in (wrap(printable(line), room, break_on_hyphens=False) or [""] if room else [printable(line)])
    ]
    for number, line in enumerate(lines):
        lead = f"{title} : " if number == 0 else " " * (len(title) + 3)
        yield (lead + reader.paint(line, colour)).rstrip()
