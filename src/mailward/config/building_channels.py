"""From `[notify.CHANNEL]` to the channels by which people are told."""

from pathlib import Path

from mailward.config.filling import file_name, given, secret
from mailward.config.schema import Configuration
from mailward.config.schema_telling import SECRETS, NotifyTable
from mailward.model.channels import Channel, ChannelKind
from mailward.model.organization import SecretKind, SecretRef

#: RFC 8314, section 3.3: submission over TLS from the first byte.
_TLS_PORT = 465


def channels(configuration: Configuration, directory: Path) -> tuple[Channel, ...]:
    """The channels of a configuration in which no mistake was found, in the order they are written."""
    about = configuration.organization
    own = about.language if about is not None else None
    return tuple(
        _channel(name, table, directory, language=table.language or own)
        for name, table in (configuration.notify or {}).items()
    )


def _channel(name: str, table: NotifyTable, directory: Path, *, language: str | None) -> Channel:
    return Channel(
        name=name,
        kind=ChannelKind(table.kind),
        url_secret=_secret(table, "url", directory),
        password=_secret(table, "password", directory),
        bearer_token=_secret(table, "bearer_token", directory),
        ca_file=None if table.ca_file is None else file_name(directory, table.ca_file),
        starttls=table.starttls,
        recipients=tuple(table.recipients or ()),
        **given(
            url=table.url,
            host=table.host,
            port=table.port or (_TLS_PORT if table.tls else None),
            tls=table.tls,
            user=table.user,
            sender=table.sender,
            urgent_only=table.urgent_only,
            language=language,
            timeout=table.timeout,
            interval=table.interval,
            is_watched_mail=table.is_watched_mail,
        ),
    )


def _secret(table: NotifyTable, which: str, directory: Path) -> SecretRef | None:
    for key, kind in zip(SECRETS[which], SecretKind, strict=True):
        name: str | None = getattr(table, key)
        if name is not None:
            return secret(directory, kind, name)
    return None
