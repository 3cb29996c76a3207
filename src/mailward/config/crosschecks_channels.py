"""Mistakes in how people are told: keys a channel needs, keys it would pass over, two places for one secret."""

from collections.abc import Iterator

from mailward.config.mistakes import KeyPath, Mistake
from mailward.config.schema_telling import KEYS_OF, SECRETS, NotifyTable
from mailward.config.within import Within
from mailward.model.channels import ChannelKind

_IN_WORDS = {"url": "address", "password": "password", "bearer_token": "token"}
_NEEDED_BY_SMTP = {
    "host": "name the relay that takes mail for others",
    "sender": "give the address mail comes from",
    "recipients": 'give addresses, such as ["oncall@example.org"]',
}


def channel_mistakes(within: Within, path: KeyPath, table: NotifyTable) -> Iterator[Mistake]:
    """Mistakes in the channel at *path*."""
    if table.kind is None:
        kinds = ", ".join(f'"{kind.value}"' for kind in ChannelKind)
        yield from within.missing((*path, "kind"), f"is missing; one of {kinds}")
        return
    kind = ChannelKind(table.kind)
    for key in type(table).model_fields:
        if key in table.model_fields_set and key not in KEYS_OF[kind]:
            yield within.mistake((*path, key), f'means nothing to the kind "{kind.value}"; take it out')
    yield from _places(within, path, table)
    yield from _mail(within, path, table) if kind is ChannelKind.SMTP else _web(within, path, table)


def _places(within: Within, path: KeyPath, table: NotifyTable) -> Iterator[Mistake]:
    for secret, places in SECRETS.items():
        keys = [key for key in (secret, *places) if key in table.model_fields_set]
        for second in keys[1:]:
            yield within.mistake((*path, second), f"is a second place for the same {_IN_WORDS[secret]}; keep one")


def _web(within: Within, path: KeyPath, table: NotifyTable) -> Iterator[Mistake]:
    keys = ("url", *SECRETS["url"])
    if not any(key in table.model_fields_set or within.was_given((*path, key)) for key in keys):
        text = "is missing; give the address, or url_file, url_environment or url_credential where it holds a secret"
        yield from within.missing((*path, "url"), text)


def _mail(within: Within, path: KeyPath, table: NotifyTable) -> Iterator[Mistake]:
    for key, text in _NEEDED_BY_SMTP.items():
        if key not in table.model_fields_set:
            yield from within.missing((*path, key), f"is missing; {text}")
    if table.recipients == []:
        yield within.mistake((*path, "recipients"), "is empty; nobody would be told")
    if table.tls and table.starttls:
        text = "is a second way to encrypt: tls does it from the first byte; keep one"
        yield within.mistake((*path, "starttls"), text)
    places = [key for key in SECRETS["password"] if key in table.model_fields_set]
    if table.user is not None and not places and not any(within.was_given((*path, key)) for key in SECRETS["password"]):
        text = "has no password; give password_file, password_environment or password_credential"
        yield from within.missing((*path, "user"), text)
    if table.user is None and places:
        yield from within.missing((*path, "user"), "is missing; whose password is it?")
