"""`mailward override`: one property of one item has another value for a while (Add-ServerMonitoringOverride)."""

from dataclasses import replace
from datetime import datetime, timedelta

import click

from mailward.cli import held
from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show
from mailward.cli.names import complete_item, complete_server, named
from mailward.model.errors import NotFound
from mailward.model.holds import EVERY_SERVER, Hold, HoldKind
from mailward.monitors.overrides import ITEM_TYPES, PROBE

COLUMNS: tuple[Column[Hold], ...] = (
    Column(title="Id", text=lambda hold: str(hold.id), right=True),
    Column(title="Server", text=lambda hold: hold.subject.partition("/")[0]),
    Column(title="Identity", text=lambda hold: hold.subject.partition("/")[2], shortens=True),
    Column(title="ItemType", text=lambda hold: str(hold.data.get("item_type", "")), shed=3),
    Column(title="Property", text=lambda hold: str(hold.data.get("property", ""))),
    Column(title="Value", text=lambda hold: hold.value),
    Column(title="State", text=held.standing, shed=4),
    Column(title="Until", text=held.until_text, shed=1),
    Column(title="By", text=lambda hold: hold.owner, shed=2),
    Column(title="Reason", text=lambda hold: hold.reason, folds=True, shed=5),
    *(column for column in held.COLUMNS if column.list_only),
)


@click.group("override")
def override() -> None:
    """
    Change one property of a probe, monitor or responder for a while [Add-, Get-, Remove-ServerMonitoringOverride].

    In force within a second, ending by itself. What is to stay belongs into the configuration.
    """


@override.command("add")
@click.argument("identity", shell_complete=complete_item)
@click.option(
    "--server",
    metavar="S",
    required=True,
    callback=named,
    shell_complete=complete_server,
    help="On which server; '*' for all.",
)
@click.option("--item-type", type=click.Choice(ITEM_TYPES, case_sensitive=False), required=True, help="What it is.")
@click.option("--property", "name", metavar="P", required=True, help="Which property, named as in the configuration.")
@click.option("--value", metavar="V", required=True, help="Its value, written as in the configuration.")
@held.why_option
@held.end_options
@held.rehearsal_option
@socket_option
def add_(
    *,
    identity: str,
    server: str,
    item_type: str,
    name: str,
    value: str,
    reason: str,
    lasts: timedelta | None,
    until: datetime | None,
    dry_run: bool,
) -> None:
    """
    Give one property of IDENTITY, HEALTHSET/ITEM[/TARGET], another value.

    Probes have enabled, interval, timeout; monitors what `[monitors.ITEM]` has in a configuration, such as enabled,
    grace or percent.minimum_percent. A responder is named by its monitor, HEALTHSET/* or '*'; its properties are the
    classes of action (start, reload, restart, access-point, move, server-restart) and mode for all of them; the value
    is observe, recommend, approve or act.
    """
    from mailward.cli.identity import mended

    if lasts is None and until is None:
        raise click.UsageError("give --for or --until: an override ends by itself")
    where = EVERY_SERVER if server == EVERY_SERVER else held.known_server(server)
    wanted = held.a_hold(
        HoldKind.OVERRIDE,
        f"{where}/{mended(identity) or identity}",
        value=value,
        reason=reason,
        lasts=lasts,
        until=until,
        data={"item_type": item_type.lower(), "property": name},
    )
    held.put_in_place(_checked(wanted) if dry_run else wanted, dry_run=dry_run)


@override.command("list")
@click.option(
    "--server", metavar="S", callback=named, shell_complete=complete_server, help="Only those of this server, or '*'."
)
@click.option("--ended", is_flag=True, help="Also those that are over, the newest first.")
@format_option()
@socket_option
def list_(*, server: str | None, ended: bool, form: Format) -> None:
    """Show the overrides, who set them and when they end."""
    subject = server if server in (None, EVERY_SERVER) else held.known_server(server)
    found = [hold for hold in manager().holds(subject=subject, ended=ended) if hold.kind is HoldKind.OVERRIDE]
    show(found, COLUMNS, form)
    if not found:
        click.echo(f"mailward: no override{f' of {subject}' if subject else ''}", err=True)
        if subject:
            raise click.exceptions.Exit(ExitCode.FAILED)


@override.command("remove")
@click.argument("number", metavar="ID", type=click.IntRange(1))
@held.rehearsal_option
@socket_option
def remove_(*, number: int, dry_run: bool) -> None:
    """End an override before its time."""
    found = [hold for hold in manager().holds() if hold.id == number]
    if found and found[0].kind is not HoldKind.OVERRIDE:
        raise NotFound(f"hold {number} is no override but {found[0].kind.value} of {found[0].subject}")
    held.take_back(found, dry_run=dry_run, nothing=f"there is no override {number}; `mailward override list`")


def _checked(wanted: Hold) -> Hold:
    """
    The override as the manager would store it, which a rehearsal does not ask.

    Raises:
        NotFound: There is no such item or property.
        Refused: The value cannot be.
    """
    from mailward.monitors.checking_holds import check_words

    scope, name, value = check_words(wanted)
    kind = "Probe" if wanted.data["item_type"] == PROBE else "Monitor"
    known = manager().items(server=None if scope.server == EVERY_SERVER else scope.server)
    identities = (item.identity.split("/", 1)[0] for item in known)
    there = [
        item
        for item, health_set in zip(known, identities, strict=True)
        if item.item_type == kind and scope.covers(item.server, health_set, item.name, item.target_resource)
    ]
    if not there:
        raise NotFound(f"{scope} meets nothing; `mailward items` lists what there is")
    return replace(wanted, subject=str(scope), value=value, data={**wanted.data, "property": name})
