"""What is told of health sets: the event of one that is no longer what it was."""

from collections.abc import Sequence
from datetime import datetime

from mailward.health.order import worst, worst_monitor
from mailward.health.sets import set_report
from mailward.model.event import Event, EventKind
from mailward.model.monitoring import MonitorStatus
from mailward.model.wire import to_plain


def health_set_changes(
    name: tuple[str, str],
    *,
    before: Sequence[MonitorStatus],
    after: Sequence[MonitorStatus],
    at: datetime,
    databases: Sequence[str] = (),
    mailboxes: int | None = None,
) -> tuple[Event, ...]:
    """
    The event of a health set that is no longer what it was; none when it is as healthy as before, or has ended.

    Args:
        name: (server, health set).
        before: All its monitors before the change; none for a set that is new.
        after: All its monitors after it.
        at: When.
        databases: Whose users are affected now.
        mailboxes: How many mailboxes those hold, where known.
    """
    if not after:
        return ()
    now = set_report(after)
    was = worst(status.state for status in before) if before else None
    if was is now.alert_value:
        return ()
    speaks = worst_monitor(after)
    server, health_set = name
    event = Event(
        at=at,
        kind=EventKind.HEALTH_SET_CHANGED,
        subject=f"{server}/{health_set}",
        because=now.because,
        before=None if was is None else was.value,
        after=now.alert_value.value,
        data={
            "server": server,
            "health_set": health_set,
            "group": now.group.value,
            "monitor": speaks.key.item,
            "target": speaks.key.target,
            "databases": list(databases),
            "mailboxes": mailboxes,
            "verdict": None if speaks.verdict is None else to_plain(speaks.verdict),
            "mailbox_server": speaks.mailbox_server,
        },
    )
    return (event,)
