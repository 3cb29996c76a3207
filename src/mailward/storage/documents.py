"""Values as the JSON text of a row. It is written and read on the database's thread, never on the event loop."""

import json
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from mailward.model.errors import TemporaryFailure
from mailward.model.wire import fields_of, from_plain, to_plain

Value = TypeVar("Value")
_encode = json.JSONEncoder(separators=(",", ":")).encode
_DEFAULTS: dict[type, dict[str, Any]] = {}


def to_document(value: object) -> str:
    """The wire form of *value*, without the fields that say no more than their default: most of a healthy result."""
    defaults = _defaults_of(type(value))
    plain = to_plain(value)
    return _encode({name: field for name, field in plain.items() if name not in defaults or field != defaults[name]})


def of_document(kind: type[Value], document: str, **known: object) -> Value:
    """
    Read what `to_document` wrote; what is *known*, by its name on the wire, stands in columns of its own.

    Raises:
        TemporaryFailure: It cannot be read: the file is damaged, or a newer version wrote it.
    """
    try:
        return from_plain(kind, {**json.loads(document), **known} if known else json.loads(document))
    except (TypeError, ValueError) as error:
        raise TemporaryFailure(f"the store holds a {kind.__name__} that cannot be read: {error}") from error


def to_lines(lines: tuple[str, ...]) -> str:
    """A transcript as text."""
    return _encode(lines)


def of_lines(text: str) -> tuple[str, ...]:
    """
    Read what `to_lines` wrote.

    Raises:
        TemporaryFailure: It cannot be read.
    """
    try:
        return tuple(json.loads(text))
    except (TypeError, ValueError) as error:
        raise TemporaryFailure(f"the store holds a transcript that cannot be read: {error}") from error


def _defaults_of(kind: Any) -> dict[str, Any]:
    """Name on the wire -> default in its wire form; a default that is made anew each time is none of these."""
    if kind not in _DEFAULTS:
        wire_names = {name: wire_name for name, wire_name, _ in fields_of(kind)}
        _DEFAULTS[kind] = {
            wire_names[field.name]: to_plain(field.default) for field in fields(kind) if field.default is not MISSING
        }
    return _DEFAULTS[kind]
