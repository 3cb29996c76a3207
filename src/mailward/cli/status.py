"""`mailward status`: how the manager itself is doing, and how far it goes by itself."""

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.formats import Format, format_option, show, show_one_as_json
from mailward.cli.states import moment_text
from mailward.cli.terminal import Colour
from mailward.model.recovery import Mode
from mailward.ports.manager import ManagerStatus


def acts_text(status: ManagerStatus) -> str:
    """Whether this manager does anything by itself."""
    if status.stopped or not status.leads:
        return "no"
    return {Mode.ACT.value: "yes", Mode.APPROVE.value: "when a person says yes"}.get(status.mode, "no")


COLUMNS: tuple[Column[ManagerStatus], ...] = (
    Column(title="Organization", text=lambda one: one.organization),
    Column(title="Mode", text=lambda one: one.mode),
    Column(
        title="Acts",
        text=acts_text,
        colour=lambda one: Colour.GOOD if acts_text(one) != "no" else Colour.WARN,
    ),
    Column(title="Stopped", text=lambda one: one.stopped or "", list_only=True, colour=lambda _: Colour.WARN),
    Column(title="Leads", text=lambda one: "yes" if one.leads else "no", list_only=True),
    Column(title="Servers", text=lambda one: str(one.servers), right=True, shed=2),
    Column(title="Monitors", text=lambda one: str(one.monitors), right=True, shed=3),
    Column(
        title="Unhealthy",
        text=lambda one: str(one.unhealthy),
        right=True,
        colour=lambda one: Colour.BAD if one.unhealthy else Colour.GOOD,
    ),
    Column(title="ProbesLate", text=lambda one: str(one.probes_late), right=True, shed=5),
    Column(title="Store", text=lambda one: "reachable" if one.store_reachable else "lost", shed=1),
    Column(title="PendingResults", text=lambda one: str(one.pending_results), list_only=True),
    Column(title="StartedAt", text=lambda one: moment_text(one.started_at), list_only=True),
    Column(title="ConfigurationLoadedAt", text=lambda one: moment_text(one.configuration_loaded_at), list_only=True),
    Column(title="ConfigurationError", text=lambda one: one.configuration_error or "", list_only=True),
    Column(title="Version", text=lambda one: one.version, shed=4),
)


@click.command("status")
@format_option(Format.LIST)
@socket_option
def status(*, form: Format) -> None:
    """Show how the manager itself is doing, and how far it goes."""
    found = manager().status()
    if form is Format.JSON:
        show_one_as_json(found)
    else:
        show([found], COLUMNS, form)
