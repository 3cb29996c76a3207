"""
The text of an escalation (design, "Escalation"), as it is read on a phone at night: the most important first.

Who is affected, what is broken and why we say so, what to do with the exact commands, what was tried and what the
gates said, the monitors and where they are explained, the last words on the wire, then the organization's own
guidelines and its support contact.
"""

from collections.abc import Sequence
from datetime import datetime

from mailward.alerts.grouping import cause_of_alert
from mailward.alerts.language import ENGLISH, Language, Message
from mailward.alerts.layout import clock_time, command_lines, listed, paragraph, span, verbatim
from mailward.alerts.links import page_of
from mailward.alerts.matter import Matter
from mailward.alerts.sections import MOST_DATABASES, Sections
from mailward.alerts.settings import EscalationSettings
from mailward.alerts.titles import what_is_broken
from mailward.alerts.urgency import Judgement
from mailward.model.alerting import Alert
from mailward.model.organization import Organization

_MOST_LINES = 12


def firing(
    title: str,
    matter: Matter,
    judgement: Judgement,
    *,
    organization: Organization,
    settings: EscalationSettings,
    now: datetime,
    language: Language = ENGLISH,
) -> str:
    """The text of an alert that fires; its first line is what the lock screen shows."""
    say = language.say
    write = Sections(organization, language, now)
    sections = (
        (say("WHO IS AFFECTED"), write.affected(matter)),
        (say("WHAT IS BROKEN"), write.broken(matter, judgement)),
        (say("WHAT TO DO"), write.to_do(matter, judgement)),
        *(
            (say("WHAT WAS TRIED: RECOVERY {number}", number=one.operation.id), write.tried(one))
            for one in matter.recoveries[:3]
        ),
        (say("MONITORS"), write.monitors(matter)),
        (say("WHAT THEY MEAN"), write.meanings(status.key.item for status in matter.statuses)),
        (say("LAST CONVERSATION"), verbatim(matter.excerpt.transcript[-_MOST_LINES:])),
        (say("PROTOCOL LOG"), verbatim(matter.excerpt.protocol_log[-_MOST_LINES:])),
        (say("GUIDELINES"), _own_words(settings.guidelines)),
        (say("SUPPORT"), _own_words(settings.support)),
    )
    return _page(title, page_of(matter.cause.key, organization.dashboard), sections)


def resolved(
    title: str,
    alert: Alert,
    because: Message,
    *,
    organization: Organization,
    ends_at: datetime,
    language: Language = ENGLISH,
) -> str:
    """The text of an alert that is over."""
    say = language.say
    write = Sections(organization, language, ends_at)
    what = what_is_broken(cause_of_alert(alert), language=language)
    when = say(
        "{what}: from {begin} to {end}, {span}.",
        what=what,
        begin=clock_time(alert.starts_at, ends_at, language),
        end=clock_time(ends_at, ends_at, language),
        span=span(ends_at - alert.starts_at, language),
    )
    over = [*paragraph(when), *paragraph(say("It is resolved because {reason}.", reason=because))]
    if alert.databases:
        names = listed(alert.databases, most=MOST_DATABASES, language=language)
        over += paragraph(say("Affected were {databases}.", databases=names))
    done: list[str] = []
    if alert.operation is not None:
        done = [*paragraph(say("What was done:")), *command_lines(("mailward", "why", str(alert.operation)))]
    meanings = write.meanings(key.item for key in alert.monitors)
    blocks = [
        "\n".join(lines) for lines in (over, done, [say("WHAT THEY MEAN"), *meanings] if meanings else []) if lines
    ]
    return _whole(title, page_of(alert.key, organization.dashboard), blocks)


def _page(title: str, link: str, sections: Sequence[tuple[str, Sequence[str]]]) -> str:
    return _whole(title, link, ["\n".join((heading, *lines)) for heading, lines in sections if lines])


def _whole(title: str, link: str, blocks: Sequence[str]) -> str:
    """A link stands alone on its line below the title: a phone opens what is on one line."""
    return "\n\n".join((title, *((link,) if link else ()), *blocks)) + "\n"


def _own_words(text: str) -> list[str]:
    return [line for part in text.splitlines() for line in paragraph(part)] if text.strip() else []
