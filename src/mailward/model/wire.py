"""
Value <-> plain dict: the only owner of JSON field names (design, "Agreements": JSON).

Fields are named as in the dataclass, in snake_case, or as the field's own `metadata={"wire": …}` says; durations become
whole or broken milliseconds under `NAME_ms`, moments RFC 3339 in UTC with milliseconds, enum members their text, and
what is absent is null. A field may be added, never renamed: a renamed one would break whoever reads us.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

SCHEMA = 1
"""The `schema` member of every top-level answer."""

Value = TypeVar("Value")
Form = Callable[[Any], Any]
_ONE_MS = timedelta(milliseconds=1)
_FIELDS: dict[type, tuple[tuple[str, str, Any], ...]] = {}
# How each type is written and read is found out once: a store reads tens of thousands of values at a start.
_FORMS: dict[type, Form] = {}
_READERS: dict[type, tuple[tuple[str, str, Form], ...]] = {}


def to_plain(value: object) -> Any:
    """
    Return *value* as what JSON can hold: dict, list, str, int, float, bool or None.

    Raises:
        TypeError: For a kind of value that has no agreed form.
    """
    kind = type(value)
    form = _FORMS.get(kind)
    if form is None:
        form = _FORMS[kind] = _form_of(kind)
    return form(value)


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
    for name, wire_name, read in _readers_of(kind):
        if wire_name in plain:
            try:
                given[name] = read(plain[wire_name])
            except (TypeError, ValueError, KeyError) as error:
                raise ValueError(f"{kind.__name__}.{wire_name}: {error}") from error
    try:
        return kind(**given)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


def moment_to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: 2026-11-24T03:04:05.678Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def text_to_moment(text: str) -> datetime:
    """Read an RFC 3339 moment; one without a zone is refused with ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the moment {text!r} has no time zone")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


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


def _form_of(kind: type) -> Form:  # noqa: PLR0911 - one return per kind of value reads best
    """How values of *kind* are written."""
    if issubclass(kind, NoneType | str | bool | int | float):
        return _as_it_is
    if issubclass(kind, Enum):
        return attrgetter("value")
    if issubclass(kind, datetime):
        return moment_to_text
    if issubclass(kind, timedelta):
        return duration_to_ms
    if is_dataclass(kind):
        named = tuple((wire_name, name) for name, wire_name, _ in fields_of(kind))
        return lambda value: {wire_name: to_plain(getattr(value, name)) for wire_name, name in named}
    if issubclass(kind, Mapping):
        return lambda value: {str(key): to_plain(item) for key, item in value.items()}
    if issubclass(kind, frozenset):
        return lambda value: sorted(to_plain(item) for item in value)
    if issubclass(kind, tuple | list):
        return lambda value: [to_plain(item) for item in value]
    raise TypeError(f"no wire form for {kind.__name__}")


def _readers_of(kind: Any) -> tuple[tuple[str, str, Form], ...]:
    """(field, name on the wire, how it is read) of each field."""
    if kind not in _READERS:
        _READERS[kind] = tuple((name, wire_name, _reader_of(hint)) for name, wire_name, hint in fields_of(kind))
    return _READERS[kind]


def _reader_of(hint: Any) -> Form:  # noqa: PLR0911 - one return per kind of value reads best
    """How a value annotated with *hint* is read from its plain form."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        read = _reader_of(next(argument for argument in arguments if argument is not NoneType))
        return _or_none(read) if NoneType in arguments else read
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin is frozenset:
        read_item = _reader_of(arguments[0])
        return lambda plain: frozenset(map(read_item, plain))
    if origin is not None:  # Mapping[str, object] and the like: plain already
        return dict
    if hint is datetime:
        return text_to_moment
    if hint is timedelta:
        return lambda plain: timedelta(milliseconds=plain)
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = {member.value: member for member in hint}
        return lambda plain: members.get(plain) or hint(plain)  # the slow way knows how to complain
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda plain: from_plain(hint, plain)
    if hint in (str, int, float, bool):
        return _checked(hint)
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _or_none(read: Form) -> Form:
    return lambda plain: None if plain is None else read(plain)


def _tuple_reader(arguments: tuple[Any, ...]) -> Form:
    if arguments[-1] is Ellipsis:
        read_item = _reader_of(arguments[0])
        return lambda plain: tuple(map(read_item, plain))
    reads = tuple(_reader_of(argument) for argument in arguments)
    return lambda plain: tuple(read(item) for read, item in zip(reads, plain, strict=True))


def _checked(kind: type) -> Form:
    allowed = (int, float) if kind is float else kind

    def read(plain: Any) -> Any:
        if not isinstance(plain, allowed):
            raise TypeError(f"{plain!r} is not a {kind.__name__}")
        return plain

    return read
