"""`mailward alerts`: what people are told now, one alert for each root cause."""

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.formats import Format, format_option, show
from mailward.cli.recovery_words import facts_text
from mailward.cli.states import moment_text
from mailward.cli.terminal import Colour
from mailward.model.alerting import Alert, Urgency

_COLOURS = {Urgency.CRITICAL: Colour.BAD, Urgency.WARNING: Colour.WARN, Urgency.INFO: Colour.NOTE}

COLUMNS: tuple[Column[Alert], ...] = (
    Column(title="Urgency", text=lambda alert: alert.urgency.value, colour=lambda alert: _COLOURS[alert.urgency]),
    Column(title="Since", text=lambda alert: moment_text(alert.starts_at), shed=1),
    Column(title="Title", text=lambda alert: alert.title, folds=True),
    Column(title="Recovery", text=lambda alert: str(alert.operation or ""), right=True, shed=2),
    Column(title="Documentation", text=lambda alert: alert.annotations.get("documentation", ""), folds=True, shed=3),
    Column(title="Status", text=lambda alert: alert.status.value, list_only=True),
    Column(title="Key", text=lambda alert: alert.key, list_only=True),
    Column(title="Text", text=lambda alert: alert.text, list_only=True),
    Column(title="Labels", text=lambda alert: facts_text(alert.labels), list_only=True),
    Column(title="Annotations", text=lambda alert: facts_text(alert.annotations), list_only=True),
)


@click.command("alerts")
@format_option()
@socket_option
def alerts(*, form: Format) -> None:
    """
    Show what people are told now, the most urgent first.

    Each with where its monitor is explained. --format list shows the whole text, in the organization's language.
    """
    firing = manager().alerts()
    show(firing, COLUMNS, form)
    if not firing:
        click.echo("mailward: nothing fires", err=True)
