"""The line a phone's lock screen shows: how urgent, where, what, whose mail, since when, in that order."""

from datetime import datetime

from mailward.alerts.grouping import cause_of_alert
from mailward.alerts.layout import TITLE_COLUMNS, clean, clock_time, cut, listed, span
from mailward.alerts.matter import Cause, Matter
from mailward.alerts.urgency import Judgement
from mailward.model.alerting import Alert
from mailward.model.monitoring import AlertValue
from mailward.model.verdict import Tier

_BROKEN = {
    Tier.MONITORING: "mailward's own monitoring is at fault",
    Tier.NAME_SERVICE: "name service broken",
    Tier.NETWORK: "network broken",
    Tier.ACCESS_POINT: "access point broken",
    Tier.PROXY: "IMAP proxy broken",
    Tier.PATH: "path to it broken",
    Tier.MAILBOX_SERVER: "IMAP service broken",
    Tier.STORE: "mail store broken",
    Tier.DIRECTORY: "directory broken",
    Tier.UNKNOWN: "broken",
}
_PATH_WITHOUT_SERVER = "path from proxy to mailbox server broken"


def firing(matter: Matter, judgement: Judgement, *, now: datetime) -> str:
    """At most 70 columns; what is cut off is the end: the databases' names."""
    asks = judgement.standing.startswith("approval ")
    first = f"APPROVE {judgement.standing.removeprefix('approval ')}?" if asks else judgement.urgency.value.upper()
    names = f" ({listed(matter.affected, most=3)})" if matter.affected else ""
    what = what_is_broken(matter.cause, failing=matter.statuses[0].state is not AlertValue.UNHEALTHY)
    since = f" since {clock_time(matter.since, now)}"
    head = f"{first} {what}"
    room = TITLE_COLUMNS - len(since)
    return cut(clean(head), room) + since if len(head) + len(names) > room else f"{clean(head + names)}{since}"


def resolved(alert: Alert, *, ends_at: datetime) -> str:
    """RESOLVED be1: IMAP service, after 12 min."""
    what = what_is_broken(cause_of_alert(alert)).removesuffix(" broken").removesuffix(" is at fault")
    after = f", after {span(ends_at - alert.starts_at)}"
    return cut(clean(f"RESOLVED {what}"), TITLE_COLUMNS - len(after)) + after


def what_is_broken(cause: Cause, *, failing: bool = False) -> str:
    """be1: IMAP service broken."""
    what = _BROKEN[cause.tier]
    if cause.tier is Tier.PATH and cause.server is None:
        what = _PATH_WITHOUT_SERVER
    if cause.health_set is not None:
        what = f"{cause.health_set} broken"
    if failing:
        what = what.replace("broken", "failing")
    where = f"{cause.server}/{cause.database}" if cause.database else cause.server
    return f"{where}: {what}" if where else what
