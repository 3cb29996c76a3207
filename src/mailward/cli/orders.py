"""Orders by hand: what every one of them shows, asks and ends with."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from mailward.cli.confirming import confirm, reason_option, yes_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import show_lines
from mailward.cli.progress import progress
from mailward.cli.recovery_words import force_hint, gate_lines
from mailward.cli.terminal import Colour, Terminal, printable, terminal
from mailward.ports.manager import Intention
from mailward.recovery.words import command_text

Command = TypeVar("Command", bound=Callable[..., Any])
Order = Callable[[bool], Intention]
"""Gives the order to the manager; its argument says whether it is only rehearsed."""


_force_option: Callable[[Any], Any] = click.option(
    "--force",
    is_flag=True,
    help="Pass the gates that only advise (throttle, last healthy, kernel hang, still in service); never those"
    " against certain harm.",
)
_rehearsal_option: Callable[[Any], Any] = click.option(
    "--dry-run", is_flag=True, help="Ask every gate and show the command, and do nothing."
)


def order_options(command: Command) -> Command:
    """Add `--dry-run`, `--force`, `--reason` and `--yes`."""
    for option in (yes_option, reason_option, _force_option, _rehearsal_option):
        command = option(command)
    return command


def carry_out(order: Order, what: str, *, dry_run: bool, force: bool, yes: bool, asks: bool) -> None:
    """
    Give an order, show what each gate says and what is run, and end the command.

    Where *asks* and not *yes*, it is rehearsed first, so that the question comes after the command and the gates. Where
    not *force*, a refusal that it would pass says so.
    Exits with 1 when it was refused or failed.
    """
    reader = terminal()
    if dry_run or (asks and not yes):
        rehearsed = order(True)
        show_lines(intention_lines(rehearsed, reader))
        if dry_run or not rehearsed.allowed:
            _end(rehearsed, what, reader, rehearsal=dry_run, force=force)
            return
        confirm(f"{what[0].upper()}{what[1:]}?", yes=yes)
    with progress(f"{what}: under way"):
        done = order(False)
    if yes or not asks:
        show_lines(intention_lines(done, reader))
    _end(done, what, reader, rehearsal=False, force=force)


def intention_lines(intention: Intention, reader: Terminal) -> Iterator[str]:
    """Yield the command, and what the gates say."""
    if intention.command:
        yield f"{intention.server}  {reader.paint(f'$ {printable(command_text(intention.command))}', Colour.NOTE)}"
    yield from gate_lines(intention.answers, reader, reader.reading_width)


def _end(intention: Intention, what: str, reader: Terminal, *, rehearsal: bool, force: bool) -> None:
    because = printable(intention.because)
    told = f"; `mailward why {intention.operation}` tells it" if intention.operation else ""
    if not intention.allowed:
        hint = force_hint(intention.answers) if not (force or intention.operation) else ""
        click.echo(f"{reader.paint('refused', Colour.BAD)}: {because}{hint}{told}", color=True)
        raise click.exceptions.Exit(ExitCode.FAILED)
    if rehearsal:
        click.echo(f"(--dry-run: would {what}; nothing was done)")
    elif intention.done:
        click.echo(f"{reader.paint('done', Colour.GOOD)}: {because}{told}", color=True)
    else:
        click.echo(f"{reader.paint('failed', Colour.BAD)}: {because}{told}", color=True)
        raise click.exceptions.Exit(ExitCode.FAILED)
