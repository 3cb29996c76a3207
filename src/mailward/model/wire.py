"""
Value <-> plain dict: the only owner of JSON field names (design, "Agreements": JSON).

Fields are named as in the dataclass, in snake_case, or as the field's own `metadata={"wire": …}` says; durations become
whole or broken milliseconds under `NAME_ms`, moments RFC 3339 in UTC with milliseconds, enum members their text, and
what is absent is null. A field may be added, never renamed: a renamed one would break whoever reads us.
"""

from collections.abc import Iterable, Mapping
from dataclasses import Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

SCHEMA = 1
"""The `schema` member of every top-level answer."""

Value = TypeVar("Value")
_ONE_MS = timedelta(milliseconds=1)
_FIELDS: dict[type, tuple[tuple[str, str, Any], ...]] = {}


def to_plain(value: object) -> Any:  # noqa: PLR0911 - one return per kind of value reads best
    """
    Return *value* as what JSON can hold: dict, list, str, int, float, bool or None.

    Raises:
        TypeError: For a kind of value that has no agreed form.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return moment_to_text(value)
    if isinstance(value, timedelta):
        return duration_to_ms(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {wire_name: to_plain(getattr(value, name)) for name, wire_name, _ in fields_of(type(value))}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(to_plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    raise TypeError(f"no wire form for {type(value).__name__}")


def answer(value: object) -> dict[str, Any]:
    """Return one value as a top-level answer: its own members beside `schema`."""
    return {"schema": SCHEMA, **to_plain(value)}


def listing(values: Iterable[object], *, next_: str | None = None) -> dict[str, Any]:
    """Return values as a top-level list; *next_* asks for what follows, None when there is no more."""
    return {"schema": SCHEMA, "items": [to_plain(value) for value in values], "next": next_}


def from_plain(kind: type[Value], plain: Mapping[str, Any]) -> Value:
    """
    Read a dataclass of *kind* from *plain*; keys it does not know are passed over, missing ones take their default.

    Raises:
        ValueError: A field is missing or of the wrong kind; the text names it.
    """
    given: dict[str, Any] = {}
    for name, wire_name, hint in fields_of(kind):
        if wire_name in plain:
            try:
                given[name] = _read(hint, plain[wire_name])
            except (TypeError, ValueError, KeyError) as error:
                raise ValueError(f"{kind.__name__}.{wire_name}: {error}") from error
    try:
        return kind(**given)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


def moment_to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: 2026-11-24T03:04:05.678Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def text_to_moment(text: str) -> datetime:
    """Read an RFC 3339 moment; one without a zone is refused with ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the moment {text!r} has no time zone")
    return moment.astimezone(UTC)


def duration_to_ms(duration: timedelta) -> float:
    """Milliseconds with three digits after the point, which is the microsecond a duration is kept to."""
    return round(duration / _ONE_MS, 3)


def fields_of(kind: Any) -> tuple[tuple[str, str, Any], ...]:
    """(field, name on the wire, type) of each field; read from the annotations once per dataclass."""
    if kind not in _FIELDS:
        hints = get_type_hints(kind)
        _FIELDS[kind] = tuple(
            (field.name, _wire_name(field, hints[field.name]), hints[field.name]) for field in fields(kind)
        )
    return _FIELDS[kind]


def _wire_name(field: Field[Any], hint: Any) -> str:
    agreed = field.metadata.get("wire")
    if agreed is not None:
        return str(agreed)
    return f"{field.name}_ms" if _holds_duration(hint) else field.name


def _holds_duration(hint: Any) -> bool:
    return hint is timedelta or timedelta in get_args(hint)


def _read(hint: Any, plain: Any) -> Any:  # noqa: PLR0911 - one return per kind of value reads best
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if plain is None and NoneType in arguments:
            return None
        return _read(next(argument for argument in arguments if argument is not NoneType), plain)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return tuple(_read(arguments[0], item) for item in plain)
        return tuple(_read(kind, item) for kind, item in zip(arguments, plain, strict=True))
    if origin is frozenset:
        return frozenset(_read(arguments[0], item) for item in plain)
    if origin is not None:  # Mapping[str, object] and the like: plain already
        return dict(plain)
    if hint is datetime:
        return text_to_moment(plain)
    if hint is timedelta:
        return timedelta(milliseconds=plain)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(plain)
    if isinstance(hint, type) and is_dataclass(hint):
        return from_plain(hint, plain)
    if hint in (str, int, float, bool) and not isinstance(plain, hint | int if hint is float else hint):
        raise TypeError(f"{plain!r} is not a {hint.__name__}")
    return plain
