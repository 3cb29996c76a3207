"""`mailward activation`: which copies of mailbox databases may become active."""

from datetime import datetime, timedelta

import click

from mailward.cli import held
from mailward.cli.connection import manager, socket_option
from mailward.cli.names import complete_database, complete_server, named
from mailward.cli.terminal import printable
from mailward.model.errors import Refused
from mailward.model.holds import BLOCKED, HoldKind


@click.group("activation")
def activation() -> None:
    """
    Keep copies of mailbox databases from becoming active [DatabaseCopyAutoActivationPolicy].

    A blocked copy is still synchronised. What is active stays active: `mailward server drain` moves it away. What is
    blocked is shown by `mailward copies`, and by `mailward maintenance list`.
    """


@activation.command("block")
@click.argument("server", callback=named, shell_complete=complete_server)
@click.argument("database", required=False, callback=named, shell_complete=complete_database)
@held.why_option
@held.at_option
@held.end_options
@held.rehearsal_option
@socket_option
def block_(
    *,
    server: str,
    database: str | None,
    reason: str,
    at: datetime | None,
    lasts: timedelta | None,
    until: datetime | None,
    dry_run: bool,
) -> None:
    """
    Let no copy on SERVER, or not that of DATABASE there, become active.

    Of one copy: [Suspend-MailboxDatabaseCopy -ActivationOnly].
    """
    subject = held.known_server(server) if database is None else _copy(server, database)
    wanted = held.a_hold(HoldKind.ACTIVATION, subject, value=BLOCKED, reason=reason, at=at, lasts=lasts, until=until)
    held.put_in_place(wanted, dry_run=dry_run)


@activation.command("allow")
@click.argument("server", callback=named, shell_complete=complete_server)
@click.argument("database", required=False, callback=named, shell_complete=complete_database)
@held.rehearsal_option
@socket_option
def allow_(*, server: str, database: str | None, dry_run: bool) -> None:
    """
    Let the copies on SERVER, or that of DATABASE there, become active again.

    A block of the server and one of a copy on it are two: each is ended by itself, and what stays blocked is named.
    """
    where = held.known_server(server)
    subject = where if database is None else f"{where}/{database}"
    blocks = [hold for hold in manager().holds(subject=where) if hold.kind is HoldKind.ACTIVATION]
    meant = [hold for hold in blocks if hold.subject.lower() == subject.lower()]
    others = [
        hold for hold in blocks if hold not in meant and (database is None or hold.subject.lower() == where.lower())
    ]
    if database is not None and not meant:
        subject = _copy(where, database)  # a block may outlast its copy; what was never there is a slip of the pen
    also = f"; blocked are {', '.join(hold.subject for hold in others)}" if others else ""
    held.take_back(meant, dry_run=dry_run, nothing=f"activation of {subject} is not blocked{also}")
    for hold in others:
        click.echo(f"mailward: {printable(f'{hold.subject} stays blocked by {hold.by_whom}')}", err=True)


def _copy(server: str, database: str) -> str:
    """
    The subject of one copy, as the manager spells it.

    Raises:
        NotFound: There is no such server or database.
        Refused: That server holds no copy of it.
    """
    found = manager().copies(server=server, database=database)
    if not found:
        raise Refused(
            f"{server} holds no copy of {database}; `mailward copies --database {database}` shows where they are"
        )
    return f"{found[0].server}/{found[0].database}"
