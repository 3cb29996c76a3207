"""
When people are told: once when it is new, when it became more urgent, again after a while, and when it is over.

Repeats back off: each one without news doubles the wait for the next, up to a day. An alert whose monitors are well is
over only after they were well for the group wait, so that a monitor that dips does not make pairs of notices.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from mailward.alerts.settings import EscalationSettings
from mailward.alerts.urgency import ESCALATED
from mailward.model.alerting import Turns, Urgency

LONGEST = timedelta(hours=24)
"""Repeats come at least so often, however long nothing changes; a longer `repeat_after` is kept."""
_ORDER = (Urgency.INFO, Urgency.WARNING, Urgency.CRITICAL)


class News(Enum):
    """Why people are told now."""

    NEW = "new"
    MORE_URGENT = "more urgent"
    REPEATED = "repeated"


def news(
    turns: Turns,
    *,
    urgency: Urgency,
    standing: str,
    starts_at: datetime,
    now: datetime,
    settings: EscalationSettings,
) -> News | None:
    """Whether a firing alert is told now, and as what; None when there is nothing to tell."""
    if turns.urgency is None or turns.last_at is None:
        return News.NEW if now - starts_at >= settings.group_wait else None
    if is_higher(urgency, turns.urgency) or _asks_for_more(standing, turns.standing):
        return News.MORE_URGENT
    wait = min(settings.repeat_after * 2 ** min(turns.repeats, 10), max(LONGEST, settings.repeat_after))
    return News.REPEATED if now - turns.last_at >= wait else None


def after_telling(turns: Turns, what: News, *, urgency: Urgency, standing: str, now: datetime) -> Turns:
    """The turns after people were told."""
    return replace(
        turns,
        number=turns.number + 1,
        last_at=now,
        urgency=urgency if turns.urgency is None or is_higher(urgency, turns.urgency) else turns.urgency,
        standing=standing or turns.standing,
        repeats=turns.repeats + 1 if what is News.REPEATED else 0,
    )


def is_higher(one: Urgency, other: Urgency) -> bool:
    """Whether *one* is more urgent than *other*."""
    return _ORDER.index(one) > _ORDER.index(other)


def _asks_for_more(standing: str, told_standing: str) -> bool:
    """Every question is asked once; that a person is needed is told once, unless a question has said so already."""
    if not standing or standing == told_standing:
        return False
    return standing != ESCALATED or told_standing == ""
