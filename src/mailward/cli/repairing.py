"""`mailward repairing`: say that somebody repairs what a monitor says (Set-ServerMonitor)."""

from datetime import datetime, timedelta

import click

from mailward.cli import held
from mailward.cli.connection import manager, socket_option
from mailward.cli.names import complete_item, complete_server, named
from mailward.model.holds import Hold, HoldKind
from mailward.model.identity import Identity, parse_identity
from mailward.model.items import MONITORS
from mailward.monitors.scope import scope_of


@click.group("repairing")
def repairing() -> None:
    """
    Mark monitors as Repairing, to tell what is being mended from what is new [Set-ServerMonitor].

    A monitor under repair calls nobody and leads to no action. When the repair ends it is Degraded until it has proven
    itself.
    """


_server_option = click.option(
    "--server", metavar="S", required=True, callback=named, shell_complete=complete_server, help="Whose monitor it is."
)


@repairing.command("on")
@click.argument("identity", shell_complete=complete_item)
@_server_option
@held.why_option
@held.end_options
@held.rehearsal_option
@socket_option
def on_(
    *, identity: str, server: str, reason: str, lasts: timedelta | None, until: datetime | None, dry_run: bool
) -> None:
    """
    Begin a repair: IDENTITY is HEALTHSET/MONITOR[/TARGET].

    The target may be left out where the server has only one.
    """
    named = _monitor(identity)
    subject = f"{held.known_server(server)}/{named}"
    held.put_in_place(
        held.a_hold(HoldKind.REPAIRING, subject, reason=reason, lasts=lasts, until=until), dry_run=dry_run
    )


@repairing.command("off")
@click.argument("identity", shell_complete=complete_item)
@_server_option
@held.rehearsal_option
@socket_option
def off_(*, identity: str, server: str, dry_run: bool) -> None:
    """End a repair; the monitor is probed at once and has to prove itself."""
    named, where = _monitor(identity), held.known_server(server)
    found = [hold for hold in manager().holds(subject=where) if _is_meant(hold, named)]
    held.take_back(found, dry_run=dry_run, nothing=f"{named} of {where} is not under repair")


def _monitor(text: str) -> Identity:
    """
    Read an identity; a monitor that is in one health set may be named alone.

    Raises:
        NotFound: There is no such item.
        click.UsageError: It is a probe, or in several health sets.
    """
    from mailward.cli.identity import mended

    named = parse_identity(mended(text) or text)
    home = next((one.health_sets for one in MONITORS if one.name == named.item), ())
    if not home:
        raise click.UsageError(f"{named.item} is a probe; what is under repair is a monitor")
    if named.health_set is None and len(home) > 1:
        raise click.UsageError(f"{named.item} is in {', '.join(home)}: write HEALTHSET/{named.item}")
    return named if named.health_set else Identity(item=named.item, health_set=home[0])


def _is_meant(hold: Hold, named: Identity) -> bool:
    scope = scope_of(hold.subject) if hold.kind is HoldKind.REPAIRING else None
    if scope is None or (scope.health_set, scope.item) != (named.health_set, named.item):
        return False
    return named.has_target(scope.target or "")
