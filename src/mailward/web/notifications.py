"""
POST /api/v1/alertmanager: Alertmanager's webhook, version 4, as it sends it to any receiver.

What it adds to its body in years to come is passed over; an alert that cannot be read refuses the whole, so that a
misunderstanding shows in Alertmanager's own log.
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.alerting import AlertStatus
from mailward.model.notification import Notification
from mailward.model.wire import text_to_moment
from mailward.ports.manager import Manager
from mailward.web.answers import many
from mailward.web.problems import Code, Problem
from mailward.web.requests import actor, body
from mailward.web.routes import Routes

BYTES_MAX = 1024 * 1024
"""A group may hold hundreds of alerts; `max_alerts` of the receiver bounds it."""
ALERTS_MAX = 2000
_VERSION = "4"
_TEXT_MAX = 300


async def _alertmanager(manager: Manager, request: Request) -> Response:
    given = await body(request, most=BYTES_MAX)
    version, alerts = given.required_text("version"), given.objects("alerts", most=ALERTS_MAX)
    given.pass_over_others()
    given.finish()
    if version != _VERSION:
        raise Problem(
            Code.BAD_REQUEST, f"version: {version[:20]!r} is not {_VERSION!r}, the one of Alertmanager's webhooks"
        )
    return await many(await manager.notified(tuple(map(_read, alerts)), actor=actor(request)))


CHANGES: Routes = {"/api/v1/alertmanager": _alertmanager}


def _read(alert: Mapping[str, object]) -> Notification:
    labels, annotations = _texts(alert, "labels"), _texts(alert, "annotations")
    status, starts_at = alert.get("status"), alert.get("startsAt")
    known = [member.value for member in AlertStatus]
    if status not in known:
        raise Problem(Code.BAD_REQUEST, f"alerts: a status is none of {', '.join(known)}")
    try:
        began = text_to_moment(starts_at) if isinstance(starts_at, str) else None
    except (ValueError, OverflowError):
        raise Problem(Code.BAD_REQUEST, "alerts: startsAt is no moment with a time zone") from None
    return Notification(
        name=labels.get("alertname", ""),
        firing=status == AlertStatus.FIRING.value,
        fingerprint=str(alert.get("fingerprint") or sorted(labels.items()))[:_TEXT_MAX],
        labels=labels,
        severity=labels.get("severity", ""),
        summary=annotations.get("summary", ""),
        starts_at=began,
    )


def _texts(alert: Mapping[str, object], name: str) -> dict[str, str]:
    """Labels or annotations, each cut to one line of bounded length: they are shown to people."""
    given = alert.get(name, {})
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise Problem(Code.BAD_REQUEST, f"alerts: {name} is no object of texts")
    return {str(key)[:_TEXT_MAX]: _line(value) for key, value in given.items()}


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text[:_TEXT_MAX])
