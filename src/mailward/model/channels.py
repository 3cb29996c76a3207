"""The channels by which people and programs are told, as configured."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from mailward.model.organization import SecretRef


class ChannelKind(Enum):
    """What a channel speaks."""

    SMTP = "smtp"
    WEBHOOK = "webhook"
    """A JSON body in Alertmanager's version-4 shape."""
    ALERTMANAGER = "alertmanager"
    """Alertmanager's v2 API."""
    DEAD_MAN = "dead-man"
    """A ping at intervals whose absence somebody else notices."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """One channel."""

    name: str
    kind: ChannelKind
    url: str = ""
    """webhook, alertmanager, dead-man: where to send. May hold a secret; then use `url_secret`."""
    url_secret: SecretRef | None = None
    host: str = ""
    """smtp: the relay, which may stand outside the watched service."""
    port: int = 25
    starttls: bool | None = None
    """smtp: None means whenever the relay offers it."""
    tls: bool = False
    """smtp: TLS from the first byte (port 465)."""
    ca_file: str | None = None
    user: str = ""
    password: SecretRef | None = None
    sender: str = ""
    recipients: tuple[str, ...] = ()
    bearer_token: SecretRef | None = None
    urgent_only: bool = False
    """Only what somebody has to get up for."""
    language: str = "en"
    """In which its texts are (RFC 5646)."""
    timeout: timedelta = timedelta(seconds=10)
    interval: timedelta = timedelta(minutes=1)
    """dead-man: between pings."""
    is_watched_mail: bool = False
    """smtp: whether this mail is itself read by the watched service; at least one channel should not be."""
