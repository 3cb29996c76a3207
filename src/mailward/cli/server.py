"""`mailward server`: orders about a whole server."""

import click

from mailward.cli.connection import manager, socket_option
from mailward.cli.names import complete_server
from mailward.cli.orders import carry_out, order_options


@click.group("server")
def server() -> None:
    """Restart a whole server."""


@server.command("restart")
@click.argument("name", metavar="SERVER", shell_complete=complete_server)
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
        yes=yes,
        asks=True,
    )
