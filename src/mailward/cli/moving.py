"""Orders to move databases: what each shows before it asks, and how it is followed to its end."""

from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import Any, TypeVar

import click

from mailward.cli.confirming import confirm
from mailward.cli.exits import ExitCode
from mailward.cli.following import follow
from mailward.cli.formats import show_lines
from mailward.cli.progress import progress
from mailward.cli.recovery_words import force_hint, gate_lines
from mailward.cli.terminal import Colour, Terminal, marked_lines, printable, terminal
from mailward.model.copies import CopyChoice, PlannedMove
from mailward.ports.manager import MoveIntention
from mailward.recovery.words import command_text

Command = TypeVar("Command", bound=Callable[..., Any])
Order = Callable[[bool, MoveIntention | None], MoveIntention]
"""Gives the order to the manager: whether it is only rehearsed, and what a person has said yes to, where one has."""
_INDENT = "  "


def wait_option(command: Command) -> Command:
    """Add `--no-wait`, read as `wait`."""
    option: Callable[[Command], Command] = click.option(
        "--wait/--no-wait", default=True, help="Follow it until it is over, which is the default, or return at once."
    )
    return option(command)


def carry_out_move(order: Order, what: str, *, dry_run: bool, may_force: bool, yes: bool, wait: bool) -> None:
    """
    Give an order to move, show where everything would go and why, and end the command.

    Unless *yes*, it is rehearsed first, so that the question comes after the choices, the commands and the gates. With
    *wait* it is followed until it is over. Where --force may still be given (*may_force*), a refusal that it would pass
    says so. Exits with 1 when it was refused, did not end well, or leaves a database where it is.
    """
    reader = terminal()
    agreed = None
    if dry_run or not yes:
        agreed = order(True, None)
        show_lines(plan_lines(agreed, reader))
        _refuse_unless_allowed(agreed, reader, may_force=may_force)
        if dry_run:
            click.echo(f"(--dry-run: would {what}; nothing was done)")
            _fail_where_any_stays(agreed)
            return
        confirm(f"{what[0].upper()}{what[1:]}?", yes=yes)
    begun = _begun(order, what, agreed)
    if agreed is None:
        show_lines(plan_lines(begun, reader))
    elif _course(agreed) != _course(begun):
        click.echo("mailward: the choice has changed meanwhile", err=True)
        show_lines(plan_lines(begun, reader))
    _refuse_unless_allowed(begun, reader, may_force=may_force)
    because = printable(begun.because)
    if not begun.operations:
        click.echo(f"{reader.paint('done', Colour.GOOD)}: {because}", color=True)
    elif wait:
        follow(begun.operations)
    else:
        shown = " and ".join(f"`mailward recoveries show {number}`" for number in begun.operations)
        click.echo(f"begun: {because}; {shown} tells how it stands")
    _fail_where_any_stays(begun)


def plan_lines(intention: MoveIntention, reader: Terminal) -> Iterator[str]:
    """Yield every move with its choice, why every other copy was not chosen, its command, and what the gates say."""
    width = reader.reading_width
    if not intention.moves:
        yield f"{printable(intention.server)}  no database is moved"
    for move in intention.moves:
        yield from _move(move, reader, width)
    for block in intention.unblocks:
        yield from wrap(printable(f"{intention.server}  ends the block by {block}"), width, subsequent_indent=_INDENT)
    yield from gate_lines(intention.answers, reader, width)


def _move(move: PlannedMove, reader: Terminal, width: int) -> Iterator[str]:
    if move.target is not None:
        goes = reader.paint(printable(f"{move.source} → {move.target}"), Colour.STRONG)
    else:
        goes = reader.paint(printable(f"stays on {move.source}"), Colour.BAD)
    yield f"{printable(move.database)}  {goes}"
    leaves = f"{move.source}: {move.source_because}" if move.source_because else ""
    said = leaves if move.choices else move.because
    yield from (f"{_INDENT}{line}" for line in wrap(printable(said), width - len(_INDENT)))
    for choice in move.choices:
        yield from _choice(choice, reader, width, is_chosen=choice.server == move.target)
    if move.command:
        yield f"{_INDENT}{reader.paint(f'$ {printable(command_text(move.command))}', Colour.NOTE)}"


def _choice(choice: CopyChoice, reader: Terminal, width: int, *, is_chosen: bool) -> Iterator[str]:
    if is_chosen:
        mark, colour, word = "✓", Colour.GOOD, ""
    elif choice.is_eligible:
        mark, colour, word = "·", Colour.FAINT, " would do"
    else:
        mark, colour, word = "✗", Colour.BAD, ""
    said = f"{choice.server}{word}: {choice.because}"
    yield from marked_lines(reader.paint(mark, colour), said, width, indent=_INDENT)


def _begun(order: Order, what: str, agreed: MoveIntention | None) -> MoveIntention:
    try:
        with progress(f"{what}: is being begun"):
            return order(False, agreed)
    except KeyboardInterrupt:
        click.echo(
            "mailward: it may have begun all the same: `mailward recoveries --unfinished` shows what is under way",
            err=True,
        )
        raise


def _course(intention: MoveIntention) -> list[tuple[str, str | None, str]]:
    """What a person says yes to: where everything goes, and whether that is forced."""
    return [(move.database, move.target, move.source_because) for move in intention.moves]


def _refuse_unless_allowed(intention: MoveIntention, reader: Terminal, *, may_force: bool) -> None:
    if not intention.allowed:
        could_go = not intention.moves or any(move.target is not None for move in intention.moves)
        hint = force_hint(intention.answers) if may_force and could_go else ""
        click.echo(f"{reader.paint('refused', Colour.BAD)}: {printable(intention.because)}{hint}", color=True)
        raise click.exceptions.Exit(ExitCode.FAILED)


def _fail_where_any_stays(intention: MoveIntention) -> None:
    staying = [move.database for move in intention.moves if move.target is None]
    if staying:
        click.echo(f"mailward: not everything goes where it should: {printable(', '.join(staying))} stays", err=True)
        raise click.exceptions.Exit(ExitCode.FAILED)
