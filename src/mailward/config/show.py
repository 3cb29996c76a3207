"""
The configuration as it works out: every setting with its value and where it was set, secrets by name only.

    servers.be1.imap.port = 10993        mailward.toml:12, group back-ends
    servers.be1.imap.security = "tls"    default
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mailward.config.layers import KIND_OF_PASSWORD, Setting, database_settings, leaves, server_settings
from mailward.config.load import Reading, manager_of, read
from mailward.config.mistakes import KeyPath, spelled
from mailward.config.schema import (
    FLAPPING,
    PROBE_KEYS,
    PROBES_KEYS,
    AccessPointTable,
    DatabaseTable,
    EscalationTable,
    MovesTable,
    RetentionTable,
    RollupTable,
    ServerTable,
    leaf_keys,
    table_at,
)
from mailward.config.schema_acting import CLASSES, RecoveryTable
from mailward.config.schema_routing import RoutingTable
from mailward.config.schema_telling import KEYS_OF, SECRETS, NotifyTable
from mailward.model.channels import Channel
from mailward.model.durations import write_duration
from mailward.model.organization import SecretKind, SecretRef
from mailward.model.recovery import ActionClass
from mailward.monitors.settings import FIELD_OF_ITEM
from mailward.ports.settings import Snapshot

DEFAULT = "default"
#: Key of a channel -> the field that holds the secret, and the kind of place the key names.
_SECRETS_PLACES = {
    key: ("url_secret" if secret == "url" else secret, kind)  # noqa: S105 - a key, no secret
    for secret, places in SECRETS.items()
    for key, kind in zip(places, SecretKind, strict=True)
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One setting as it works out."""

    key: str
    """"servers.be1.imap.port"."""
    value: str | None
    """As TOML would write it; None where nothing is set and nothing follows from elsewhere."""
    origin: str
    """"mailward.toml:12, group back-ends", or "default"."""


def show(paths: Path | Sequence[Path]) -> tuple[Shown, ...]:
    """
    Every setting as it works out, in the order of the schema.

    Raises:
        WrongConfiguration: There are mistakes; the text lists them all.
    """
    reading = read(paths)
    return tuple(_Showing(reading, reading.snapshot()).settings())


class _Showing:
    """Walks through a snapshot; knows where things were written."""

    def __init__(self, reading: Reading, snapshot: Snapshot) -> None:
        self._reading = reading
        self._snapshot = snapshot

    def settings(self) -> Iterator[Shown]:
        """All settings."""
        organization = self._snapshot.organization
        configuration = self._reading.configuration
        yield from self._plain("organization", organization, ("name", "identity", "language", "documentation"))
        servers, _ = server_settings(configuration)
        for name, server in organization.servers.items():
            yield from self._thing(("servers", name), server, leaf_keys(ServerTable), servers[name])
        for name, access_point in organization.access_points.items():
            written = dict(leaves((configuration.access_points or {})[name], ("access_points", name)))
            yield from self._thing(("access_points", name), access_point, leaf_keys(AccessPointTable), written)
        databases = database_settings(configuration)
        for name, database in organization.databases.items():
            yield from self._thing(("databases", name), database, leaf_keys(DatabaseTable), databases[name])
        yield from self._moving()
        yield from self._probing()
        yield from self._judging()
        yield from self._acting()
        for channel in self._snapshot.channels:
            yield from self._channel(channel)
        yield from self._plain("escalation", self._snapshot.escalation, EscalationTable.model_fields)
        yield from self._plain("rollup", self._snapshot.rollup, RollupTable.model_fields)
        yield from self._plain("retention", self._snapshot.retention, RetentionTable.model_fields)
        manager = manager_of(self._reading)
        yield from self._plain("manager", manager, ("state_directory", "socket", "log_level"))

    def _thing(
        self, path: KeyPath, thing: object, keys: Sequence[tuple[str, ...]], written: Mapping[KeyPath, Setting]
    ) -> Iterator[Shown]:
        for key in keys:
            setting = written.get(key)
            value = _secret(_value(thing, key[:-1]), key[-1]) if key[-1] in KIND_OF_PASSWORD else _value(thing, key)
            # one place of a secret says where it is, and a command that is not there is one of nine
            if value is not None or not (key[-1] in KIND_OF_PASSWORD or "commands" in key):
                yield self._shown((*path, *key), value, setting)

    def _plain(self, section: str, values: object, keys: Sequence[str] | Mapping[str, Any]) -> Iterator[Shown]:
        for key in keys:
            yield self._at((section, key), getattr(values, key))

    def _moving(self) -> Iterator[Shown]:
        routing, replication = self._snapshot.organization.routing, self._reading.configuration.replication
        for key in leaf_keys(RoutingTable):
            value = _secret(routing, key[-1]) if key[-1] in KIND_OF_PASSWORD else _value(routing, key)
            # a map is read and changed in one of several ways, whose keys alone mean something
            if value is not None or key == ("map",) or (key[0] == "ldap" and routing is not None and routing.ldap):
                yield self._at(("routing", *key), value)
        yield from self._plain("moves", self._snapshot.moves, MovesTable.model_fields)
        yield self._at(("replication", "kind"), None if replication is None else replication.kind)

    def _probing(self) -> Iterator[Shown]:
        for key, field in PROBES_KEYS.items():
            yield self._at(("probes", key), getattr(self._snapshot.probing, field))
        for item, keys in PROBE_KEYS.items():
            for key, field in keys.items():
                yield self._at(("probes", item, key), getattr(self._snapshot.probing, field))

    def _judging(self) -> Iterator[Shown]:
        for item, field in {**FIELD_OF_ITEM, FLAPPING: FLAPPING}.items():
            table = table_at(("monitors", item))
            for key in leaf_keys(table) if table is not None else ():
                yield self._at(("monitors", item, *key), _value(getattr(self._snapshot.monitors, field), key))

    def _acting(self) -> Iterator[Shown]:
        for key in leaf_keys(RecoveryTable):
            value = _value(self._snapshot.recovery, key)
            if key[0] == CLASSES:
                value = self._snapshot.recovery.classes[ActionClass(key[-1])]
            yield self._at(("recovery", *key), value)

    def _channel(self, channel: Channel) -> Iterator[Shown]:
        for key in NotifyTable.model_fields:
            if key not in KEYS_OF[channel.kind]:
                continue
            value = _of_channel(channel, key)
            if value is not None or key not in _SECRETS_PLACES:
                yield self._at(("notify", channel.name, key), value)

    def _at(self, path: KeyPath, value: object) -> Shown:
        """A setting that has only one place to stand in."""
        table: Any = self._reading.sources.tree
        for key in path:
            table = table.get(key) if isinstance(table, dict) else None
        return self._shown(path, value, None if table is None else Setting(value=table, path=path))

    def _shown(self, path: KeyPath, value: object, setting: Setting | None) -> Shown:
        origin = DEFAULT
        if setting is not None:
            origin = self._reading.sources.place(setting.path)
            origin += f", {setting.layer}" if setting.layer else ""
        return Shown(key=spelled(path), value=_written(value), origin=origin)


def _value(thing: object, key: Sequence[str]) -> object:
    for part in key:
        thing = thing.get(part) if isinstance(thing, Mapping) else getattr(thing, part, None)
    return None if thing in ("", {}) else thing


def _of_channel(channel: Channel, key: str) -> object:
    """What a channel has under *key*; of a secret the one place it is kept in, of an address no more than its host."""
    if key in _SECRETS_PLACES:
        field, kind = _SECRETS_PLACES[key]
        reference = getattr(channel, field)
        return reference.name if isinstance(reference, SecretRef) and reference.kind is kind else None
    if key == "url" and channel.url:
        parts = urlsplit(channel.url)
        return f"{parts.scheme}://{parts.netloc}/" + ("…" if parts.path.strip("/") or parts.query else "")
    return _value(channel, (key,))


def _secret(mailbox: object, key: str) -> str | None:
    reference = getattr(mailbox, "password", None)
    fits = isinstance(reference, SecretRef) and reference.kind is KIND_OF_PASSWORD[key]
    return reference.name if fits and isinstance(reference, SecretRef) else None


def _written(value: object) -> str | None:  # noqa: PLR0911 - one return per kind of value reads best
    """*value* as TOML would write it."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case timedelta():
            return f'"{write_duration(value)}"'
        case Enum():
            return _written(value.value)
        case int() | float():
            return str(value)
        case frozenset():
            return _written(tuple(sorted(str(_plain(item)) for item in value)))
        case tuple():
            return "[" + ", ".join(str(_written(item)) for item in value) + "]"
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_written(item)}" for key, item in value.items()) + " }"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value
