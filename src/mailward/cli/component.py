"""`mailward component`: whether servers take part in the service, and who keeps them from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from mailward.cli import held
from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.formats import Format, format_option, show, show_json
from mailward.cli.names import complete_server, named
from mailward.cli.states import moment_text
from mailward.cli.terminal import Colour, printable
from mailward.health.components import ComponentStanding, component_standing
from mailward.model.errors import NotFound
from mailward.model.health import HealthSetReport
from mailward.model.holds import Component, HeldState, Hold, HoldKind, Requester
from mailward.model.items import IMAP_PROTOCOL, IMAP_PROXY
from mailward.model.wire import listing

_COLOURS = {HeldState.ACTIVE: Colour.GOOD, HeldState.INACTIVE: Colour.BAD, HeldState.DRAINING: Colour.WARN}
_OWN = {IMAP_PROXY: Component.IMAP_PROXY, IMAP_PROTOCOL: Component.IMAP}
"""Health set -> the component of a server that has it."""
_EVERYWHERE = (Component.SERVER_WIDE_OFFLINE, Component.RECOVERY_ACTIONS_ENABLED, Component.MONITORING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One row: a component, and one of those who hold it."""

    standing: ComponentStanding
    holder: Hold | None


COLUMNS: tuple[Column[Entry], ...] = (
    Column(title="Server", text=lambda entry: entry.standing.server),
    Column(title="Component", text=lambda entry: entry.standing.component.value),
    Column(
        title="State",
        text=lambda entry: entry.standing.state.value,
        colour=lambda entry: _COLOURS[entry.standing.state],
    ),
    Column(title="HeldBy", text=lambda entry: entry.holder.owner if entry.holder else ""),
    Column(title="For", text=lambda entry: _for(entry.holder), shed=1),
    Column(title="Since", text=lambda entry: moment_text(entry.holder.since) if entry.holder else "", shed=3),
    Column(title="Until", text=lambda entry: held.until_text(entry.holder) if entry.holder else "", shed=2),
    Column(title="Reason", text=lambda entry: entry.holder.reason if entry.holder else "", folds=True, shed=4),
    Column(title="Hold", text=lambda entry: str(entry.holder.id) if entry.holder else "", list_only=True),
)


@click.group("component")
def component() -> None:
    """
    Show and set component states [Get-, Set-ServerComponentState].

    Several requesters may each hold an entry: any Inactive wins, then any Draining, and only the requester who set an
    entry clears it.
    """


@component.command("get")
@click.argument("server", required=False, callback=named, shell_complete=complete_server)
@format_option()
@socket_option
def get_(*, server: str | None, form: Format) -> None:
    """Show each component of the servers, with everybody who holds it."""
    standings = _standings(manager().report(server=server), manager().holds(), held.now())
    if not standings:
        raise NotFound(f"{server} has no components: it is no server" if server else "there are no servers")
    if form is Format.JSON:
        show_json(listing(standings))
        return
    show([Entry(standing=one, holder=holder) for one in standings for holder in one.holders or (None,)], COLUMNS, form)


@component.command("set")
@click.argument("server", callback=named, shell_complete=complete_server)
@click.argument("name", metavar="COMPONENT", type=click.Choice([one.value for one in Component], case_sensitive=False))
@click.argument("state", metavar="STATE", type=click.Choice([one.value for one in HeldState], case_sensitive=False))
@click.option(
    "--requester",
    type=click.Choice([one.value for one in Requester], case_sensitive=False),
    required=True,
    help="For whom; only the same requester clears it.",
)
@held.why_option
@held.end_options
@held.rehearsal_option
@socket_option
def set_(
    *,
    server: str,
    name: str,
    state: str,
    requester: str,
    reason: str,
    lasts: timedelta | None,
    until: datetime | None,
    dry_run: bool,
) -> None:
    """
    Set a component Active, Inactive or Draining.

    COMPONENT is ImapProxy, Imap, ServerWideOffline, RecoveryActionsEnabled or Monitoring. Active takes back the entry
    of the same requester; entries of others stay, and are named.
    """
    subject = f"{held.known_server(server)}/{name}"
    wanted = held.a_hold(
        HoldKind.COMPONENT_STATE,
        subject,
        value=state,
        reason=reason,
        lasts=lasts,
        until=until,
        requester=Requester(requester),
    )
    if held.put_in_place(wanted, dry_run=dry_run) is None:
        return
    where, _, which = subject.partition("/")
    left = component_standing(where, Component(which), holds=manager().holds(), now=held.now())
    if left.state.value != state or (left.state is HeldState.ACTIVE):
        click.echo(f"{which} of {where} is {left.state.value}: {printable(left.because)}")


def _standings(rows: Iterable[HealthSetReport], holds: Sequence[Hold], now: datetime) -> tuple[ComponentStanding, ...]:
    """The components of every server, by name; which ones a server has its health sets say."""
    own: dict[str, list[Component]] = {}
    for row in rows:
        if row.health_set in _OWN:
            own.setdefault(row.server, []).append(_OWN[row.health_set])
    return tuple(
        component_standing(server, one, holds=holds, now=now)
        for server in sorted(own)
        for one in (*sorted(own[server], key=list(Component).index), *_EVERYWHERE)
    )


def _for(holder: Hold | None) -> str:
    if holder is None:
        return ""
    return holder.requester.value if holder.requester is not None else holder.kind.value
