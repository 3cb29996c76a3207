"""`mailward availability`: how much of a month users were served, as one asks for it at the month's end."""

from datetime import timedelta

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.formats import Format, format_option, show, show_one_as_json
from mailward.model.availability import Availability
from mailward.model.durations import spoken
from mailward.model.wire import moment_to_text
from mailward.platforms.local.system_clock import SystemClock

COLUMNS: tuple[Column[Availability], ...] = (
    Column(title="Server", text=lambda row: row.server),
    Column(title="HealthSet", text=lambda row: row.health_set),
    Column(title="Percent", text=lambda row: _percent(row.percent), right=True),
    Column(title="Down", text=lambda row: _span(row.down), right=True),
    Column(title="Up", text=lambda row: _span(row.up), right=True, shed=3),
    Column(title="SetAside", text=lambda row: _span(row.set_aside), right=True, shed=2),
    Column(title="NotMeasured", text=lambda row: _span(row.not_measured), right=True, shed=1),
)


def _percent(percent: float | None) -> str:
    """Never rounded up to 100; nothing where nothing was measured."""
    return "" if percent is None else f"{int(percent * 1000) / 1000:.3f}"


def _span(span: timedelta) -> str:
    return spoken(span) if span else ""


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
