"""`mailward pause` and `mailward resume`: no action is taken meanwhile; watching and alerting go on."""

from datetime import datetime, timedelta

import click

from mailward.cli import held
from mailward.cli.connection import manager, socket_option
from mailward.cli.names import complete_server, named
from mailward.model.holds import WHOLE_ORGANIZATION, HoldKind


@click.command("pause")
@click.argument("server", required=False, callback=named, shell_complete=complete_server)
@held.why_option
@held.end_options
@held.rehearsal_option
@socket_option
def pause(*, server: str | None, reason: str, lasts: timedelta | None, until: datetime | None, dry_run: bool) -> None:
    """
    Take no action, on SERVER or, without one, anywhere.

    Watching and alerting go on; what would have been done is recorded. A deed under way is not called back.
    """
    wanted = held.a_hold(HoldKind.PAUSE, _subject(server), reason=reason, lasts=lasts, until=until)
    held.put_in_place(wanted, dry_run=dry_run)


@click.command("resume")
@click.argument("server", required=False, callback=named, shell_complete=complete_server)
@held.rehearsal_option
@socket_option
def resume(*, server: str | None, dry_run: bool) -> None:
    """
    End the pause of SERVER or, without one, that of the organization.

    A pause of the organization and one of a server are two: each is ended by itself, and what still pauses is named.
    """
    subject = _subject(server)
    paused = [hold for hold in manager().holds() if hold.kind is HoldKind.PAUSE]
    meant = [hold for hold in paused if hold.subject == subject]
    others = [hold for hold in paused if hold not in meant and (server is None or hold.subject == WHOLE_ORGANIZATION)]
    where = "the organization" if server is None else subject
    also = f"; paused are {', '.join(sorted(hold.subject for hold in others))}" if others else ""
    held.take_back(meant, dry_run=dry_run, nothing=f"actions are not paused for {where}{also}")
    for hold in others:
        click.echo(f"mailward: {hold.subject} stays paused by {hold.owner}: {hold.reason}", err=True)


def _subject(server: str | None) -> str:
    return WHOLE_ORGANIZATION if server is None else held.known_server(server)
