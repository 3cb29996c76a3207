"""`mailward config`: make, check, show and explain the configuration."""

import os
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailward.cli.columns import Column
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_json, show_lines
from mailward.cli.terminal import Colour, Terminal, terminal
from mailward.model.errors import Refused
from mailward.model.wire import SCHEMA, to_plain

if TYPE_CHECKING:
    from mailward.config.check import Checked, Concern
    from mailward.config.show import Shown

Command = TypeVar("Command", bound=Callable[..., Any])

config_option: Callable[[Command], Command] = click.option(
    "--config",
    "path",
    metavar="PATH",
    type=click.Path(),
    help="Default: $MAILWARD_CONFIG, ~/.config/mailward/mailward.toml, /etc/mailward/mailward.toml.",
)
SHOWN_COLUMNS: "tuple[Column[Shown], ...]" = (
    Column(title="Key", text=lambda one: one.key),
    Column(title="Value", text=lambda one: one.value if one.value is not None else "", folds=True),
    Column(title="Origin", text=lambda one: one.origin, shed=1, colour=lambda _: Colour.FAINT),
)


def where(path: str | None) -> Path:
    """
    Return the configuration that is meant.

    Raises:
        ConfigError: There is none; the text says where it was looked for and how to make one.
    """
    from mailward.config.locate import configuration_path

    return configuration_path(path, os.environ)


@click.group("config")
def config() -> None:
    """Make, check and explain the configuration."""


@config.command("check")
@config_option
@format_option()
def check_(*, path: str | None, form: Format) -> None:
    """
    Look the configuration over: every mistake at once, warnings, and what probing will cost.

    Starts nothing and contacts nobody. Exits with 1 when there are mistakes.
    """
    from mailward.config.check import check

    file = where(path)
    checked = check(file)
    if form is Format.JSON:
        show_json(_as_plain(checked))
    else:
        show_lines(_checked_lines(checked, file, terminal()))
    if checked.mistakes:
        raise click.exceptions.Exit(ExitCode.FAILED)


@config.command("show")
@click.argument("pattern", required=False, metavar="[GLOB]")
@config_option
@format_option()
def show_(*, pattern: str | None, path: str | None, form: Format) -> None:
    """
    Show every setting as it works out, and where it comes from.

    GLOB chooses keys: 'servers.be1.*', '*.interval'. Secrets are never shown, only where they are kept.
    """
    from mailward.config.show import show as settings

    rows = [one for one in settings(where(path)) if pattern is None or _matches(one.key, pattern)]
    show(rows, SHOWN_COLUMNS, form)
    if not rows:
        raise Refused(f"no setting matches {pattern!r}")


@config.command("explain")
@click.argument("key")
def explain_(*, key: str) -> None:
    """Explain one key or table, such as databases.copies or servers.be1.imap."""
    from mailward.config.explain import explain

    click.echo(explain(key))


@config.command("schema")
def schema() -> None:
    """Print the JSON schema of the configuration, for editors and other programs."""
    from mailward.config.explain import json_schema

    show_json(json_schema())


def _matches(key: str, pattern: str) -> bool:
    return fnmatchcase(key.lower(), pattern.lower()) or key.lower().startswith(f"{pattern.lower()}.")


def _checked_lines(checked: "Checked", file: Path, reader: Terminal) -> Iterator[str]:
    from mailward.config.check import cost_in_words

    for mistake in checked.mistakes:
        yield f"{reader.paint('✗', Colour.BAD)} {mistake}"
    if checked.mistakes or checked.snapshot is None:
        count = len(checked.mistakes)
        yield f"{file} has {count} mistake{'' if count == 1 else 's'}; nothing would start with it"
        return
    organization = checked.snapshot.organization
    yield (
        f"{reader.paint('✓', Colour.GOOD)} {file} is right: {organization.name}, {len(organization.servers)} servers,"
        f" {len(organization.databases)} databases, {len(organization.access_points)} access points"
    )
    yield from _concern_lines("Warnings", checked.warnings, Colour.WARN, reader)
    if checked.cost is not None:
        yield from ("", reader.paint("What probing costs", Colour.STRONG))
        yield from (f"  {line}" for line in cost_in_words(checked.cost))
    yield from _concern_lines("To set up elsewhere, so that probing does no harm", checked.advice, Colour.NOTE, reader)


def _concern_lines(title: str, concerns: "tuple[Concern, ...]", colour: Colour, reader: Terminal) -> Iterator[str]:
    if concerns:
        yield from ("", reader.paint(title, Colour.STRONG))
    for concern in concerns:
        yield f"  {reader.paint(concern.about, colour)}: {concern.text}"
        yield from (f"      {line}" for line in concern.lines)


def _as_plain(checked: "Checked") -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "valid": not checked.mistakes,
        "mistakes": [{"file": str(one.file), "line": one.line, "text": one.text} for one in checked.mistakes],
        "warnings": to_plain(checked.warnings),
        "advice": to_plain(checked.advice),
        "cost": to_plain(checked.cost),
    }
