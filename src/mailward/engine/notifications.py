"""
What other systems say of our servers now, in memory, and the look at it that makes it a monitor's sample.

It only tells: nothing is diagnosed of it and nothing recovered, since nobody here has seen what they saw. What is not
said again within its time is over; after a restart it is known again once it is said again.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.model.notification import Notification
from mailward.model.probing import ProbeResult, ResultType
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.monitors.planned import PlannedProbe
from mailward.ports.clock import Clock

OF_ONE_SERVER_MOST = 50
"""What is remembered of one server, the newest; more says nothing more."""
NAMED = 3
"""How many are named in a sentence; the others are counted."""


class Notifications:
    """What fires, by server."""

    def __init__(self, clock: Clock) -> None:
        """Nothing was said yet."""
        self._clock = clock
        self._holds = timedelta(hours=5)
        self._firing: dict[str, dict[str, tuple[Notification, datetime]]] = {}

    def use(self, *, holds: timedelta) -> None:
        """Believe for *holds* what is not said again."""
        self._holds = holds

    def take(self, notifications: Iterable[Notification]) -> tuple[str, ...]:
        """Keep what fires and forget what is over; the servers of which something is known anew."""
        now = self._clock.now()
        touched: dict[str, None] = {}
        for one in notifications:
            if not one.server:
                continue
            touched[one.server] = None
            firing = self._firing.setdefault(one.server, {})
            firing.pop(one.fingerprint, None)
            if one.firing:
                firing[one.fingerprint] = (one, now)
            while len(firing) > OF_ONE_SERVER_MOST:
                del firing[next(iter(firing))]
            if not firing:
                del self._firing[one.server]
        return tuple(touched)

    def firing(self, server: str) -> tuple[Notification, ...]:
        """What is said of a server and holds, the oldest first."""
        now = self._clock.now()
        return tuple(one for one, at in self._firing.get(server, {}).values() if now - at < self._holds)

    async def look(self, planned: PlannedProbe) -> ProbeResult:
        """NotificationCheck: fails while anything fires."""
        look, firing = planned.looked_at(self._clock.now()), self.firing(planned.key.server)
        if not firing:
            return look
        because = f"Alertmanager says: {_said(firing)}"
        verdict = Verdict(tier=Tier.UNKNOWN, confidence=Confidence.UNKNOWN, because=because)
        return replace(look, result=ResultType.FAILED, detail=because, verdict=verdict)


def _said(firing: tuple[Notification, ...]) -> str:
    sentences = [
        one.name + (f" ({one.severity})" if one.severity else "") + (f", {one.summary}" if one.summary else "")
        for one in firing[:NAMED]
    ]
    more = len(firing) - len(sentences)
    return "; ".join([*sentences, *([f"{more} more"] if more else [])])
