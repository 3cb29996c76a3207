"""
A webhook in Alertmanager's version-4 shape, so that whatever takes Alertmanager's webhooks takes ours.

One notice is one POST with one alert. Its Idempotency-Key is the same for a repeated attempt.
"""

import json

from mailward.model.alerting import Alert
from mailward.model.channels import Channel
from mailward.notify.address import request_to
from mailward.notify.alertmanager_form import annotations, fingerprint, labels, moment
from mailward.notify.http import request
from mailward.notify.words import recognisable
from mailward.ports.secrets import Secrets


class WebhookNotifier:
    """Posts JSON."""

    def __init__(self, channel: Channel, secrets: Secrets) -> None:
        """Send to the channel's `url`, or to the address its `url_secret` holds."""
        self._channel = channel
        self._secrets = secrets

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self._channel.name

    async def send(self, alert: Alert, *, identity: str) -> None:
        """
        Post one alert.

        Raises:
            TemporaryFailure: It was not taken, or nobody knows whether it was.
            PermanentFailure: It will not be taken; the text says what to mend.
        """
        await request(
            request_to(
                self._channel,
                self._secrets,
                method="POST",
                body=json.dumps(body(alert, receiver=self.name)).encode(),
                headers={"Content-Type": "application/json", "Idempotency-Key": recognisable(identity)},
            )
        )


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
                "generatorURL": "",
                "fingerprint": fingerprint(alert.labels),
            }
        ],
    }
