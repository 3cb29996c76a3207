"""`mailward server`: orders about a whole server."""

import click

from mailward.cli.confirming import reason_option, yes_option
from mailward.cli.connection import manager, socket_option
from mailward.cli.moving import carry_out_move, wait_option
from mailward.cli.names import complete_server, named
from mailward.cli.orders import carry_out, order_options


@click.group("server")
def server() -> None:
    """Empty a mailbox server of its active copies, let them come back, or restart a whole server."""


@server.command("drain")
@click.argument("name", metavar="SERVER", callback=named, shell_complete=complete_server)
@order_options
@wait_option
@socket_option
def drain_(*, name: str, dry_run: bool, force: bool, reason: str, yes: bool, wait: bool) -> None:
    """
    Move every active copy away from a server, and block activation there.

    [Set-MailboxServer -DatabaseCopyActivationDisabledAndMoveNow]. It stays so until `mailward server undrain`. A
    database without another copy that can become active stays, and the command says so and fails.
    """
    client = manager()
    carry_out_move(
        lambda rehearsal, agreed: client.drain(
            name,
            reason=reason,
            dry_run=rehearsal,
            force=force,
            only_planned=agreed is not None and agreed.is_planned,
        ),
        f"move every active copy away from {name}, and block activation there",
        dry_run=dry_run,
        may_force=not force,
        yes=yes,
        wait=wait,
    )


@server.command("undrain")
@click.argument("name", metavar="SERVER", callback=named, shell_complete=complete_server)
@click.option("--move-back", is_flag=True, help="Move those databases back that prefer this server.")
@click.option(
    "--dry-run", is_flag=True, help="Say whose blocks would end and what would be moved back, and change nothing."
)
@reason_option
@yes_option
@wait_option
@socket_option
def undrain_(*, name: str, move_back: bool, dry_run: bool, reason: str, yes: bool, wait: bool) -> None:
    """
    Allow the copies of a server to become active again.

    Nothing is moved, unless --move-back says so.
    """
    client = manager()
    also = ", and move those back that prefer it" if move_back else ""
    carry_out_move(
        lambda rehearsal, agreed: client.undrain(
            name,
            reason=reason,
            dry_run=rehearsal,
            move_back=move_back,
            only_planned=agreed is not None and agreed.is_planned,
        ),
        f"allow the copies of {name} to become active{also}",
        dry_run=dry_run,
        may_force=False,
        yes=yes or not move_back,  # only a move ends sessions
        wait=wait,
    )


@server.command("restart")
@click.argument("name", metavar="SERVER", callback=named, shell_complete=complete_server)
@order_options
@socket_option
def restart_(*, name: str, dry_run: bool, force: bool, reason: str, yes: bool) -> None:
    """
    Restart a server, through the same gates as mailward's own actions.

    Only a server that the configuration names as restartable, and that holds no active mailbox database.
    """
    client = manager()
    carry_out(
        lambda rehearsal: client.restart_server(name, reason=reason, dry_run=rehearsal, force=force),
        f"restart the server {name}",
        dry_run=dry_run,
        force=force,
        yes=yes,
        asks=True,
    )
