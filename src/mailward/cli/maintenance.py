"""`mailward maintenance`: announce work on a server, so that nothing is done to it and nobody is called for it."""

import socket
from datetime import datetime, timedelta

import click

from mailward.cli import held
from mailward.cli.connection import manager, socket_option
from mailward.cli.formats import Format, format_option, show
from mailward.cli.names import complete_server, named
from mailward.model.holds import HoldKind

_BY = "by"
"""In the data of an announced upgrade: which installer announced it."""


@click.group("maintenance")
def maintenance() -> None:
    """
    Announce work on a server: no action is taken there, nobody is called, load balancers send clients elsewhere.

    Probes go on. It ends by itself, or with `stop`, and what was measured is then looked at anew at once.
    """


@maintenance.command("start")
@click.argument("server", callback=named, shell_complete=complete_server)
@held.why_option
@held.at_option
@held.end_options
@held.rehearsal_option
@socket_option
def start_(
    *,
    server: str,
    reason: str,
    at: datetime | None,
    lasts: timedelta | None,
    until: datetime | None,
    dry_run: bool,
) -> None:
    """Begin maintenance of a server, now or at a later moment."""
    subject = held.known_server(server)
    wanted = held.a_hold(HoldKind.MAINTENANCE, subject, reason=reason, at=at, lasts=lasts, until=until)
    held.put_in_place(wanted, dry_run=dry_run)


@maintenance.command("stop")
@click.argument("server", callback=named, shell_complete=complete_server)
@held.rehearsal_option
@socket_option
def stop_(*, server: str, dry_run: bool) -> None:
    """End the maintenance of a server, and take back what is scheduled for it."""
    subject = held.known_server(server)
    found = [hold for hold in manager().holds(subject=subject) if hold.kind is HoldKind.MAINTENANCE]
    held.take_back(found, dry_run=dry_run, nothing=f"{subject} is not in maintenance, and none is scheduled")


@maintenance.command("list")
@click.argument("server", required=False, callback=named, shell_complete=complete_server)
@click.option("--ended", is_flag=True, help="Also what is over, the newest first.")
@format_option()
@socket_option
def list_(*, server: str | None, ended: bool, form: Format) -> None:
    """
    Show everything that is held in place, and who holds it.

    Maintenance, pauses, repairs, component states, upgrades and blocked activation. `mailward override list` shows
    overrides.
    """
    subject = None if server is None else held.known_server(server)
    found = [hold for hold in manager().holds(subject=subject, ended=ended) if hold.kind is not HoldKind.OVERRIDE]
    show(found, held.COLUMNS, form)
    if not found:
        click.echo(f"mailward: nothing is held{f' on {subject}' if subject else ''}", err=True)


@maintenance.group("upgrade")
def upgrade() -> None:
    """
    Announce a package upgrade, which starts and stops services itself; for installers.

    An upgrade that is never said to have ended ends by itself.
    """


@upgrade.command("begin")
@click.argument("server", required=False, callback=named, shell_complete=complete_server)
@click.option("--by", "installer", default="apt", show_default=True, metavar="NAME", help="Which installer is at work.")
@click.option("--reason", metavar="TEXT", default="packages are being installed", show_default=True, help="Why.")
@held.end_options
@held.rehearsal_option
@socket_option
def begin_(
    *,
    server: str | None,
    installer: str,
    reason: str,
    lasts: timedelta | None,
    until: datetime | None,
    dry_run: bool,
) -> None:
    """Say that an upgrade begins on SERVER, by default the server of this machine's name; for an hour at most."""
    subject = _this_server(server)
    if lasts is None and until is None:
        lasts = timedelta(hours=1)
    wanted = held.a_hold(HoldKind.UPGRADE, subject, reason=reason, lasts=lasts, until=until, data={_BY: installer})
    held.put_in_place(wanted, dry_run=dry_run)


@upgrade.command("end")
@click.argument("server", required=False, callback=named, shell_complete=complete_server)
@click.option("--by", "installer", default="apt", show_default=True, metavar="NAME", help="Which installer is done.")
@held.rehearsal_option
@socket_option
def end_(*, server: str | None, installer: str, dry_run: bool) -> None:
    """Say that the upgrades which this installer announced are over."""
    subject = _this_server(server)
    found = [
        hold
        for hold in manager().holds(subject=subject)
        if hold.kind is HoldKind.UPGRADE and hold.data.get(_BY) == installer
    ]
    held.take_back(found, dry_run=dry_run, nothing=f"{installer} has announced no upgrade of {subject}")


def _this_server(name: str | None) -> str:
    return held.known_server(name or socket.gethostname())
