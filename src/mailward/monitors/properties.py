"""
What an override may change of a probe, a monitor or a responder, and how its value is read from text.

The properties of a monitor are the fields of its settings class, by the names that `[monitors.X]` has in a
configuration; those of a table within it are written with a dot: percent.minimum_percent. Limits are the
configuration's: nothing may be overridden to what a configuration could not say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from mailward.model import items
from mailward.model.durations import read_duration, write_duration
from mailward.model.errors import NotFound, Refused
from mailward.model.recovery import ActionClass, Mode
from mailward.monitors.settings import FIELD_OF_ITEM, MonitorSettings

EVERY_CLASS = "mode"
"""The property of a responder that sets the mode of all its classes of action."""
_SECOND = timedelta(seconds=1)
_COUNT_MAX = 1_000_000
_LIST_MAX = 20
_MAY_BE_NOTHING = frozenset({"grace"})
Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """One thing that can be overridden."""

    name: str
    kind: str
    """How its value is written, for people: "a duration, at least 1s"."""
    read: Callable[[str], object]
    """Reads a value; raises ValueError whose text follows "VALUE is not …"."""
    write: Callable[[Any], str]
    """Writes a value in the one form that is stored and shown."""


def probe_properties(probe: str) -> Mapping[str, Property]:
    """What can be overridden of a probe by that name."""
    known = [
        _switch("enabled"),
        Property(name="interval", kind="a duration of at least 1s", read=_interval, write=write_duration),
        Property(name="timeout", kind="a duration", read=_positive, write=write_duration),
    ]
    if probe == items.DEEP_TEST_PROBE:
        known.append(
            Property(name="write_turn_every", kind="a duration of at least 1s", read=_interval, write=write_duration)
        )
    return {one.name: one for one in known}


def monitor_properties(monitor: str) -> Mapping[str, Property]:
    """What can be overridden of a monitor by that name: every setting it has."""
    settings = getattr(MonitorSettings(), FIELD_OF_ITEM[monitor])
    return {one.name: one for one in _of_settings(type(settings), "")}


def responder_properties() -> Mapping[str, Property]:
    """What can be overridden of what follows from a monitor: the mode of each class of action, or of all of them."""
    modes = ", ".join(mode.value for mode in Mode)
    names = (EVERY_CLASS, *(action.value for action in ActionClass))
    return {
        name: Property(name=name, kind=f"one of {modes}", read=_mode, write=lambda mode: str(mode.value))
        for name in names
    }


def read_value(known: Mapping[str, Property], name: str, text: str, *, of: str) -> tuple[str, object]:
    """
    Read a property and its value as somebody wrote them.

    Args:
        known: The properties there are.
        name: The property, in any case.
        text: The value.
        of: Whose property it is, for the text of errors.

    Returns:
        The property as it is spelled, and the value.

    Raises:
        NotFound: There is no such property; the text names the nearest.
        Refused: The value is none; the text says how to write one.
    """
    spelled = {one.lower(): one for one in known}
    found = spelled.get(name.strip().lower())
    if found is None:
        nearest = get_close_matches(name.lower(), spelled, n=1, cutoff=0.5)
        hint = f"did you mean {spelled[nearest[0]]!r}?" if nearest else f"known: {', '.join(known)}"
        raise NotFound(f"{of} has no property {name!r}; {hint}")
    try:
        return found, known[found].read(text.strip())
    except ValueError as error:
        raise Refused(f"the value {text!r} of {of}: {found} {error}") from error


def with_value(settings: Value, path: str, value: object) -> Value:
    """*settings* with the field at a dotted *path* changed; a table that is absent begins with its defaults."""
    name, _, rest = path.partition(".")
    if rest:
        inner = getattr(settings, name)
        value = with_value(_table_in(type(settings), name)() if inner is None else inner, rest, value)
    changed: Any = {name: value}
    return replace(settings, **changed)  # type: ignore[type-var]


def _of_settings(settings: type, prefix: str) -> list[Property]:
    hints = get_type_hints(settings)
    found: list[Property] = []
    for field in fields(settings):
        table = _table_in(settings, field.name)
        if table is None:
            found.append(_property(f"{prefix}{field.name}", field.name, hints[field.name]))
        else:
            found += _of_settings(table, f"{prefix}{field.name}.")
    return found


def _table_in(settings: type, name: str) -> Any:
    """The dataclass a field holds, also where it is absent by default; None for a plain value."""
    hint = get_type_hints(settings)[name]
    kinds = (hint, *get_args(hint))
    return next((kind for kind in kinds if isinstance(kind, type) and is_dataclass(kind)), None)


def _property(path: str, name: str, hint: Any) -> Property:
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if hint is bool:
        return _switch(path)
    if kinds and kinds[0] is timedelta and NoneType not in get_args(hint):
        kind = f"durations, at most {_LIST_MAX}, separated by commas; none for an empty list"
        return Property(name=path, kind=kind, read=_durations, write=_write_durations)
    if timedelta in (hint, *kinds):
        read = read_duration if name in _MAY_BE_NOTHING else _positive
        return Property(name=path, kind="a duration", read=read, write=write_duration)
    if int in (hint, *kinds):
        return Property(name=path, kind=f"a whole number from 1 to {_COUNT_MAX}", read=_count, write=str)
    if float in (hint, *kinds):
        return Property(name=path, kind="a percentage from 0 to 100", read=_percent, write=lambda value: f"{value:g}")
    raise TypeError(f"no way to read {path}, {hint}")


def _switch(name: str) -> Property:
    return Property(name=name, kind="true or false", read=_boolean, write=lambda value: str(value).lower())


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return text.lower() == "true"


def _positive(text: str) -> timedelta:
    duration = read_duration(text)
    if not duration:
        raise ValueError("must be longer than nothing")
    return duration


def _interval(text: str) -> timedelta:
    duration = read_duration(text)
    if duration < _SECOND:
        raise ValueError("must be at least one second, or the servers would be flooded")
    return duration


def _durations(text: str) -> tuple[timedelta, ...]:
    if text.lower() == "none":
        return ()
    read = tuple(_positive(part) for part in text.split(","))
    if len(read) > _LIST_MAX:
        raise ValueError(f"has more than {_LIST_MAX} durations")
    return read


def _write_durations(durations: tuple[timedelta, ...]) -> str:
    return ",".join(write_duration(duration) for duration in durations) or "none"


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:8]) <= _COUNT_MAX or len(text) > 7:
        raise ValueError(f"is not a whole number from 1 to {_COUNT_MAX}")
    return int(text)


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 100:
        raise ValueError("is not a percentage from 0 to 100")
    return value


def _mode(text: str) -> Mode:
    known = {mode.value: mode for mode in Mode}
    if text.lower() not in known:
        nearest = get_close_matches(text.lower(), known, n=1, cutoff=0.5)
        raise ValueError(f"is none of {', '.join(known)}" + (f"; did you mean {nearest[0]!r}?" if nearest else ""))
    return known[text.lower()]
