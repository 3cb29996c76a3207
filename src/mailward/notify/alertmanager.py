"""
Alertmanager's v2 API: POST /api/v2/alerts.

Alertmanager forgets an alert that is not sent again, so each says how long it holds: until after our longest repeat. A
severity is a label there, and labels identify: the severity sent is the highest told so far, which only rises, and when
it has risen the alert of the lower one ends.
"""

from datetime import datetime, timedelta

from mailward.model.alerting import Alert, AlertStatus, Urgency
from mailward.model.channels import Channel
from mailward.notify.alertmanager_form import annotations, labels, moment
from mailward.notify.posting import Posting
from mailward.ports.secrets import Secrets

HOLDS = timedelta(hours=25)
"""Longer than the longest time between two notices of one alert."""
_PATH = "/api/v2/alerts"
_LOW_TO_HIGH = (Urgency.INFO, Urgency.WARNING, Urgency.CRITICAL)


def alertmanager(channel: Channel, secrets: Secrets) -> Posting:
    """Posts to the channel's `url`: the address of an Alertmanager, with or without /api/v2/alerts."""
    return Posting(channel, secrets, body, path=_PATH)


def body(alert: Alert) -> list[dict[str, object]]:
    """The alert, and the end of those of lower severity that it may have been before."""
    told = alert.turns.urgency or alert.urgency
    at = alert.turns.last_at or alert.starts_at
    is_over = alert.status is AlertStatus.RESOLVED
    ends_at = (alert.ends_at or at) if is_over else alert.ends_at or at + HOLDS
    sent = [_form(alert, told, ends_at)]
    if alert.turns.number > (2 if is_over else 1):
        lower = _LOW_TO_HIGH[: _LOW_TO_HIGH.index(told)]
        sent += [_form(alert, urgency, ends_at if is_over else at) for urgency in lower]
    return sent


def _form(alert: Alert, urgency: Urgency, ends_at: datetime) -> dict[str, object]:
    return {
        "labels": labels(alert, urgency),
        "annotations": annotations(alert),
        "startsAt": moment(alert.starts_at),
        "endsAt": moment(max(ends_at, alert.starts_at)),
        "generatorURL": alert.annotations.get("dashboard", ""),
    }
