"""The three forms of every read: a table for people, a list with everything in it, JSON as the API gives it."""

import json
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, TypeVar

import click

from mailward.cli.columns import Column, Row, list_lines, table_lines
from mailward.cli.terminal import Terminal, terminal
from mailward.model.wire import answer, listing

Command = TypeVar("Command", bound=Callable[..., Any])


class Format(Enum):
    """How a read is shown."""

    TABLE = "table"
    LIST = "list"
    JSON = "json"


def format_option(default: Format = Format.TABLE) -> Callable[[Command], Command]:
    """Add `--format`, read as `form: Format`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice([form.value for form in Format]),
        default=default.value,
        show_default=True,
        callback=lambda _context, _option, value: Format(value),
        help="A table, a list with every field, or JSON as the API gives it.",
    )


def show(rows: Sequence[Row], columns: Sequence[Column[Row]], form: Format) -> Terminal:
    """Print *rows* to standard output and return what reads it."""
    reader = terminal()
    match form:
        case Format.JSON:
            show_json(listing(rows))
        case Format.LIST:
            show_lines(list_lines(rows, columns, reader))
        case Format.TABLE:
            show_lines(table_lines(rows, columns, reader))
    return reader


def show_one_as_json(value: object) -> None:
    """Print one value as the API gives it."""
    show_json(answer(value))


def show_json(plain: object) -> None:
    """Print plain values as JSON."""
    click.echo(json.dumps(plain, ensure_ascii=False, indent=2))


def show_lines(lines: Iterable[str]) -> None:
    """Print *lines*, colours included, in one write."""
    text = "\n".join(lines)
    if text:
        click.echo(text, color=True)
