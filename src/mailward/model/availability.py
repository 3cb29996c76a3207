"""How much of a month users were served: what was measured, what was not, and each outage."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Outage:
    """A span in which a health set was Unhealthy."""

    server: str
    health_set: str
    began: datetime
    """The month's beginning where it began earlier."""
    ended: datetime | None
    """None while it lasts; the month's end where it went on after it."""
    down: timedelta
    """How much of it counts: neither maintenance nor time in which nothing was measured."""
    because: str
    """Why the health set was Unhealthy, as it was said then; "" where it was so before the month began."""
    mended: str = ""
    """What ended it; "" while it lasts."""
    event: int | None = None
    """The event with which it began."""
    operation: int | None = None
    """The recovery that mended it, where one did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Availability:
    """One health set of one server over a month; the four spans together are the month so far."""

    server: str
    health_set: str
    up: timedelta
    """Healthy or Degraded: broken for less than the grace period."""
    down: timedelta
    """Unhealthy."""
    set_aside: timedelta
    """In maintenance, Repairing or Disabled: counted neither as up nor as down."""
    not_measured: timedelta
    """Unavailable, not known yet, not there, or mailward was not running: counted neither as up nor as down."""
    percent: float | None
    """Up, of up and down; None where nothing was measured."""
    is_touch_point: bool = False
    """Whether this is where users meet the service: what the organization's figure is made of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AvailabilityReport:
    """One month of an organization."""

    month: str
    """YYYY-MM; a month begins and ends at midnight UTC."""
    since: datetime
    until: datetime
    """The month's end, or now while it lasts."""
    overall: Availability | None
    """Every customer touch point together; None where there is none."""
    rows: tuple[Availability, ...]
    """The worst first."""
    outages: tuple[Outage, ...]
    """The newest first."""
