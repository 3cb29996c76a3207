"""
The weekly report of an organization that does not let mailward act by itself: what it would have done.

Whoever reads it decides whether to let it; an empty week is told too, because silence looks like a broken report.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from mailward.alerts.layout import command_lines, paragraph
from mailward.model.alerting import Alert, AlertStatus, Notice, Urgency
from mailward.model.channels import Channel, ChannelKind
from mailward.model.durations import moment_words
from mailward.model.recovery import Mode, Operation

WEEK = timedelta(days=7)
HOUR = 7
"""On Monday from this hour on, UTC: read with the first coffee."""
_PEOPLE = frozenset({ChannelKind.SMTP, ChannelKind.WEBHOOK})


def is_due(now: datetime, *, mode: Mode) -> bool:
    """Whether this is the morning on which the report goes out; the outbox takes each week's once."""
    return mode in (Mode.RECOMMEND, Mode.APPROVE) and now.weekday() == 0 and now.hour >= HOUR


def weekly_report(
    operations: Iterable[Operation], channels: Sequence[Channel], *, organization: str, now: datetime
) -> tuple[Alert, tuple[Notice, ...]]:
    """
    The report of the last seven days, and a notice of it for every channel that people read.

    Args:
        operations: Those of the week; the ones that recommended nothing are passed over.
        channels: As configured.
        organization: Its name.
        now: The present moment.
    """
    year, week, _ = now.isocalendar()
    found = [(operation, entry) for operation in operations for entry in _recommended(operation)]
    title = f"{organization}: mailward would have acted {_times(len(found))} last week"
    alert = Alert(
        key=f"weekly report/{year}-W{week:02}",
        status=AlertStatus.RESOLVED,
        urgency=Urgency.INFO,
        title=title,
        text="\n".join(_lines(title, found)),
        starts_at=now - WEEK,
        ends_at=now,
        labels={"alertname": "MailwardWeeklyReport", "organization": organization},
    )
    notices = tuple(
        Notice(
            channel=channel.name,
            identity=f"{alert.key}/{channel.name}",
            alert=alert,
            created_at=now,
            next_try=now,
        )
        for channel in channels
        if channel.kind in _PEOPLE and not channel.urgent_only
    )
    return alert, notices


def _recommended(operation: Operation) -> list[Mapping[str, object]]:
    listed = operation.data.get("recommended")
    return [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list | tuple) else []


def _lines(title: str, found: Sequence[tuple[Operation, Mapping[str, object]]]) -> Iterable[str]:
    yield title
    yield ""
    if not found:
        yield from paragraph("Nothing broke that mailward could have mended. It goes on watching.")
    for operation, entry in found:
        when = moment_words(operation.started_at)
        yield from paragraph(f"{when}: {entry.get('step')} on {entry.get('server')}", first="- ")
        command = entry.get("command")
        if isinstance(command, list | tuple) and command:
            yield from command_lines([str(word) for word in command], indent="    ")
        yield from paragraph(f"{operation.status.value}: mailward why {operation.id}", first="  ")
    yield ""
    yield from paragraph(
        "To let it act by itself, class by class: [recovery] mode and [recovery.classes] in mailward.toml."
        " The report as a command: mailward recommendations --since 7d"
    )


def _times(count: int) -> str:
    return {0: "not once", 1: "once", 2: "twice"}.get(count, f"{count} times")
