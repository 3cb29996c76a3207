"""
Observing: whether what was broken is healthy, and has been for long enough (the seed's "observe for 10 minutes").

Observed healthy needs data, and no other state within the window. A monitor that becomes healthy only while it is
observed is given a whole window from then on, instead of being called broken for what lies behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.model.durations import spoken
from mailward.model.monitoring import AlertValue, MonitorStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """What an observation came to so far."""

    is_healthy: bool | None
    """None: it goes on."""
    because: str
    until: datetime | None = None
    """When it may come to an end, where nothing changes."""


def observe(statuses: Sequence[MonitorStatus], *, began: datetime, window: timedelta, now: datetime) -> Observed:
    """
    Judge an observation that *began* then and lasts for *window*.

    No monitor at all proves nothing: an empty selection means nothing.
    """
    unwell = [status for status in statuses if status.state is not AlertValue.HEALTHY]
    ends = began + window
    if unwell or not statuses:
        said = "; ".join(_said(status) for status in unwell) or "no monitor of it is configured"
        if now >= ends:
            return Observed(is_healthy=False, because=f"after {spoken(window)}: {said}")
        return Observed(is_healthy=None, because=f"observing for {spoken(ends - now)} more: {said}", until=ends)
    since = max(began, *(status.since for status in statuses))
    if now - since >= window:
        names = ", ".join(status.key.item for status in statuses)
        return Observed(is_healthy=True, because=f"healthy for {spoken(window)} without interruption: {names}")
    ends = since + window
    return Observed(is_healthy=None, because=f"healthy; observing for {spoken(ends - now)} more", until=ends)


def _said(status: MonitorStatus) -> str:
    return f"{status.key.item} is {status.state.value}: {status.because}"
