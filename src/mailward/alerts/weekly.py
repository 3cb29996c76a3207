"""
The weekly report of an organization that does not let mailward act by itself: what it would have done.

Whoever reads it decides whether to let it; an empty week is told too, because silence looks like a broken report.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from mailward.alerts.language import ENGLISH, Language, Languages, language_of
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
    operations: Iterable[Operation],
    channels: Sequence[Channel],
    *,
    organization: str,
    now: datetime,
    language: Language = ENGLISH,
    languages: Languages | None = None,
) -> tuple[Alert, tuple[Notice, ...]]:
    """
    The report of the last seven days, and a notice of it for every channel that people read.

    Args:
        operations: Those of the week; the ones that recommended nothing are passed over.
        channels: As configured.
        organization: Its name.
        now: The present moment.
        language: In which it is kept.
        languages: Those of the channels.
    """
    year, week, _ = now.isocalendar()
    found = [(operation, entry) for operation in operations for entry in _recommended(operation)]
    key = f"weekly report/{year}-W{week:02}"

    def write(language: Language) -> Alert:
        times = _times(len(found), language)
        title = language.say(
            "{organization}: mailward would have acted {times} last week", organization=organization, times=times
        )
        return Alert(
            key=key,
            status=AlertStatus.RESOLVED,
            urgency=Urgency.INFO,
            title=title,
            text="\n".join(_lines(title, found, language)),
            starts_at=now - WEEK,
            ends_at=now,
            labels={"alertname": "MailwardWeeklyReport", "organization": organization},
        )

    notices = tuple(
        Notice(
            channel=channel.name,
            identity=f"{key}/{channel.name}",
            alert=write(language_of(languages or {}, channel.language)),
            created_at=now,
            next_try=now,
        )
        for channel in channels
        if channel.kind in _PEOPLE and not channel.urgent_only
    )
    return write(language), notices


def _recommended(operation: Operation) -> list[Mapping[str, object]]:
    listed = operation.data.get("recommended")
    return [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list | tuple) else []


def _lines(title: str, found: Sequence[tuple[Operation, Mapping[str, object]]], language: Language) -> Iterable[str]:
    say = language.say
    yield title
    yield ""
    if not found:
        yield from paragraph(say("Nothing broke that mailward could have mended. It goes on watching."))
    for operation, entry in found:
        what = say("{step} on {server}", step=say(str(entry.get("step"))), server=entry.get("server"))
        yield from paragraph(f"{moment_words(operation.started_at)}: {what}", first="- ")
        command = entry.get("command")
        if isinstance(command, list | tuple) and command:
            yield from command_lines([str(word) for word in command], indent="    ")
        yield from paragraph(f"{say(operation.status.value)}: mailward why {operation.id}", first="  ")
    yield ""
    yield from paragraph(
        say(
            "To let it act by itself, class by class: [recovery] mode and [recovery.classes] in mailward.toml."
            " The report as a command: {command}",
            command="mailward recommendations --since 7d",
        )
    )


def _times(count: int, language: Language) -> str:
    match count:
        case 0:
            return language.say("not once")
        case 1:
            return language.say("once")
        case 2:
            return language.say("twice")
    return language.say("{count} times", count=count)
