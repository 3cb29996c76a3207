"""`mailward config`: make, check, show and explain the configuration."""

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailward.cli.columns import Column
from mailward.cli.configuration import config_option, where
from mailward.cli.dovecot import the_dovecot
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_json, show_lines
from mailward.cli.terminal import Colour, Terminal, terminal
from mailward.model.errors import Refused
from mailward.model.wire import SCHEMA, to_plain

if TYPE_CHECKING:
    from mailward.config.check import Checked
    from mailward.config.concerns import Concern
    from mailward.config.show import Shown

SHOWN_COLUMNS: "tuple[Column[Shown], ...]" = (
    Column(title="Key", text=lambda one: one.key),
    Column(title="Value", text=lambda one: one.value if one.value is not None else "", folds=True),
    Column(title="Origin", text=lambda one: one.origin, shed=1, colour=lambda _: Colour.FAINT),
)


@click.group("config")
def config() -> None:
    """Make, check and explain the configuration."""


@config.command("init")
@click.option(
    "--directory", metavar="DIR", type=click.Path(), help="Default: /etc/mailward for root, else ~/.config/mailward."
)
@click.option("--dovecot-config", metavar="F", type=click.Path(), help="Its dovecot.conf; default: what runs here.")
@click.option("--state-directory", metavar="DIR", type=click.Path(), help="Where the manager will remember.")
@click.option("--passwd-directory", metavar="DIR", type=click.Path(), help="Where Dovecot will find probes' accounts.")
@click.option(
    "--ca", metavar="F", type=click.Path(exists=True, dir_okay=False), help="Trust the authorities in this file."
)
@click.option("--force", is_flag=True, help="Overwrite files that exist. Accounts are never overwritten.")
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
def init(
    *,
    directory: str | None,
    dovecot_config: str | None,
    state_directory: str | None,
    passwd_directory: str | None,
    ca: str | None,
    force: bool,
    dry_run: bool,
) -> None:
    """
    Write a complete configuration from the Dovecot that runs on this host.

    Dovecot's own configuration is never edited: what it needs is a file of its own, and one line to add is printed.
    """
    from mailward.config.initial import initial, write

    own, state = _places(directory, state_directory)
    files = initial(
        the_dovecot(dovecot_config),
        host_name=_host_name(),
        directory=own,
        state_directory=state,
        passwd_directory=_absolute(passwd_directory),
        ca_file=_absolute(ca),
    )
    if dry_run:
        for file in files.files:
            click.echo(f"==> {file.path} <==\n{file.text}")
        _tell_steps(files.next_steps)
        click.echo("(--dry-run: nothing was written)")
        return
    for path in write(files, force=force):
        click.echo(f"wrote {path}")
    _tell_steps(files.next_steps)


def _tell_steps(steps: Iterable[str]) -> None:
    click.echo("\nWhat is left to do:")
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")


def _host_name() -> str:
    """This host's full name where the resolver knows one, else its own."""
    import socket

    full = socket.getfqdn()
    return full if "." in full and not full.startswith("localhost") else socket.gethostname()


def _places(directory: str | None, state_directory: str | None) -> tuple[Path, Path | None]:
    """Where configuration and state go: the machine's places for root, the user's own for everybody else."""
    home = Path(os.environ.get("HOME") or "/")
    if os.geteuid() == 0:
        own, state = Path("/etc/mailward"), None
    else:
        own = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "mailward"
        state = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "mailward"
    return _absolute(directory) or own, _absolute(state_directory) or state


def _absolute(path: str | None) -> Path | None:
    return Path(path).expanduser().absolute() if path else None


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
