"""`mailward report`: the health sets of each server, or over groups of servers (Get-HealthReport)."""

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show
from mailward.cli.names import complete_server, named
from mailward.cli.states import colour_of, moment_text
from mailward.model.health import HealthSetReport, RollupReport
from mailward.model.monitoring import AlertValue

COLUMNS: tuple[Column[HealthSetReport], ...] = (
    Column(title="Server", text=lambda row: row.server),
    Column(title="State", text=lambda row: row.state.value, shed=2),
    Column(title="HealthSet", text=lambda row: row.health_set),
    Column(title="AlertValue", text=lambda row: row.alert_value.value, colour=lambda row: colour_of(row.alert_value)),
    Column(title="LastTransitionTime", text=lambda row: moment_text(row.last_transition), shed=3),
    Column(title="MonitorCount", text=lambda row: str(row.monitor_count), right=True, shed=1),
    Column(title="HealthGroup", text=lambda row: row.group.value, list_only=True),
    Column(title="Because", text=lambda row: row.because, list_only=True),
)
ROLLUP_COLUMNS: tuple[Column[RollupReport], ...] = (
    Column(title="Group", text=lambda row: row.group),
    Column(title="HealthSet", text=lambda row: row.health_set),
    Column(title="AlertValue", text=lambda row: row.alert_value.value, colour=lambda row: colour_of(row.alert_value)),
    Column(title="Healthy", text=lambda row: f"{row.healthy_servers}/{row.servers}", right=True),
    Column(title="Because", text=lambda row: row.because, folds=True, shed=1),
)


@click.command("report")
@click.argument("server", required=False, callback=named, shell_complete=complete_server)
@click.option("--rollup", is_flag=True, help="Over groups of servers instead of each server.")
@click.option(
    "--minimum-online-percent",
    type=click.IntRange(0, 100),
    default=70,
    show_default=True,
    help="With --rollup: a group with fewer healthy servers is Unhealthy.",
)
@click.option(
    "--group-size",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    help="With --rollup: servers in a group.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 2 when anything shown is Unhealthy.")
@format_option()
@socket_option
def report(
    *,
    server: str | None,
    rollup: bool,
    minimum_online_percent: int,
    group_size: int,
    exit_code: bool,
    form: Format,
) -> None:
    """Show the health sets of each server.

    A health set is as healthy as its worst monitor."""
    if rollup and server:
        raise click.UsageError("--rollup is over groups of servers; leave out SERVER")
    worst: list[AlertValue]
    if rollup:
        groups = manager().rollup(minimum_online_percent=minimum_online_percent, group_size=group_size)
        show(groups, ROLLUP_COLUMNS, form)
        worst = [row.alert_value for row in groups]
    else:
        sets = manager().report(server=server)
        show(sets, COLUMNS, form)
        worst = [row.alert_value for row in sets]
    if not worst:
        click.echo("mailward: there are no health sets" + (f" on {server}" if server else ""), err=True)
        raise click.exceptions.Exit(ExitCode.FAILED)
    if exit_code and AlertValue.UNHEALTHY in worst:
        raise click.exceptions.Exit(ExitCode.UNHEALTHY)
