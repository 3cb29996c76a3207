"""
Mistakes between parts that are right by themselves: names that lead nowhere, things that are missing, doubles.

Works on what validation left over, so that everything wrong is said in one go; what is missing only because it was
wrong is not called missing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from mailward.config.layers import (
    HEALTH_MAILBOX,
    PASSWORDS,
    Settings,
    database_settings,
    leaves,
    members,
    server_settings,
)
from mailward.config.mistakes import KeyPath, Mistake, hint, quoted
from mailward.config.sources import Sources
from mailward.config.validation import Validated

_SERVER_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_THING_NAME = re.compile(r"[^\s\x00-\x1f\x7f/\\@]([^\x00-\x1f\x7f/\\]{0,98}[^\s\x00-\x1f\x7f/\\])?")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_NAMED = ("servers", "groups", "templates", "access_points", "databases")


def cross_check(sources: Sources, validated: Validated) -> tuple[Mistake, ...]:
    """Every mistake between the parts of a configuration."""
    return tuple(_Checker(sources, validated).mistakes())


class _Checker:
    """Goes over all parts; holds what the checks share."""

    def __init__(self, sources: Sources, validated: Validated) -> None:
        self._sources = sources
        self._validated = validated
        self._configuration = validated.configuration
        self._servers = self._configuration.servers or {}
        self._settings, self._clashes = server_settings(self._configuration)
        self._databases = database_settings(self._configuration)

    def mistakes(self) -> Iterator[Mistake]:
        """All of them, part by part."""
        yield from self._organization()
        yield from self._names()
        yield from self._groups()
        for name, settings in self._settings.items():
            yield from self._server(name, settings)
        yield from self._access_points()
        for name, settings in self._databases.items():
            yield from self._database(name, settings)
        yield from self._shared_mailboxes()

    def _mistake(self, path: KeyPath, text: str) -> Mistake:
        return self._sources.mistake(path, text)

    def _missing(self, path: KeyPath, text: str) -> Iterator[Mistake]:
        if not self._validated.was_given(path):
            yield self._mistake(path, text)

    def _organization(self) -> Iterator[Mistake]:
        about = self._configuration.organization
        if about is None or about.name is None:
            yield from self._missing(("organization", "name"), 'is missing; give it as name = "example" there')
        if not self._servers:
            yield from self._missing(
                ("servers",), "names no server, so nothing would be watched; add a table such as [servers.mail1]"
            )

    def _names(self) -> Iterator[Mistake]:
        for section in _NAMED:
            table: Mapping[str, object] = getattr(self._configuration, section) or {}
            rule = _SERVER_NAME if section == "servers" else _THING_NAME
            seen: dict[str, str] = {}
            for name in table:
                if not rule.fullmatch(name):
                    allowed = (
                        "letters, digits, dots, hyphens"
                        if section == "servers"
                        else "no slash, @ in front or blanks around"
                    )
                    yield self._mistake((section, name), f"cannot be a name; {allowed}")
                first = seen.setdefault(name.lower(), name)
                if first != name:
                    yield self._mistake(
                        (section, name), f"differs from {quoted(first)} only by case; they would be one"
                    )
        yield from self._known_as()

    def _known_as(self) -> Iterator[Mistake]:
        owner = {name.lower(): name for name in self._servers}
        for name, settings in self._settings.items():
            setting = settings.get(("known_as",))
            for known in setting.value if setting and isinstance(setting.value, list) else ():
                other = owner.setdefault(str(known).replace("{name}", name).lower(), name)
                if other != name and setting:
                    yield self._mistake(setting.path, f"gives {name} the name {quoted(known)}, which {other} has")

    def _groups(self) -> Iterator[Mistake]:
        templates = self._configuration.templates or {}
        for name, group in (self._configuration.groups or {}).items():
            path = ("groups", name)
            if group.servers is None:
                yield from self._missing((*path, "servers"), "is missing; an empty list means no server")
            for pattern, matched in members(self._servers, group.servers or ()).items():
                if not matched and not self._validated.was_given(("servers", pattern)):
                    yield self._mistake((*path, "servers"), self._unknown_server(pattern))
            if group.template is not None and group.template not in templates:
                text = f"names {quoted(group.template)}, which is no template{hint(group.template, templates)}"
                yield self._mistake((*path, "template"), text)
        for clash in self._clashes:
            yield self._mistake(clash.second, str(clash))

    def _unknown_server(self, name: str) -> str:
        if any(char in name for char in "*?["):
            return f"has the pattern {quoted(name)}, which matches no server"
        return f"names {quoted(name)}, which is no server{hint(name, self._servers)}"

    def _known_servers(self, path: KeyPath, names: Iterable[str]) -> Iterator[Mistake]:
        known = {server.lower() for server in self._servers}
        seen: set[str] = set()
        for name in names:
            if name.lower() not in known and not self._validated.was_given(("servers", name)):
                yield self._mistake(path, self._unknown_server(name))
            elif name.lower() in seen:
                yield self._mistake(path, f"names {quoted(name)} twice")
            seen.add(name.lower())

    def _server(self, name: str, settings: Settings) -> Iterator[Mistake]:
        path = ("servers", name)
        roles = settings.get(("roles",))
        if roles is None:
            yield from self._missing(
                (*path, "roles"), 'is missing; give ["proxy"], ["mailbox"] or both, here or by a group'
            )
        elif not roles.value:
            yield self._mistake(roles.path, "is empty; a server without a role would not be watched")
        yield from self._endpoint(settings)
        yield from self._health_mailbox(path, settings)
        yield from self._placeholders(settings)

    def _access_points(self) -> Iterator[Mistake]:
        for name, table in (self._configuration.access_points or {}).items():
            path = ("access_points", name)
            if name.lower() in {server.lower() for server in self._servers}:
                text = "has the name of a server, so that nobody could tell their touch points apart; give it another"
                yield self._mistake(path, f"{text}, such as the DNS name users connect to")
            yield from self._known_servers((*path, "servers"), table.servers or ())
            settings = dict(leaves(table, path))
            yield from self._endpoint(settings)
            yield from self._placeholders(settings)

    def _database(self, name: str, settings: Settings) -> Iterator[Mistake]:
        path = ("databases", name)
        given = settings.get(("copies",))
        copies: list[str] = given.value if given is not None and isinstance(given.value, list) else []
        if not copies:
            text = "is missing; name the mailbox servers that hold a copy, the preferred one first"
            yield from self._missing((*path, "copies"), text)
        yield from self._known_servers((*path, "copies"), copies)
        yield from self._copies(path, copies)
        active = settings.get(("active",))
        if active is not None and copies and str(active.value).lower() not in {copy.lower() for copy in copies}:
            yield self._mistake(
                active.path, f"is {quoted(str(active.value))}, which holds no copy{hint(str(active.value), copies)}"
            )
        yield from self._health_mailbox(path, settings)
        yield from self._placeholders(settings)

    def _copies(self, path: KeyPath, copies: Iterable[str]) -> Iterator[Mistake]:
        settings = {name.lower(): own for name, own in self._settings.items()}
        for copy in copies:
            roles = settings.get(copy.lower(), {}).get(("roles",))
            if roles is not None and isinstance(roles.value, list) and "mailbox" not in roles.value:
                yield self._mistake((*path, "copies"), f"names {quoted(copy)}, which has not the role mailbox")

    def _endpoint(self, settings: Settings) -> Iterator[Mistake]:
        source = settings.get(("imap", "source_address"))
        if source is None:
            return
        try:
            local = ip_address(str(source.value))
        except ValueError:
            yield self._mistake(source.path, "must be a numeric address of this host, such as 192.0.2.5")
            return
        host = settings.get(("imap", "host"))
        try:
            remote = ip_address(str(host.value)) if host is not None else None
        except ValueError:
            return
        if remote is not None and remote.version != local.version:
            yield self._mistake(source.path, f"is IPv{local.version}, but the host is an IPv{remote.version} address")

    def _health_mailbox(self, path: KeyPath, settings: Settings) -> Iterator[Mistake]:
        passwords = [settings[key] for key in settings if key[0] == HEALTH_MAILBOX and key[-1] in PASSWORDS]
        user = settings.get((HEALTH_MAILBOX, "user"))
        if len(passwords) > 1:
            yield self._mistake(passwords[1].path, "is a second place for the same password; keep one")
        if user is not None and not passwords:
            text = "has no password; give password_file, password_environment or password_credential"
            yield from self._missing(user.path[:-1], text)
        if user is None and passwords and not self._validated.was_given((*path, HEALTH_MAILBOX, "user")):
            yield from self._missing((*passwords[0].path[:-1], "user"), "is missing; whose password is it?")

    def _placeholders(self, settings: Settings) -> Iterator[Mistake]:
        for setting in settings.values():
            texts = setting.value if isinstance(setting.value, list) else [setting.value]
            for text in texts:
                unknown = (
                    [found for found in _PLACEHOLDER.findall(text) if found != "{name}"]
                    if isinstance(text, str)
                    else []
                )
                if unknown:
                    yield self._mistake(setting.path, f"has {quoted(unknown[0])}; the only placeholder is {{name}}")

    def _shared_mailboxes(self) -> Iterator[Mistake]:
        """Two conversations in one mailbox would meet each other's messages, and two databases need two canaries."""
        owners: dict[str, str] = {}
        for name, settings in self._databases.items():
            yield from self._shared(owners, settings, name, f"database {name}", claim=True)
        for name, settings in self._settings.items():
            yield from self._shared(owners, settings, name, f"server {name}", claim=False)

    def _shared(
        self, owners: dict[str, str], settings: Settings, name: str, owner: str, *, claim: bool
    ) -> Iterator[Mistake]:
        user = settings.get((HEALTH_MAILBOX, "user"))
        if user is None:
            return
        filled = str(user.value).replace("{name}", name.lower()).lower()
        first = owners.get(filled, owner)
        if first != owner:
            text = f"gives {owner} the health mailbox {quoted(filled)}, which {first} has; each needs its own"
            yield self._mistake(user.path, text)
        elif claim:
            owners[filled] = owner
