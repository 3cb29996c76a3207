"""`mailward health`: the monitors, worst first (Get-ServerHealth)."""

import click

from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_lines
from mailward.cli.health_table import COLUMNS, why_lines
from mailward.cli.names import complete_health_set, complete_server, named
from mailward.model.monitoring import AlertValue


@click.command("health")
@click.argument("server", required=False, callback=named, shell_complete=complete_server)
@click.option(
    "--health-set", metavar="GLOB", shell_complete=complete_health_set, help="IMAP, or 'IMAP*' for all three."
)
@click.option(
    "--state",
    type=click.Choice([state.value for state in AlertValue], case_sensitive=False),
    help="Only monitors in this state.",
)
@click.option("--watch", is_flag=True, help="Keep showing it as it changes, until Ctrl-C.")
@click.option("--exit-code", is_flag=True, help="Exit with 2 when anything shown is Unhealthy.")
@format_option()
@socket_option
def health(
    *, server: str | None, health_set: str | None, state: str | None, watch: bool, exit_code: bool, form: Format
) -> None:
    """
    Show the monitors, worst first.

    A health set without wildcard matches exactly; 'IMAP*' matches IMAP, IMAP.Protocol and IMAP.Proxy.
    """
    if watch:
        if form is not Format.TABLE:
            raise click.UsageError("--watch shows a table; for a program, `mailward events --follow --format json`")
        from mailward.cli.watch import watch_health

        watch_health(manager(), server=server, health_set=health_set, state=state)
        return
    rows = manager().health(server=server, health_set=health_set, state=state)
    if not rows:
        show(rows, COLUMNS, Format.JSON) if form is Format.JSON else None
        nothing_matches(f"monitor of health set {health_set!r}" if health_set else "monitor", server, state)
    reader = show(rows, COLUMNS, form)
    if form is Format.TABLE:
        show_lines(why_lines(rows, reader))
    if exit_code and any(row.alert_value is AlertValue.UNHEALTHY for row in rows):
        raise click.exceptions.Exit(ExitCode.UNHEALTHY)


def nothing_matches(what: str, server: str | None = None, state: str | None = None) -> None:
    """End the command because its filter left nothing."""
    where = f" on {server}" if server else ""
    how = f" is {state}" if state else " matches"
    click.echo(f"mailward: no {what}{where}{how}", err=True)
    raise click.exceptions.Exit(ExitCode.FAILED)
