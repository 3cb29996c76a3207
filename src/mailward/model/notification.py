"""What another monitoring system says of a server: the third kind of probe, beside conversations and looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """One alert as Alertmanager tells it."""

    name: str
    """Its `alertname`."""
    firing: bool
    """False: it is over."""
    fingerprint: str
    """What identifies it as long as it stands."""
    labels: Mapping[str, str] = field(default_factory=dict)
    severity: str = ""
    summary: str = ""
    """One line for people, from its annotations."""
    starts_at: datetime | None = None
    server: str = ""
    """The server or access point of this organization that it names; "" for none: then nothing comes of it."""
