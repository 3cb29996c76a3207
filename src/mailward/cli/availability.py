"""`mailward availability`: how much of a month users were served, as one asks for it at the month's end."""

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.formats import Format, format_option, show, show_one_as_json
from mailward.cli.states import duration_text
from mailward.model.availability import Availability
from mailward.model.wire import moment_to_text
from mailward.platforms.local.system_clock import SystemClock

COLUMNS: tuple[Column[Availability], ...] = (
    Column(title="Server", text=lambda row: row.server),
    Column(title="HealthSet", text=lambda row: row.health_set),
    Column(
        title="Percent", text=lambda row: "" if row.percent is None else f"{int(row.percent * 1000) / 1000}", right=True
    ),
    Column(title="Down", text=lambda row: duration_text(row.down) if row.down else "", right=True),
    Column(title="Up", text=lambda row: duration_text(row.up) if row.up else "", right=True, shed=3),
    Column(
        title="SetAside", text=lambda row: duration_text(row.set_aside) if row.set_aside else "", right=True, shed=2
    ),
    Column(
        title="NotMeasured",
        text=lambda row: duration_text(row.not_measured) if row.not_measured else "",
        right=True,
        shed=1,
    ),
)


@click.command("availability")
@click.option("--month", metavar="YYYY-MM", help="In UTC; default: this month.")
@format_option()
@socket_option
def availability(*, month: str | None, form: Format) -> None:
    """
    Show how much of a month each health set was up.

    Up is Healthy or Degraded, down Unhealthy. Maintenance and what somebody repairs are set aside, and what was not
    measured is counted neither way. --format json also has each outage, and the customer touch points together.
    """
    report = manager().availability(month or moment_to_text(SystemClock().now())[:7])
    if form is Format.JSON:
        show_one_as_json(report)
        return
    overall = () if report.overall is None else (report.overall,)
    show((*overall, *report.rows), COLUMNS, form)
