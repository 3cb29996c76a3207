"""Mistakes in how databases are moved: what a map needs, and statements that could change more than they should."""

import re
from collections.abc import Iterator

from mailward.config.layers import PASSWORDS
from mailward.config.mistakes import Mistake
from mailward.config.schema import Configuration, RoutingTable
from mailward.config.schema_acting import ROUTING_COMMANDS
from mailward.config.within import Within

_ROUTING, _COMMAND = "routing", "command"
_STATEMENTS = ("active", "mailboxes", "switch")
_NEEDED_IN = {"mailboxes": ("database",), "switch": ("database", "source", "target")}
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")


def routing_mistakes(within: Within, configuration: Configuration) -> Iterator[Mistake]:
    """Mistakes in `[routing]`."""
    table = configuration.routing
    if table is None:
        return
    if table.map is None:
        text = 'is missing; "sqlite:FILE", "postgresql://USER@HOST/NAME", "mysql://USER@HOST/NAME" or "command"'
        yield from within.missing((_ROUTING, "map"), text)
    elif table.map == _COMMAND:
        yield from _by_command(within, table)
    else:
        yield from _by_statements(within, table)


def _by_command(within: Within, table: RoutingTable) -> Iterator[Mistake]:
    commands: dict[str, list[str]] = table.commands.model_dump(exclude_unset=True) if table.commands is not None else {}
    for verb in ROUTING_COMMANDS:
        if verb not in commands:
            yield from within.missing((_ROUTING, "commands", verb), 'is missing; map = "command" needs it')
    for key in (*_STATEMENTS, *PASSWORDS):
        if key in table.model_fields_set:
            yield within.mistake((_ROUTING, key), 'means nothing with map = "command"; take it out')


def _by_statements(within: Within, table: RoutingTable) -> Iterator[Mistake]:
    if table.map is not None and re.match(r"[a-z]+://[^/@]*:[^/@]*@", table.map):
        text = "holds a password; give it by password_file, password_environment or password_credential"
        yield within.mistake((_ROUTING, "map"), text)
    if "commands" in table.model_fields_set:
        yield within.mistake((_ROUTING, "commands"), 'is used with map = "command" alone')
    places = [key for key in PASSWORDS if key in table.model_fields_set]
    for second in places[1:]:
        yield within.mistake((_ROUTING, second), "is a second place for the same password; keep one")
    for key in _STATEMENTS:
        statement = getattr(table, key)
        if statement is None:
            yield from within.missing((_ROUTING, key), "is missing; the reference page has an example")
            continue
        known = set(_PARAMETER.findall(statement))
        for parameter in _NEEDED_IN.get(key, ()):
            if parameter not in known:
                # without :source it would overwrite what somebody else has just changed
                yield within.mistake((_ROUTING, key), f"does not mention :{parameter}, which it needs")
