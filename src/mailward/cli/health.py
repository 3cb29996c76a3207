"""`mailward health`: the monitors, worst first (Get-ServerHealth)."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_lines
from mailward.cli.names import complete_health_set, complete_server
from mailward.cli.states import colour_of, fault_text, moment_text, needs_a_look
from mailward.cli.terminal import Colour, Terminal, printable
from mailward.model.health import MonitorHealth
from mailward.model.monitoring import AlertValue

COLUMNS: tuple[Column[MonitorHealth], ...] = (
    Column(title="Server", text=lambda row: row.server),
    Column(title="State", text=lambda row: row.state.value, shed=2),
    Column(title="Name", text=lambda row: row.name),
    Column(title="TargetResource", text=lambda row: row.target_resource, shortens=True),
    Column(title="HealthSetName", text=lambda row: row.health_set_name, shed=1),
    Column(title="AlertValue", text=lambda row: row.alert_value.value, colour=lambda row: colour_of(row.alert_value)),
    Column(title="ServerComponent", text=lambda row: row.server_component or "", shed=3),
    Column(title="Since", text=lambda row: moment_text(row.since), list_only=True),
    Column(title="Because", text=lambda row: row.because, list_only=True),
    Column(title="Fault", text=lambda row: fault_text(row.verdict) if row.verdict else "", list_only=True),
    Column(title="Verdict", text=lambda row: row.verdict.because if row.verdict else "", list_only=True),
    Column(title="_Mbx", text=lambda row: row.mailbox_server or "", list_only=True),
    Column(title="LastResult", text=lambda row: moment_text(row.last_result_at), list_only=True),
    Column(title="Flapping", text=lambda row: "yes" if row.flapping else "", list_only=True),
)
_TARGETS_MAX = 6
_MONITORS_MAX = 4
_WORD_WIDTH = 100
"""Sentences are wrapped here even on wider terminals: longer lines are hard to read."""


@click.command("health")
@click.argument("server", required=False, shell_complete=complete_server)
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


def why_lines(rows: Sequence[MonitorHealth], reader: Terminal) -> Iterator[str]:
    """Yield, below the table, each reason once with the monitors it holds for; nothing when all is well."""
    bad = [row for row in rows if needs_a_look(row.alert_value)]
    width = min(reader.width or _WORD_WIDTH, _WORD_WIDTH)
    for because, group in groupby(sorted(bad, key=_reason), key=_reason):
        alike = list(group)
        worst = alike[0]
        yield ""
        mark = reader.paint("✗", colour_of(worst.alert_value))
        lines = wrap(printable(because), width - 2)
        yield f"{mark} {lines[0] if lines else ''}"
        yield from (f"  {line}" for line in lines[1:])
        if worst.verdict:
            yield reader.paint(f"  fault: {fault_text(worst.verdict)}", Colour.STRONG)
        since = moment_text(min(row.since for row in alike))
        for line in wrap(f"since {since}: {_names(alike)}", width - 2, break_on_hyphens=False):
            yield reader.paint(f"  {line}", Colour.FAINT)


def _names(rows: Sequence[MonitorHealth]) -> str:
    """The monitors of *rows* by server and name, each with its targets."""
    targets: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        targets.setdefault((row.server, row.name), []).append(row.target_resource)
    parts = [
        f"{server} {name}" if found == [server] else f"{server} {name} {', '.join(found[:_TARGETS_MAX])}{_more(found)}"
        for (server, name), found in targets.items()
    ]
    return "; ".join(parts[:_MONITORS_MAX]) + (
        f"; and {len(parts) - _MONITORS_MAX} more" if parts[_MONITORS_MAX:] else ""
    )


def _more(targets: Sequence[str]) -> str:
    return f" and {len(targets) - _TARGETS_MAX} more" if targets[_TARGETS_MAX:] else ""


def _reason(row: MonitorHealth) -> str:
    return row.verdict.because if row.verdict else row.because
