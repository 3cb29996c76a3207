"""From `[routing]` and `[replication]` to how databases are moved."""

from pathlib import Path

from mailward.config.filling import file_name, given, located, secret
from mailward.config.layers import KIND_OF_PASSWORD, PASSWORDS
from mailward.config.schema import Configuration
from mailward.config.schema_routing import LdapTable, RoutingTable
from mailward.model.copies import CopyKind
from mailward.model.organization import DirectoryEntries, RoutingMap, SecretRef

_IN_A_FILE = "sqlite:"


def routing_map(table: RoutingTable | None, directory: Path) -> RoutingMap | None:
    """The map, or None where the configuration has none."""
    if table is None or table.map is None:
        return None
    commands: dict[str, list[str]] = table.commands.model_dump(exclude_unset=True) if table.commands is not None else {}
    return RoutingMap(
        map=located(directory, table.map) if table.map.startswith(_IN_A_FILE) else table.map,
        password=_password(table, directory),
        commands={verb: tuple(words) for verb, words in commands.items()},
        ldap=_entries(table.ldap, directory),
        **given(active=table.active, mailboxes=table.mailboxes, switch=table.switch),
    )


def _entries(table: LdapTable | None, directory: Path) -> DirectoryEntries | None:
    if table is None or table.base is None:
        return None
    settings = table.model_dump(exclude_unset=True)
    if table.ca_file is not None:
        settings["ca_file"] = file_name(directory, table.ca_file)
    return DirectoryEntries(**settings)


def replication_kind(written: str | None, configuration: Configuration, *, copies: int) -> CopyKind | None:
    """How a database's copies come to be alike: as the database says, else as all do."""
    if written is None and copies == 1:
        return CopyKind.SINGLE
    every = configuration.replication.kind if configuration.replication is not None else None
    kind = written or every
    return None if kind is None else CopyKind(kind)


def _password(table: RoutingTable, directory: Path) -> SecretRef | None:
    place = next((key for key in PASSWORDS if key in table.model_fields_set), None)
    return None if place is None else secret(directory, KIND_OF_PASSWORD[place], str(getattr(table, place)))
