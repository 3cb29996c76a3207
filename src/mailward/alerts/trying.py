"""What a test of the channels says."""

from datetime import datetime, timedelta

from mailward.alerts.language import ENGLISH, Language
from mailward.model.alerting import Alert, AlertStatus, Urgency


def alert_of_a_test(now: datetime, actor: str, language: Language = ENGLISH) -> Alert:
    """What a test says; it ends by itself, so that Alertmanager does not keep it."""
    title = language.say("TEST: mailward can reach you; nothing is broken")
    asked = language.say("{actor} asked for this test of the channels.", actor=actor)
    return Alert(
        key="test",
        status=AlertStatus.FIRING,
        urgency=Urgency.INFO,
        title=title,
        text=f"{title}\n\n{asked}\n",
        starts_at=now,
        ends_at=now + timedelta(minutes=5),
        labels={"alertname": "ImapTest"},
    )
