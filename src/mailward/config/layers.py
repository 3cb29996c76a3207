"""
What holds for one server or database: its own settings over those of its groups over their templates.

Tables merge, lists replace, and every setting remembers where it was written.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mailward.config.fields import Table
from mailward.config.mistakes import KeyPath, spelled
from mailward.config.schema import Configuration, HealthMailboxTable
from mailward.model.organization import SecretKind

HEALTH_MAILBOX = "health_mailbox"
HEALTH_MAILBOXES = "health_mailboxes"
_OF_GROUPS_ALONE = (("servers",), ("template",))
KIND_OF_PASSWORD = {
    "password_file": SecretKind.FILE,
    "password_environment": SecretKind.ENVIRONMENT,
    "password_credential": SecretKind.CREDENTIAL,
}
PASSWORDS = tuple(KIND_OF_PASSWORD)


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One value and where it comes from."""

    value: object
    path: KeyPath
    """Where it stands in the configuration: ("groups", "back-ends", "imap", "port")."""

    @property
    def layer(self) -> str:
        """Who set it, for people: "group back-ends"; empty when it stands with the thing itself."""
        kind = {"groups": "group", "templates": "template"}.get(str(self.path[0]))
        if kind:
            return f"{kind} {self.path[1]}"
        return HEALTH_MAILBOXES if self.path[0] == HEALTH_MAILBOXES else ""


Settings = Mapping[KeyPath, Setting]
"""Key within the server or database -> setting."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clash:
    """Two groups of one server say different things."""

    server: str
    key: KeyPath
    first: KeyPath
    second: KeyPath

    def __str__(self) -> str:
        return (
            f"is {spelled(self.first)} for server {self.server} as well, with another value;"
            f" set it in servers.{spelled((self.server,))} or let only one group say it"
        )


def leaves(table: Table | None, path: KeyPath, below: KeyPath = ()) -> Iterator[tuple[KeyPath, Setting]]:
    """The settings written in *table*, which stands at *path*; their keys begin with *below*."""
    if table is None:
        return
    for key in type(table).model_fields:
        if key not in table.model_fields_set:
            continue
        value = getattr(table, key)
        if isinstance(value, Table):
            yield from leaves(value, (*path, key), (*below, key))
        else:
            yield (*below, key), Setting(value=value, path=(*path, key))


def overlay(layers: Iterable[Iterable[tuple[KeyPath, Setting]]]) -> dict[KeyPath, Setting]:
    """Put *layers* on top of each other, the lowest first. The three places of a password are one setting."""
    result: dict[KeyPath, Setting] = {}
    for layer in layers:
        settings = dict(layer)
        if any(key[-1] in PASSWORDS for key in settings):
            result = {key: setting for key, setting in result.items() if key[-1] not in PASSWORDS}
        result |= settings
    return result


def members(names: Iterable[str], patterns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Pattern -> the names it matches, without regard to case."""
    known = tuple(names)
    return {
        pattern: tuple(name for name in known if fnmatchcase(name.lower(), pattern.lower())) for pattern in patterns
    }


def groups_of(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """Server -> its groups, in the order they are written."""
    found: dict[str, list[str]] = {name: [] for name in configuration.servers or {}}
    for group, table in (configuration.groups or {}).items():
        for names in members(found, table.servers or ()).values():
            for name in names:
                if group not in found[name]:
                    found[name].append(group)
    return {name: tuple(groups) for name, groups in found.items()}


def server_settings(configuration: Configuration) -> tuple[dict[str, Settings], tuple[Clash, ...]]:
    """The effective settings of every server, and where its groups contradict each other."""
    groups = groups_of(configuration)
    of_group = {
        name: {key: setting for key, setting in leaves(table, ("groups", name)) if key not in _OF_GROUPS_ALONE}
        for name, table in (configuration.groups or {}).items()
    }
    of_template = {
        name: dict(leaves(table, ("templates", name))) for name, table in (configuration.templates or {}).items()
    }
    result: dict[str, Settings] = {}
    clashes: list[Clash] = []
    for name, table in (configuration.servers or {}).items():
        own = dict(leaves(table, ("servers", name)))
        names = groups[name]
        templates = [str((configuration.groups or {})[group].template) for group in names]
        lower = [of_template[template].items() for template in dict.fromkeys(templates) if template in of_template]
        middle = overlay(of_group[group].items() for group in names)
        clashes += _clashes(name, [of_group[group] for group in names], own)
        clashes += _clashes(name, [dict(items) for items in lower], {**middle, **own})
        settings = overlay([*lower, middle.items(), own.items()])
        result[name] = _with_health_mailbox(configuration, settings)
    return result, tuple(clashes)


def database_settings(configuration: Configuration) -> dict[str, Settings]:
    """The effective settings of every database."""
    common = dict(_common_health_mailbox(configuration.health_mailboxes))
    return {
        name: overlay([common.items(), leaves(table, ("databases", name))])
        for name, table in (configuration.databases or {}).items()
    }


def _with_health_mailbox(configuration: Configuration, settings: dict[KeyPath, Setting]) -> Settings:
    """Mailbox servers have a local health mailbox; a proxy has one only when it says so itself."""
    roles = settings.get(("roles",))
    if roles is None or not isinstance(roles.value, list) or "mailbox" not in roles.value:
        return settings
    return overlay([_common_health_mailbox(configuration.health_mailboxes), settings.items()])


def _common_health_mailbox(table: HealthMailboxTable | None) -> Iterator[tuple[KeyPath, Setting]]:
    yield from leaves(table, (HEALTH_MAILBOXES,), (HEALTH_MAILBOX,))


def _clashes(server: str, layers: list[dict[KeyPath, Setting]], above: Mapping[KeyPath, Setting]) -> Iterator[Clash]:
    seen: dict[KeyPath, Setting] = {}
    for layer in layers:
        for key, setting in layer.items():
            first = seen.setdefault(key, setting)
            if first.value != setting.value and key not in above:
                yield Clash(server=server, key=key, first=first.path, second=setting.path)
