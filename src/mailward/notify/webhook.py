"""A webhook in Alertmanager's version-4 shape, so that whatever takes Alertmanager's webhooks takes ours."""

import json
from functools import partial

from mailward.model.alerting import Alert
from mailward.model.channels import Channel
from mailward.notify.alertmanager_form import annotations, fingerprint, labels, moment
from mailward.notify.posting import Posting
from mailward.ports.secrets import Secrets


def webhook(channel: Channel, secrets: Secrets) -> Posting:
    """Posts to the channel's `url`, or to the address its `url_secret` holds."""
    return Posting(channel, secrets, partial(body, receiver=channel.name))


def body(alert: Alert, *, receiver: str) -> dict[str, object]:
    """The body: one group of one alert."""
    shown, notes = labels(alert, alert.urgency), annotations(alert)
    group = ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(alert.labels.items()))
    return {
        "version": "4",
        "groupKey": f"{{}}:{{{group}}}",
        "truncatedAlerts": 0,
        "status": alert.status.value,
        "receiver": receiver,
        "groupLabels": dict(alert.labels),
        "commonLabels": shown,
        "commonAnnotations": notes,
        "externalURL": "",
        "alerts": [
            {
                "status": alert.status.value,
                "labels": shown,
                "annotations": notes,
                "startsAt": moment(alert.starts_at),
                "endsAt": moment(alert.ends_at),
                "generatorURL": alert.annotations.get("dashboard", ""),
                "fingerprint": fingerprint(alert.labels),
            }
        ],
    }
