"""`mailward database`: orders about one mailbox database."""

import click

from mailward.cli.connection import manager, socket_option
from mailward.cli.moving import carry_out_move, wait_option
from mailward.cli.names import complete_database, complete_server, named
from mailward.cli.orders import order_options
from mailward.ports.manager import MoveIntention


@click.group("database")
def database() -> None:
    """Move a mailbox database to another of its copies [Move-ActiveMailboxDatabase]."""


@database.command("move")
@click.argument("name", metavar="DATABASE", callback=named, shell_complete=complete_database)
@click.option(
    "--to",
    metavar="S",
    callback=named,
    shell_complete=complete_server,
    help="To which server; by default to the best copy.",
)
@order_options
@wait_option
@socket_option
def move_(*, name: str, to: str | None, dry_run: bool, force: bool, reason: str, yes: bool, wait: bool) -> None:
    """
    Make another copy of a mailbox database the active one, and follow it until it is over.

    Every copy is shown with why it was chosen or not. Sessions of its users end, and their clients come back to the new
    copy; what the copy lacked is synchronised before and after.
    """
    client = manager()

    def order(rehearsal: bool, agreed: MoveIntention | None) -> MoveIntention:
        shown = agreed.moves[0].target if agreed is not None and agreed.moves else None
        only_planned = agreed is not None and agreed.is_planned
        return client.move_database(
            name, to=to or shown, reason=reason, dry_run=rehearsal, force=force, only_planned=only_planned
        )

    carry_out_move(
        order,
        f"move {name} to {to or 'its best copy'}",
        dry_run=dry_run,
        may_force=not force,
        yes=yes,
        wait=wait,
    )
