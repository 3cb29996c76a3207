"""
Whether every key exists and every value is of its kind: all mistakes at once, each in words.

What is wrong is taken out of the tree, so that what is left can still be looked at for mistakes between its parts.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mailward.config.keys import NAMES
from mailward.config.mistakes import KeyPath, Mistake, hint, quoted
from mailward.config.schema import Configuration, keys_at
from mailward.config.sources import Sources

#: Keys under which people write a secret itself.
_TOKENS = frozenset({"token", "bearer_token", "bearer", "api_key"})
_SECRETS = _TOKENS | {"password", "passwd", "pass", "pw", "secret"}
_NOT_WRITTEN = (
    "would be a {what} in the configuration, which many people can read; write it to a file of its own and give"
    " {place}_file, or use {place}_environment or {place}_credential"
)
_KINDS = {
    "string_type": "must be text in quotation marks",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": 'must be a list, such as ["a", "b"]',
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_too_long": "is too long",
    "finite_number": "must be a finite number",
}
_PASSES_MAX = 8


@dataclass(frozen=True, kw_only=True)
class Validated:
    """What is right in a configuration, and what is wrong."""

    configuration: Configuration
    mistakes: tuple[Mistake, ...]
    wrong: frozenset[KeyPath]
    """The paths that were taken out: what is missing there is not missing for want of writing."""

    def was_given(self, path: KeyPath) -> bool:
        """Whether something wrong stood at *path* or around it."""
        return any(bad == path[: len(bad)] or path == bad[: len(path)] for bad in self.wrong)


def validate(sources: Sources) -> Validated:
    """Check the tree of *sources* against the schema. Never raises, whatever the tree holds."""
    tree = deepcopy(sources.tree)
    mistakes = list(_plain_secrets(sources, tree))
    wrong: set[KeyPath] = set()
    for _ in range(_PASSES_MAX):
        try:
            configuration = Configuration.model_validate(tree)
        except ValidationError as error:
            for details in error.errors(include_url=False, include_context=True):
                path: KeyPath = tuple(details["loc"])
                mistakes.append(sources.mistake(path, _in_words(details)))
                wrong.add(_take_out(tree, path))
        else:
            return Validated(configuration=configuration, mistakes=tuple(mistakes), wrong=frozenset(wrong))
    return Validated(configuration=Configuration(), mistakes=tuple(mistakes), wrong=frozenset({()}))


def _plain_secrets(sources: Sources, tree: dict[str, Any]) -> Iterator[Mistake]:
    for path in list(_paths(tree, ())):
        word = str(path[-1]).lower()
        if word in _SECRETS and not _is_name(path):
            _take_out(tree, path)
            # only channels have tokens
            is_token = word in _TOKENS and path[0] == "notify"
            what, place = ("token", "bearer_token") if is_token else ("password", "password")
            yield sources.mistake(path, _NOT_WRITTEN.format(what=what, place=place))


def _is_name(path: KeyPath) -> bool:
    """Whether the last key is a name somebody chose: a server called "token" is none of our business."""
    return (len(path) == 2 and path[0] in NAMES) or path[-2:-1] == ("members",)


def _paths(value: object, above: KeyPath) -> Iterator[KeyPath]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*above, key)
        yield from _paths(child, (*above, key))


def _take_out(tree: dict[str, Any], path: KeyPath) -> KeyPath:
    """Remove what stands at *path*, or the whole list it is in; return the path of what was removed."""
    table: Any = tree
    for depth, key in enumerate(path):
        if not isinstance(table, dict) or key not in table:
            break
        below = table[key]
        if depth == len(path) - 1 or not isinstance(below, dict):
            del table[key]
            return path[: depth + 1]
        table = below
    tree.clear()
    return ()


def _in_words(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    last = details["loc"][-1] if details["loc"] else ""
    if kind == "extra_forbidden":
        above = tuple(details["loc"][:-1])
        return f"is not known{hint(str(last), keys_at(above))}"
    if kind == "literal_error":
        shown = f", not {quoted(details['input'])}" if isinstance(details["input"], str) else ""
        return f"must be {str(context.get('expected', '')).replace(chr(39), chr(34))}{shown}"
    if kind == "value_error":
        return str(context.get("error", "is wrong"))
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        return f"must be at {'least' if kind == 'greater_than_equal' else 'most'} {bound}"
    if kind == "string_pattern_mismatch":
        where = f"{details['loc'][0]}.{last}"
        return _PATTERNS.get(where, _PATTERNS.get(str(last), _PATTERNS[""]))
    return _KINDS.get(kind, "is not what belongs here")


_PATTERNS = {
    "": "must be one line of text without control characters",
    "access_points.control": 'must be "haproxy:SOCKET" or "health-page"',
    "control": 'must be "systemd", "supervisor:SOCKET" or "command"',
    "service": 'must be "systemd:UNIT", "doveadm:CONFIG", "pidfile:FILE", "supervisor:SOCKET" or "command"',
    "map": (
        'must be "sqlite:FILE", "postgresql://USER@HOST/NAME", "mysql://USER@HOST/NAME", "ldap://HOST", "ldaps://HOST",'
        ' "ldapi://SOCKET" or "command"'
    ),
    "replication_address": 'must be "tcp:HOST:PORT" or "tcps:HOST:PORT"',
    "guidelines": "must be text without control characters",
    "support": "must be text without control characters",
    "identity": "must be 3 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit",
}
