"""`mailward copies`: copies of mailbox databases as they stand (Get-MailboxDatabaseCopyStatus)."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.copy_table import COLUMNS, colour_of_copy, why_lines
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_lines
from mailward.cli.names import complete_database, complete_server, named
from mailward.model.copies import CopyState, DatabaseCopy

_ORDER = list(CopyState)


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusGroup:
    """The copies in one status (… | Group Status)."""

    count: int
    status: CopyState
    databases: tuple[str, ...]


GROUP_COLUMNS: tuple[Column[StatusGroup], ...] = (
    Column(title="Count", text=lambda group: str(group.count), right=True),
    Column(title="Status", text=lambda group: group.status.value, colour=lambda group: colour_of_copy(group.status)),
    Column(title="Databases", text=lambda group: ", ".join(group.databases), folds=True),
)


@click.command("copies")
@click.option(
    "--server", metavar="S", callback=named, shell_complete=complete_server, help="Only the copies on this server."
)
@click.option(
    "--database",
    metavar="D",
    callback=named,
    shell_complete=complete_database,
    help="Only the copies of this database.",
)
@click.option("--group-by", type=click.Choice(["status"]), help="Count the copies in each status, and name them.")
@format_option()
@socket_option
def copies(*, server: str | None, database: str | None, group_by: str | None, form: Format) -> None:
    """
    Show copies of mailbox databases [Get-MailboxDatabaseCopyStatus].

    Mounted is the copy users are on. No active copy is left on a server when none of its copies is Mounted, Dismounted,
    Mounting or Dismounting: `mailward copies --server S --group-by status`.
    """
    rows = manager().copies(server=server, database=database)
    if group_by:
        show(grouped(rows), GROUP_COLUMNS, form)
    else:
        reader = show(rows, COLUMNS, form)
        if form is Format.TABLE:
            show_lines(why_lines(rows, reader))
    if not rows and (server or database):
        of, on = f" of {database}" if database else "", f" on {server}" if server else ""
        click.echo(f"mailward: there is no copy{of}{on}", err=True)
        raise click.exceptions.Exit(ExitCode.FAILED)
    if not rows:
        click.echo("mailward: the configuration names no mailbox database", err=True)


def grouped(rows: Sequence[DatabaseCopy]) -> tuple[StatusGroup, ...]:
    """Return the copies by status, in the order of Exchange's list."""
    return tuple(
        StatusGroup(
            count=len(alike),
            status=status,
            databases=tuple(dict.fromkeys(row.database for row in alike)),
        )
        for status in _ORDER
        if (alike := [row for row in rows if row.state is status])
    )
