"""
Alerts in Alertmanager's words: labels identify, annotations describe, moments are RFC 3339 (peers reference §5).

The label `severity` is added here, because it changes while an alert stands and must not identify it: the fingerprint
is Alertmanager's own (FNV-1a over the sorted labels) of the labels without it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from mailward.model.alerting import Alert, Urgency

_NEVER = "0001-01-01T00:00:00Z"
"""How Go, and so Alertmanager, writes a moment that is not known."""
_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211


def labels(alert: Alert, urgency: Urgency) -> dict[str, str]:
    """The alert's labels with its severity."""
    return {**alert.labels, "severity": urgency.value}


def annotations(alert: Alert) -> dict[str, str]:
    """What describes it; summary and description are what every receiver's template shows."""
    notes = {**alert.annotations, "summary": alert.title, "description": alert.text}
    if alert.databases:
        notes["databases"] = ", ".join(alert.databases)
    if alert.operation is not None:
        notes["recovery_id"] = str(alert.operation)
    return notes


def moment(at: datetime | None) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at is not None else _NEVER


def fingerprint(identifying: Mapping[str, str]) -> str:
    """Alertmanager's fingerprint of a label set: 16 hexadecimal digits."""
    value = _FNV_OFFSET
    for name, text in sorted(identifying.items()):
        for byte in (*name.encode(), 0xFF, *text.encode(), 0xFF):
            value = (value ^ byte) * _FNV_PRIME % 2**64
    return f"{value:016x}"
