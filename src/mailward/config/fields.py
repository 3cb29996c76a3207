"""
Kinds of values a configuration holds, as pydantic sees them, and tables made from the rooms' own settings classes.

Each room documents its settings where they stand; the tables here are derived from those classes, so that a new
setting needs no second declaration.
"""

import ast
import inspect
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    create_model,
)

from mailward.config.durations import PATTERN, read_duration, write_duration

_SECOND = timedelta(seconds=1)


def _positive(text: object) -> timedelta:
    duration = read_duration(text)
    if not duration:
        raise ValueError("must be longer than nothing")
    return duration


def _interval(text: object) -> timedelta:
    duration = read_duration(text)
    if duration < _SECOND:
        raise ValueError("must be at least one second, or the servers would be flooded")
    return duration


_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": PATTERN})
Duration = Annotated[timedelta, PlainValidator(read_duration), _DURATION_SCHEMA]
PositiveDuration = Annotated[timedelta, PlainValidator(_positive), _DURATION_SCHEMA]
Interval = Annotated[timedelta, PlainValidator(_interval), _DURATION_SCHEMA]
COUNT_MAX = 1_000_000
Count = Annotated[int, Field(ge=1, le=COUNT_MAX)]
Percent = Annotated[float, Field(ge=0, le=100)]
WholePercent = Annotated[int, Field(ge=0, le=100)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line without control characters."""


def _with_a_home(name: str) -> str:
    try:
        Path(name.partition(":")[2] or name).expanduser()
        Path(name).expanduser()
    except RuntimeError:
        raise ValueError("begins in the home directory of a user this machine does not know") from None
    return name


AT_HOME = AfterValidator(_with_a_home)
"""What begins with ~ must lead somewhere; also after a kind and a colon, as in "supervisor:~/socket"."""
FileName = Annotated[Text, AT_HOME]
"""A file or directory. Whether it is there is looked at where it is used."""


class Table(BaseModel):
    """A TOML table: nothing is required here, nothing unknown is passed over, and 1 is not true."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, defer_build=True)


def table_of(
    defaults: object, *, name: str, keys: Mapping[str, str] | None = None, more: Mapping[str, type[Table]] | None = None
) -> type[Table]:
    """
    Make the table for a room's settings.

    Args:
        defaults: The settings as they are when nothing is written: a dataclass of durations, numbers, booleans and such
            dataclasses.
        name: What the table is called in the schema.
        keys: TOML key -> field, when not all fields or other names are wanted.
        more: Tables within this one.
    """
    settings = type(defaults)
    hints, docs = get_type_hints(settings), attribute_docs(settings)
    chosen = keys or {field.name: field.name for field in fields(defaults)}  # type: ignore[arg-type]
    made: dict[str, Any] = {}
    for key, field in chosen.items():
        default = getattr(defaults, field)
        shown = None if default is None or is_dataclass(default) else {"default": plainly(default)}
        kind = _kind(hints[field], key, default)
        made[key] = (kind | None, Field(default=None, description=docs.get(field), json_schema_extra=shown))
    made |= {key: (kind | None, Field(default=None)) for key, kind in (more or {}).items()}
    return create_model(name, __base__=Table, __doc__=inspect.cleandoc(settings.__doc__ or ""), **made)


def plainly(value: Any) -> Any:
    """*value* as a configuration would hold it."""
    if isinstance(value, timedelta):
        return write_duration(value)
    return [plainly(item) for item in value] if isinstance(value, tuple) else value


def attribute_docs(settings: type) -> dict[str, str]:
    """The strings under the fields of a class and of the classes it builds on."""
    found: dict[str, str] = {}
    for cls in reversed(settings.__mro__):
        body = _classes_of(cls.__module__).get(cls.__name__, [])
        for field, below in pairwise(body):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                found[field.target.id] = inspect.cleandoc(str(below.value.value))
    return found


@cache
def _classes_of(module: str) -> dict[str, list[ast.stmt]]:
    """The bodies of a module's classes, as parsed."""
    if not module.startswith("mailward."):
        return {}
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}


def _kind(hint: Any, key: str, default: Any) -> Any:
    """The pydantic type for a field of that type; None in a hint only says that there is a default worked out later."""
    parts = tuple(part for part in get_args(hint) if part is not NoneType)
    if NoneType in get_args(hint):
        return _kind(parts[0], key, default)
    if hint is timedelta:
        return _duration_kind(key)
    if parts and parts[0] is timedelta:
        return list[Duration]
    if is_dataclass(hint) and isinstance(hint, type):
        return table_of(hint() if default is None else default, name=hint.__name__.replace("Settings", "Table"))
    simple: dict[Any, Any] = {bool: bool, int: WholePercent if "percent" in key else Count, float: Percent}
    return simple[hint]


def _duration_kind(key: str) -> Any:
    if "interval" in key or "every" in key:
        return Interval
    return Duration if key in ("grace", "margin") else PositiveDuration
