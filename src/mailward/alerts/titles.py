"""The line a phone's lock screen shows: how urgent, where, what, whose mail, since when, in that order."""

from datetime import datetime

from mailward.alerts.grouping import cause_of_alert
from mailward.alerts.language import ENGLISH, Language, Message, message
from mailward.alerts.layout import TITLE_COLUMNS, clean, clock_time, cut, listed, span
from mailward.alerts.matter import Cause, Matter
from mailward.alerts.urgency import Judgement
from mailward.model.alerting import Alert, Urgency
from mailward.model.monitoring import AlertValue
from mailward.model.verdict import Tier

_URGENCY = {
    Urgency.CRITICAL: message("CRITICAL"),
    Urgency.WARNING: message("WARNING"),
    Urgency.INFO: message("INFO"),
}
_THING = {
    Tier.MONITORING: message("mailward's own monitoring"),
    Tier.NAME_SERVICE: message("name service"),
    Tier.NETWORK: message("network"),
    Tier.ACCESS_POINT: message("access point"),
    Tier.PROXY: message("IMAP proxy"),
    Tier.PATH: message("path to it"),
    Tier.MAILBOX_SERVER: message("IMAP service"),
    Tier.STORE: message("mail store"),
    Tier.DIRECTORY: message("directory"),
    Tier.UNKNOWN: message("service"),
}
_PATH_WITHOUT_SERVER = message("path from proxy to mailbox server")


def firing(matter: Matter, judgement: Judgement, *, now: datetime, language: Language = ENGLISH) -> str:
    """At most 70 columns; what is cut off is the end: the databases' names."""
    say = language.say
    asks = judgement.standing.startswith("approval ")
    number = judgement.standing.removeprefix("approval ")
    first = say("APPROVE {number}?", number=number) if asks else say(_URGENCY[judgement.urgency])
    names = f" ({listed(matter.affected, most=3, language=language)})" if matter.affected else ""
    failing = matter.statuses[0].state is not AlertValue.UNHEALTHY
    what = what_is_broken(matter.cause, failing=failing, language=language)
    since = say(" since {moment}", moment=clock_time(matter.since, now, language))
    head = f"{first} {what}"
    room = TITLE_COLUMNS - len(since)
    return cut(clean(head), room) + since if len(head) + len(names) > room else f"{clean(head + names)}{since}"


def resolved(alert: Alert, *, ends_at: datetime, language: Language = ENGLISH) -> str:
    """RESOLVED be1: IMAP service, after 12 min."""
    say, cause = language.say, cause_of_alert(alert)
    after = say(", after {span}", span=span(ends_at - alert.starts_at, language))
    what = _placed(cause, say(_thing(cause)))
    return cut(clean(say("RESOLVED {what}", what=what)), TITLE_COLUMNS - len(after)) + after


def what_is_broken(cause: Cause, *, failing: bool = False, language: Language = ENGLISH) -> str:
    """be1: IMAP service broken."""
    say, thing = language.say, _thing(cause)
    if cause.health_set is not None:
        known = {"health_set": cause.health_set}
        return _placed(cause, say("{health_set} failing", **known) if failing else say("{health_set} broken", **known))
    if cause.tier is Tier.MONITORING:
        return _placed(cause, say("{thing} is at fault", thing=thing))
    return _placed(cause, say("{thing} failing", thing=thing) if failing else say("{thing} broken", thing=thing))


def _thing(cause: Cause) -> Message | str:
    """What is broken; a health set by its own name, where no more is known than that."""
    if cause.health_set is not None:
        return cause.health_set
    if cause.tier is Tier.PATH and cause.server is None:
        return _PATH_WITHOUT_SERVER
    return _THING[cause.tier]


def _placed(cause: Cause, what: str) -> str:
    where = f"{cause.server}/{cause.database}" if cause.database else cause.server
    return f"{where}: {what}" if where else what
