"""Mistakes in how databases are moved: what a map needs, and statements that could change more than they should."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from mailward.config.layers import PASSWORDS, Settings
from mailward.config.mistakes import KeyPath, Mistake, spelled
from mailward.config.open_secrets import told
from mailward.config.schema import Configuration
from mailward.config.schema_routing import ROUTING_COMMANDS, LdapTable, RoutingTable
from mailward.config.within import Within
from mailward.model.copies import CopyKind
from mailward.platforms.routing.said import PARAMETER

_ROUTING, _COMMAND = "routing", "command"
_STATEMENTS = ("active", "mailboxes", "switch")
_NEEDED_IN = {"mailboxes": ("database",), "switch": ("database", "source", "target")}
_PARAMETERS = {
    "active": (),
    "mailboxes": ("database",),
    "switch": ("database", "source", "target", "hold_until"),
}
#: Kind of replication -> the most copies it can have, and what to write where there are more.
_MOST_COPIES = {
    CopyKind.SINGLE.value: (1, '"replicator", "sync" or "shared-storage"'),
    CopyKind.REPLICATOR.value: (2, '"sync" or "shared-storage"'),
}
_LDAP = re.compile(r"ldap[si]?://")
_PASSWORD = re.compile(r"^[a-z]+://[^:/@]*:[^@]*@")
#: Of a database's address; libpq has `password` and `sslpassword`, drivers of MySQL `passwd` and `ssl_key_passphrase`.
_PASSWORD_KEY = re.compile(r"(password|passwd|passphrase)$", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+")
"""An attribute's name or number (RFC 4512, section 2.5); options such as ";lang-en" are not used."""
_ATTRIBUTES = ("database", "server", "hold_until", "mailbox")


def routing_mistakes(within: Within, configuration: Configuration) -> Iterator[Mistake]:
    """Mistakes in `[routing]`."""
    table = configuration.routing
    if table is None:
        return
    if table.map is None:
        text = (
            'is missing; "sqlite:FILE", "postgresql://USER@HOST/NAME", "mysql://USER@HOST/NAME", "ldap://HOST" or'
            ' "command"'
        )
        yield from within.missing((_ROUTING, "map"), text)
        return
    if _holds_a_password(table.map):
        text = "holds a password; give it by password_file, password_environment or password_credential"
        yield within.mistake((_ROUTING, "map"), text)
    for key, value in (("commands", table.map == _COMMAND), ("ldap", _LDAP.match(table.map))):
        if key in table.model_fields_set and not value:
            text = 'is used with map = "command" alone' if key == "commands" else 'is used with map = "ldap://…" alone'
            yield within.mistake((_ROUTING, key), text)
    if table.map == _COMMAND:
        yield from _by_command(within, table)
    elif _LDAP.match(table.map):
        yield from _by_ldap(within, table)
    else:
        yield from _one_password(within, table)
        yield from _by_statements(within, table)


def replication_mistakes(
    within: Within, path: KeyPath, settings: Settings, configuration: Configuration
) -> Iterator[Mistake]:
    """A kind of replication that the copies of the database at *path* cannot have; it would never be moved."""
    own, every, written = settings.get(("replication",)), configuration.replication, settings.get(("copies",))
    kind = own.value if own is not None else every.kind if every is not None else None
    copies = len({str(copy).lower() for copy in written.value}) if written and isinstance(written.value, list) else 0
    if own is not None and kind == CopyKind.REPLICATOR.value and copies == 1:
        yield within.mistake(own.path, f'is "{kind}", which needs two copies; name another, or take it out')
    most, instead = _MOST_COPIES.get(str(kind), (copies, ""))
    if copies <= most:
        return
    if own is not None:
        text = f'is "{kind}", which is for {most}, but {copies} copies are named; use {instead}, or name {most}'
        yield within.mistake(own.path, text)
    else:
        text = f'names {copies} servers, but replication.kind is "{kind}", which is for {most}; name {most}, or set'
        yield within.mistake((*path, "copies"), f"{text} {spelled((*path, 'replication'))} to {instead}")


def _holds_a_password(address: str) -> bool:
    _, _, query = address.partition("?")
    keys = (key for key, _ in parse_qsl(query, keep_blank_values=True))
    return _PASSWORD.search(address) is not None or any(_PASSWORD_KEY.search(key) for key in keys)


def _by_command(within: Within, table: RoutingTable) -> Iterator[Mistake]:
    commands: dict[str, list[str]] = table.commands.model_dump(exclude_unset=True) if table.commands is not None else {}
    for verb in ROUTING_COMMANDS:
        if verb not in commands:
            yield from within.missing((_ROUTING, "commands", verb), 'is missing; map = "command" needs it')
    for verb, words in commands.items():
        for text in told(words):
            yield within.mistake((_ROUTING, "commands", verb), text)
        for name in _NEEDED_IN.get(verb, ()):
            if not any(f"{{{name}}}" in word for word in words):
                yield within.mistake((_ROUTING, "commands", verb), f"does not mention {{{name}}}, which it needs")
    for key in (*_STATEMENTS, *PASSWORDS):
        if key in table.model_fields_set:
            yield within.mistake((_ROUTING, key), 'means nothing with map = "command"; take it out')


def _by_ldap(within: Within, table: RoutingTable) -> Iterator[Mistake]:
    yield from _one_password(within, table)
    for key in _STATEMENTS:
        if key in table.model_fields_set:
            yield within.mistake((_ROUTING, key), "means nothing in a directory; take it out")
    ldap = table.ldap
    if ldap is None:
        yield from within.missing((_ROUTING, "ldap"), 'is missing; map = "ldap://…" needs [routing.ldap]')
        return

    def at(key: str) -> tuple[str, str, str]:
        return (_ROUTING, "ldap", key)

    if ldap.base is None:
        yield from within.missing(at("base"), "is missing; below it are the entries that hold the server")
    for key in _ATTRIBUTES:
        name = getattr(ldap, key)
        if name is not None and not _ATTRIBUTE.fullmatch(name):
            yield within.mistake(at(key), "must be the name of an attribute, such as mailHost")
    for key in ("filter", "mailboxes"):
        wanted = getattr(ldap, key)
        if wanted is not None and not (wanted.startswith("(") and wanted.endswith(")")):
            yield within.mistake(at(key), "must be a filter in parentheses (RFC 4515), such as (objectClass=mailUser)")
    if ldap.mailboxes is not None and "{database}" not in ldap.mailboxes:
        # without it every mailbox would be one of every database
        yield within.mistake(at("mailboxes"), "does not mention {database}, which it needs")
    if ldap.starttls and table.map is not None and not table.map.startswith("ldap:"):
        yield within.mistake(at("starttls"), 'is for map = "ldap://…" alone')
    yield from _binding(within, table, ldap)


def _binding(within: Within, table: RoutingTable, ldap: LdapTable) -> Iterator[Mistake]:
    user = (_ROUTING, "ldap", "user")
    if ldap.user is not None and not ldap.starttls and table.map is not None and _crosses_a_network(table.map):
        text = "would send the password of routing.ldap.user where everybody on the way can read it"
        yield within.mistake((_ROUTING, "map"), f'{text}; use "ldaps://…", or set routing.ldap.starttls = true')
    has_password = any(key in table.model_fields_set for key in PASSWORDS)
    if ldap.user is None and has_password:
        yield from within.missing(user, "is missing; whose password is it?")
    if ldap.user is not None and not has_password:
        text = "has no password; give routing.password_file, password_environment or password_credential"
        yield within.mistake(user, text)


def _crosses_a_network(address: str) -> bool:
    """Whether what is said there is unencrypted, and leaves this machine; "ldap:///" is this machine to OpenLDAP."""
    if not address.startswith("ldap:"):
        return False
    try:
        host = urlsplit(address).hostname or "localhost"
        return host != "localhost" and not ip_address(host).is_loopback
    except ValueError:  # a name, or nothing that can be understood
        return True


def _one_password(within: Within, table: RoutingTable) -> Iterator[Mistake]:
    places = [key for key in PASSWORDS if key in table.model_fields_set]
    for second in places[1:]:
        yield within.mistake((_ROUTING, second), "is a second place for the same password; keep one")


def _by_statements(within: Within, table: RoutingTable) -> Iterator[Mistake]:
    for key in _STATEMENTS:
        statement = getattr(table, key)
        if statement is None:
            yield from within.missing((_ROUTING, key), "is missing; the reference page has an example")
            continue
        known = set(PARAMETER.findall(statement))
        for parameter in _NEEDED_IN.get(key, ()):
            if parameter not in known:
                # without :source it would overwrite what somebody else has just changed
                # followed by another colon it is none to the driver
                cast = f"; a cast of it is CAST(:{parameter} AS …)" if f":{parameter}::" in statement else ""
                yield within.mistake((_ROUTING, key), f"does not mention :{parameter}, which it needs{cast}")
        for parameter in sorted(known - set(_PARAMETERS[key])):
            has = ", ".join(f":{name}" for name in _PARAMETERS[key]) or "none"
            text = f"has :{parameter}, which is no parameter of it (it has {has}); write \\: for a colon that is meant"
            yield within.mistake((_ROUTING, key), text)
