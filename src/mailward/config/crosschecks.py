"""
Mistakes between parts that are right by themselves: names that lead nowhere, things that are missing, doubles.

Works on what validation left over, so that everything wrong is said in one go; what is missing only because it was
wrong is not called missing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from mailward.config.crosschecks_channels import channel_mistakes
from mailward.config.crosschecks_host import access_point_mistakes, host_mistakes, peer_mistakes
from mailward.config.crosschecks_routing import replication_mistakes, routing_mistakes
from mailward.config.crosschecks_web import web_mistakes
from mailward.config.layers import (
    HEALTH_MAILBOX,
    Settings,
    database_settings,
    leaves,
    members,
    server_settings,
)
from mailward.config.mistakes import KeyPath, Mistake, hint, quoted
from mailward.config.sources import Sources
from mailward.config.validation import Validated
from mailward.config.within import Within

_SERVER_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_THING_NAME = re.compile(r"[^\s\x00-\x1f\x7f/\\@]([^\x00-\x1f\x7f/\\]{0,98}[^\s\x00-\x1f\x7f/\\])?")
_NAMED = ("servers", "groups", "templates", "access_points", "databases", "notify")


def cross_check(sources: Sources, validated: Validated) -> tuple[Mistake, ...]:
    """Every mistake between the parts of a configuration."""
    return tuple(_Checker(sources, validated).mistakes())


class _Checker:
    """Goes over all parts; holds what the checks share."""

    def __init__(self, sources: Sources, validated: Validated) -> None:
        self._within = Within(sources, validated)
        self._validated = validated
        self._configuration = validated.configuration
        self._servers = self._configuration.servers or {}
        self._folded = {name.lower(): name for name in self._servers}
        self._settings, self._clashes = server_settings(self._configuration)
        self._databases = database_settings(self._configuration)

    def mistakes(self) -> Iterator[Mistake]:
        """All of them, part by part."""
        yield from self._organization()
        if self._configuration.web is not None:
            yield from web_mistakes(self._within, self._configuration.web)
        yield from self._names()
        yield from self._groups()
        for name, settings in self._settings.items():
            yield from self._server(name, settings)
        yield from peer_mistakes(self._within, self._settings)
        yield from self._access_points()
        for name, settings in self._databases.items():
            yield from self._database(name, settings)
        yield from self._shared_mailboxes()
        for name, table in (self._configuration.notify or {}).items():
            yield from channel_mistakes(self._within, ("notify", name), table)
        yield from routing_mistakes(self._within, self._configuration)

    def _organization(self) -> Iterator[Mistake]:
        about = self._configuration.organization
        if about is None or about.name is None:
            yield from self._within.missing(("organization", "name"), 'is missing; give it as name = "example" there')
        if not self._servers:
            yield from self._within.missing(
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
                    yield self._within.mistake((section, name), f"cannot be a name; {allowed}")
                first = seen.setdefault(name.lower(), name)
                if first != name:
                    yield self._within.mistake(
                        (section, name), f"differs from {quoted(first)} only by case; they would be one"
                    )
        yield from self._known_as()

    def _known_as(self) -> Iterator[Mistake]:
        owner = dict(self._folded)
        for name, settings in self._settings.items():
            setting = settings.get(("known_as",))
            for known in setting.value if setting and isinstance(setting.value, list) else ():
                other = owner.setdefault(str(known).replace("{name}", name).lower(), name)
                if other != name and setting:
                    yield self._within.mistake(
                        setting.path, f"gives {name} the name {quoted(known)}, which {other} has"
                    )

    def _groups(self) -> Iterator[Mistake]:
        templates = self._configuration.templates or {}
        for name, group in (self._configuration.groups or {}).items():
            path = ("groups", name)
            if group.servers is None:
                yield from self._within.missing((*path, "servers"), "is missing; an empty list means no server")
            for pattern, matched in members(self._servers, group.servers or ()).items():
                if not matched and not self._validated.was_given(("servers", pattern)):
                    yield self._within.mistake((*path, "servers"), self._unknown_server(pattern))
            if group.template is not None and group.template not in templates:
                text = f"names {quoted(group.template)}, which is no template{hint(group.template, templates)}"
                yield self._within.mistake((*path, "template"), text)
        for clash in self._clashes:
            yield self._within.mistake(clash.second, str(clash))

    def _unknown_server(self, name: str) -> str:
        if any(char in name for char in "*?["):
            return f"has the pattern {quoted(name)}, which matches no server"
        return f"names {quoted(name)}, which is no server{hint(name, self._servers)}"

    def _known_servers(self, path: KeyPath, names: Iterable[str]) -> Iterator[Mistake]:
        seen: set[str] = set()
        for name in names:
            if name.lower() not in self._folded and not self._validated.was_given(("servers", name)):
                yield self._within.mistake(path, self._unknown_server(name))
            elif name.lower() in seen:
                yield self._within.mistake(path, f"names {quoted(name)} twice")
            seen.add(name.lower())

    def _server(self, name: str, settings: Settings) -> Iterator[Mistake]:
        path = ("servers", name)
        roles = settings.get(("roles",))
        if roles is None:
            yield from self._within.missing(
                (*path, "roles"), 'is missing; give ["proxy"], ["mailbox"] or both, here or by a group'
            )
        elif not roles.value:
            yield self._within.mistake(roles.path, "is empty; a server without a role would not be watched")
        yield from self._within.endpoint(settings)
        yield from self._within.health_mailbox(path, settings)
        yield from self._within.placeholders(settings)
        yield from host_mistakes(self._within, path, settings)

    def _access_points(self) -> Iterator[Mistake]:
        for name, table in (self._configuration.access_points or {}).items():
            path = ("access_points", name)
            if name.lower() in self._folded:
                text = "has the name of a server, so that nobody could tell their touch points apart; give it another"
                yield self._within.mistake(path, f"{text}, such as the DNS name users connect to")
            yield from self._known_servers((*path, "servers"), table.servers or ())
            settings = dict(leaves(table, path))
            yield from self._within.endpoint(settings)
            yield from self._within.placeholders(settings)
            yield from access_point_mistakes(self._within, path, table)

    def _database(self, name: str, settings: Settings) -> Iterator[Mistake]:
        path = ("databases", name)
        given = settings.get(("copies",))
        copies: list[str] = given.value if given is not None and isinstance(given.value, list) else []
        if not copies:
            text = "is missing; name the mailbox servers that hold a copy, the preferred one first"
            yield from self._within.missing((*path, "copies"), text)
        yield from self._known_servers((*path, "copies"), copies)
        yield from self._copies(path, copies)
        yield from replication_mistakes(self._within, path, settings, self._configuration)
        active = settings.get(("active",))
        if active is not None and copies and str(active.value).lower() not in {copy.lower() for copy in copies}:
            yield self._within.mistake(
                active.path, f"is {quoted(str(active.value))}, which holds no copy{hint(str(active.value), copies)}"
            )
        yield from self._within.health_mailbox(path, settings)
        yield from self._within.placeholders(settings)

    def _copies(self, path: KeyPath, copies: Iterable[str]) -> Iterator[Mistake]:
        for copy in copies:
            roles = self._settings.get(self._folded.get(copy.lower(), ""), {}).get(("roles",))
            if roles is not None and isinstance(roles.value, list) and "mailbox" not in roles.value:
                yield self._within.mistake((*path, "copies"), f"names {quoted(copy)}, which has not the role mailbox")

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
            yield self._within.mistake(user.path, text)
        elif claim:
            owners[filled] = owner
