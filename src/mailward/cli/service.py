"""`mailward service`: look at the IMAP service of a server, and control it by hand, through the same gates."""

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.formats import Format, format_option, show, show_one_as_json
from mailward.cli.names import complete_server, named
from mailward.cli.orders import carry_out, order_options
from mailward.cli.states import moment_text
from mailward.cli.terminal import Colour
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.ports.service_control import ServiceDeed

_COLOURS = {
    ServiceState.RUNNING: Colour.GOOD,
    ServiceState.FAILED: Colour.BAD,
    ServiceState.HUNG: Colour.BAD,
    ServiceState.STOPPED: Colour.WARN,
    ServiceState.UNKNOWN: Colour.WARN,
}
_ASKED = (ServiceDeed.STOP, ServiceDeed.RESTART)
"""Deeds that end the sessions of users."""

COLUMNS: tuple[Column[ServiceStatus], ...] = (
    Column(title="State", text=lambda one: one.state.value, colour=lambda one: _COLOURS[one.state]),
    Column(title="Since", text=lambda one: moment_text(one.since), shed=1),
    Column(title="Pid", text=lambda one: str(one.pid or ""), right=True, shed=2),
    Column(title="Starts", text=lambda one: "" if one.starts is None else str(one.starts), right=True, shed=3),
    Column(title="Because", text=lambda one: one.because, folds=True, shed=1),
    Column(title="InKernel", text=lambda one: "yes" if one.in_kernel else "", list_only=True),
)


@click.group("service")
def service() -> None:
    """
    Look at the IMAP service of a server, and control it.

    Every order goes through the same gates as mailward's own actions, and is recorded with who and why.
    """


@service.command("status")
@click.argument("server", callback=named, shell_complete=complete_server)
@format_option(Format.LIST)
@socket_option
def status_(*, server: str, form: Format) -> None:
    """Show the service as its host says now."""
    found = manager().service(server)
    if form is Format.JSON:
        show_one_as_json(found)
    else:
        show([found], COLUMNS, form)


@service.command("start")
@click.argument("server", callback=named, shell_complete=complete_server)
@order_options
@socket_option
def start_(*, server: str, dry_run: bool, force: bool, reason: str, yes: bool) -> None:
    """Start the service. Starting one that runs changes nothing."""
    _control(server, ServiceDeed.START, dry_run=dry_run, force=force, reason=reason, yes=yes)


@service.command("stop")
@click.argument("server", callback=named, shell_complete=complete_server)
@order_options
@socket_option
def stop_(*, server: str, dry_run: bool, force: bool, reason: str, yes: bool) -> None:
    """Stop the service on purpose; mailward leaves it alone until it is started."""
    _control(server, ServiceDeed.STOP, dry_run=dry_run, force=force, reason=reason, yes=yes)


@service.command("restart")
@click.argument("server", callback=named, shell_complete=complete_server)
@order_options
@socket_option
def restart_(*, server: str, dry_run: bool, force: bool, reason: str, yes: bool) -> None:
    """Stop and start the service. Every session on it ends."""
    _control(server, ServiceDeed.RESTART, dry_run=dry_run, force=force, reason=reason, yes=yes)


@service.command("reload")
@click.argument("server", callback=named, shell_complete=complete_server)
@order_options
@socket_option
def reload_(*, server: str, dry_run: bool, force: bool, reason: str, yes: bool) -> None:
    """Have the service read configuration and certificates again; sessions stay."""
    _control(server, ServiceDeed.RELOAD, dry_run=dry_run, force=force, reason=reason, yes=yes)


@service.command("enable")
@click.argument("server", callback=named, shell_complete=complete_server)
@order_options
@socket_option
def enable_(*, server: str, dry_run: bool, force: bool, reason: str, yes: bool) -> None:
    """Have the host start the service at boot."""
    _control(server, ServiceDeed.ENABLE, dry_run=dry_run, force=force, reason=reason, yes=yes)


def _control(server: str, deed: ServiceDeed, *, dry_run: bool, force: bool, reason: str, yes: bool) -> None:
    client = manager()
    carry_out(
        lambda rehearsal: client.control_service(server, deed, reason=reason, dry_run=rehearsal, force=force),
        f"{deed.value} the IMAP service of {server}",
        dry_run=dry_run,
        force=force,
        yes=yes,
        asks=deed in _ASKED,
    )
