"""The schema of who is told: `[notify.CHANNEL]`."""

from typing import Literal

from mailward.config.fields import FileName, Interval, MailAddress, Port, PositiveDuration, Table, Text, WebAddress
from mailward.config.languages import LanguageTag
from mailward.model.channels import ChannelKind

#: Secret -> the three places it can be kept in, in the order file, environment, credential.
SECRETS = {
    secret: tuple(f"{secret}_{place}" for place in ("file", "environment", "credential"))
    for secret in ("url", "password", "bearer_token")
}
_WEB = frozenset({"url", *SECRETS["url"], *SECRETS["bearer_token"]})
_MAIL = frozenset({"host", "port", "starttls", "tls", "user", *SECRETS["password"], "sender", "recipients"})
_EVERY = frozenset({"kind", "ca_file", "timeout"})
#: What each kind of channel can be told; another key would be passed over, and is refused.
KEYS_OF = {
    ChannelKind.SMTP: _EVERY | _MAIL | {"urgent_only", "language", "is_watched_mail"},
    ChannelKind.WEBHOOK: _EVERY | _WEB | {"urgent_only", "language"},
    ChannelKind.ALERTMANAGER: _EVERY | _WEB | {"urgent_only", "language"},
    ChannelKind.DEAD_MAN: _EVERY | _WEB | {"interval"},
}


class NotifyTable(Table):
    """
    One channel by which people or programs are told. At least one should not be the mail that is being watched. Secrets
    are kept elsewhere; give one place for each.
    """

    kind: Literal["smtp", "webhook", "alertmanager", "dead-man"] | None = None
    """
    "smtp" sends mail, "webhook" posts what Alertmanager's webhooks get (version 4), "alertmanager" posts to
    Alertmanager itself, and "dead-man" asks for an address at intervals, so that somebody notices when that ends.
    Required.
    """
    url: WebAddress | None = None
    """Where to send, for every kind but "smtp". An address that holds a secret belongs into a file: `url_file`."""
    url_file: FileName | None = None
    """A file that holds nothing but the address. It should be readable by mailward alone."""
    url_environment: Text | None = None
    """The environment variable that holds the address."""
    url_credential: Text | None = None
    """The systemd credential (`LoadCredential=`) that holds the address."""
    bearer_token_file: FileName | None = None
    """A file that holds nothing but the token to send as `Authorization: Bearer`."""
    bearer_token_environment: Text | None = None
    """The environment variable that holds the token."""
    bearer_token_credential: Text | None = None
    """The systemd credential that holds the token."""
    host: Text | None = None
    """smtp: the relay. It should stand outside the service that is watched. Required for "smtp"."""
    port: Port | None = None
    """smtp: the relay's port. Default: 25, or 465 with `tls`."""
    starttls: bool | None = None
    """smtp: whether encryption by STARTTLS is a must. Default: whenever the relay offers it."""
    tls: bool | None = None
    """smtp: TLS from the first byte. Default: false."""
    ca_file: FileName | None = None
    """PEM file of the authorities to trust. Default: the system's."""
    user: Text | None = None
    """smtp: the name to log in with. Default: no login."""
    password_file: FileName | None = None
    """smtp: a file that holds nothing but the password. It should be readable by mailward alone."""
    password_environment: Text | None = None
    """smtp: the environment variable that holds the password."""
    password_credential: Text | None = None
    """smtp: the systemd credential that holds the password."""
    sender: MailAddress | None = None
    """smtp: the address mail comes from. Required for "smtp"."""
    recipients: list[MailAddress] | None = None
    """smtp: who gets it. Required for "smtp"."""
    urgent_only: bool | None = None
    """Whether it gets only what somebody has to get up for. Default: false."""
    language: LanguageTag | None = None
    """The language of what it sends. Default: that of the organization."""
    timeout: PositiveDuration | None = None
    """How long one attempt may take. Default: "10s"."""
    interval: Interval | None = None
    """dead-man: the time from one ping to the next. Default: "1m"."""
    is_watched_mail: bool | None = None
    """smtp: whether this mail is read by way of the service that is watched, and lost with it. Default: false."""
