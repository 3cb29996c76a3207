"""
Which monitors have one root cause, and so are one alert.

A positive verdict names the cause: its tier and server, for a store the database too. A customer touch point, a deep
test and a self test that all name be1 are therefore one. A monitor whose verdict names nothing stays with the cause it
was told under before, or joins what is known to be wrong with the server it looks at, or stands for itself by server
and health set. What mailward's own monitoring is at fault for is never mixed with what the servers are at fault for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from mailward.alerts.matter import Cause
from mailward.model import items
from mailward.model.alerting import Alert, AlertStatus
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.verdict import Confidence, Tier

_FOLLOWS_ITS_SERVER = frozenset(
    {items.CTP_MONITOR, items.DEEP_TEST_MONITOR, items.SELF_TEST_MONITOR, items.PROXY_TEST_MONITOR}
)
_WITH_DATABASE = frozenset({items.CTP_MONITOR, items.DEEP_TEST_MONITOR})


def group(statuses: Iterable[MonitorStatus], alerts: Iterable[Alert]) -> dict[Cause, list[MonitorStatus]]:
    """
    Return the monitors by root cause; each stands under exactly one.

    Args:
        statuses: Those a person may be told of.
        alerts: As told before; a monitor that lost its verdict stays where it was.
    """
    told = {
        key: cause_of_alert(alert) for alert in alerts if alert.status is AlertStatus.FIRING for key in alert.monitors
    }
    named = [(status, named_cause(status)) for status in statuses]
    votes = Counter(cause for _, cause in named if cause is not None)
    groups: dict[Cause, list[MonitorStatus]] = {}
    unnamed = []
    for status, cause in named:
        if cause is None:
            unnamed.append(status)
            continue
        chosen = _kept_cause(status, cause, told.get(status.key), votes[cause])
        groups.setdefault(chosen, []).append(status)
    known = {cause.server: cause for cause in groups if cause.tier.runs_the_service}
    for status in unnamed:
        groups.setdefault(told.get(status.key) or _guessed_cause(status, known), []).append(status)
    return groups


def named_cause(status: MonitorStatus) -> Cause | None:
    """The cause a monitor names by itself; None when its verdict names nothing."""
    key = status.key
    if key.health_set == items.MONITORING or status.state is AlertValue.UNAVAILABLE:
        return Cause(tier=Tier.MONITORING)
    verdict = status.verdict
    if key.item == items.HEALTH_MAILBOX_MONITOR:
        return Cause(tier=Tier.MONITORING, server=verdict.server if verdict and verdict.server else key.server)
    if verdict is None or verdict.confidence is Confidence.UNKNOWN or verdict.tier is Tier.UNKNOWN:
        return None
    database = key.target if verdict.tier is Tier.STORE and key.item in _WITH_DATABASE else None
    return Cause(tier=verdict.tier, server=verdict.server, database=database)


def cause_of_alert(alert: Alert) -> Cause:
    """The cause an alert was told under, from its labels."""
    labels = alert.labels
    return Cause(
        tier=Tier(labels["tier"]),
        server=labels.get("server"),
        database=labels.get("database"),
        health_set=labels.get("health_set"),
    )


def labels_of(cause: Cause, organization: str) -> dict[str, str]:
    """What identifies an alert to other programs; it never changes while the cause stands."""
    words = "".join(word.capitalize() for word in (cause.tier.value if not cause.health_set else "health set").split())
    labels = {"alertname": f"Imap{words}", "organization": organization, "tier": cause.tier.value}
    parts = {"server": cause.server, "database": cause.database, "health_set": cause.health_set}
    return labels | {name: value for name, value in parts.items() if value}


def is_worth_an_alert(status: MonitorStatus) -> bool:
    """
    Whether a monitor by itself makes or keeps an alert: broken, without an answer, or changing to and fro.

    What Alertmanager says it has told people itself.
    """
    if status.key.item == items.NOTIFICATION_MONITOR:
        return False
    return status.state.is_broken or status.state is AlertValue.UNAVAILABLE or status.flapping


def _kept_cause(status: MonitorStatus, named: Cause, told: Cause | None, votes: int) -> Cause:
    """
    The cause a monitor belongs to that names one, when it was told under another: people are not told of every turn of
    a verdict. It moves when the new verdict is certain, or others say the same, or the old cause was no more than a
    health set. Without an answer it stays where it was: that is no news about the fault.
    """
    if told is None or told == named:
        return named
    if status.state is AlertValue.UNAVAILABLE:
        return told
    is_certain = status.verdict is not None and status.verdict.confidence is Confidence.CERTAIN
    return named if is_certain or votes > 1 or told.health_set is not None else told


def _guessed_cause(status: MonitorStatus, known: Mapping[str | None, Cause]) -> Cause:
    """Only a monitor of whole conversations follows its server: a full disk is not explained by a dead service."""
    key = status.key
    if key.item in _FOLLOWS_ITS_SERVER:
        for server in (status.mailbox_server, key.server):
            if server is not None and server in known:
                return known[server]
    return Cause(tier=Tier.UNKNOWN, server=key.server, health_set=key.health_set)
