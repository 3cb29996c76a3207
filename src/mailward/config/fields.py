"""
Kinds of values a configuration holds, as pydantic sees them, and tables made from the rooms' own settings classes.

Each room documents its settings where they stand; the tables here are derived from those classes, so that a new
setting needs no second declaration.
"""

import ast
import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_type_hints
from urllib.parse import urlsplit

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

from mailward.model.durations import PATTERN, read_duration, write_duration

_SECOND = timedelta(seconds=1)
#: Unhealthy means broken for a minute; what runs is not touched before (design, "Recovery").
_PATIENCE_LEAST = timedelta(seconds=60)
_AGAIN_LEAST = timedelta(minutes=1)


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


def _patience(text: object) -> timedelta:
    duration = read_duration(text)
    if duration < _PATIENCE_LEAST:
        raise ValueError("must be at least 60s: what is only slow for a moment must not be restarted")
    return duration


def _again(text: object) -> timedelta:
    duration = read_duration(text)
    if duration < _AGAIN_LEAST:
        raise ValueError("must be at least one minute, or people would be told nothing else")
    return duration


_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": PATTERN})
Duration = Annotated[timedelta, PlainValidator(read_duration), _DURATION_SCHEMA]
PositiveDuration = Annotated[timedelta, PlainValidator(_positive), _DURATION_SCHEMA]
Interval = Annotated[timedelta, PlainValidator(_interval), _DURATION_SCHEMA]
Patience = Annotated[timedelta, PlainValidator(_patience), _DURATION_SCHEMA]
Again = Annotated[timedelta, PlainValidator(_again), _DURATION_SCHEMA]
Port = Annotated[int, Field(ge=1, le=65535)]
COUNT_MAX = 1_000_000
Count = Annotated[int, Field(ge=1, le=COUNT_MAX)]
Percent = Annotated[float, Field(ge=0, le=100)]
WholePercent = Annotated[int, Field(ge=0, le=100)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line without control characters."""
Lines = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")]
"""Text that may have several lines."""


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


def _web_address(text: str) -> str:
    """The text itself is never repeated in what is wrong with it: it may hold a secret."""
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    else:
        if parts.scheme in ("http", "https") and parts.username is not None:
            raise ValueError(
                "has a user or password in it, which many people can read and no channel sends; give the address"
                " without them, and a token by bearer_token_file, bearer_token_environment or bearer_token_credential"
            )
        named = named and parts.scheme in ("http", "https") and not re.search(r"\s", text)
    if not named:
        raise ValueError("must be a web address: https://HOST/PATH, or http:")
    return text


def _mail_address(text: str) -> str:
    if not re.fullmatch(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+", text):
        raise ValueError('must be a mail address and nothing else, such as "postmaster@example.org"')
    return text


def _argv(words: list[str]) -> list[str]:
    if "/" in words[0] and not words[0].startswith("/"):
        raise ValueError("must begin with an absolute path, or with the plain name of a program")
    return words


def read_listen(text: str) -> tuple[str, int]:
    """
    The IP address and port of "127.0.0.1:8143" or "[::1]:8143".

    Raises:
        ValueError: It is something else.
    """
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        is_six = ip_address(bare).version == 6
    except ValueError:
        raise ValueError('must be an IP address and a port, such as "127.0.0.1:8143" or "[::1]:8143"') from None
    if is_six == (bare == host) or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError('must be an IP address and a port, such as "127.0.0.1:8143" or "[::1]:8143"')
    return bare, int(port)


def _listen(text: str) -> str:
    read_listen(text)
    return text


def read_network(text: str) -> IPv4Network | IPv6Network:
    """
    The network of "10.0.0.0/8", or that of the one address "10.1.2.3".

    Raises:
        ValueError: It is something else.
    """
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError('must be an IP address or a network, such as "127.0.0.1" or "10.0.0.0/8"') from None


def _network(text: str) -> str:
    read_network(text)
    return text


ProxyNetwork = Annotated[Text, AfterValidator(_network)]
WebAddress = Annotated[Text, AfterValidator(_web_address)]
Listen = Annotated[Text, AfterValidator(_listen)]
MailAddress = Annotated[Text, AfterValidator(_mail_address)]
Argv = Annotated[list[Text], Field(min_length=1), AfterValidator(_argv)]
"""A command as a list of words; no shell sees it."""


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
        shown = None if default in (None, "") or is_dataclass(default) else {"default": plainly(default)}
        kind = _kind(hints[field], key, default)
        made[key] = (kind | None, Field(default=None, description=docs.get(field), json_schema_extra=shown))
    made |= {key: (kind | None, Field(default=None)) for key, kind in (more or {}).items()}
    return create_model(name, __base__=Table, __doc__=inspect.cleandoc(settings.__doc__ or ""), **made)


def table_with(
    name: str, about: str, keys: Mapping[str, tuple[Any, str]], defaults: Mapping[str, str] | None = None
) -> type[Table]:
    """
    Make a table of keys that are no Python names, such as "restart-server".

    Args:
        name: What the table is called in the schema.
        about: What it is for.
        keys: TOML key -> its kind and meaning.
        defaults: TOML key -> the value where nothing is written.
    """
    made: dict[str, Any] = {}
    for key, (kind, meaning) in keys.items():
        shown: Any = {"default": defaults[key]} if defaults else None
        made[key] = (kind | None, Field(default=None, description=meaning, json_schema_extra=shown))
    return create_model(name, __base__=Table, __doc__=about, **made)


def plainly(value: Any) -> Any:
    """*value* as a configuration would hold it."""
    if isinstance(value, timedelta):
        return write_duration(value)
    if isinstance(value, Enum):
        return value.value
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
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Literal[tuple(member.value for member in hint)]
    simple: dict[Any, Any] = {
        bool: bool,
        int: WholePercent if "percent" in key else Count,
        float: Percent,
        str: Lines,
    }
    return simple[hint]


def _duration_kind(key: str) -> Any:
    if "interval" in key or "every" in key or key == "look_again":
        return Interval
    special: dict[str, Any] = {
        "grace": Duration,
        "margin": Duration,
        "group_wait": Duration,
        "patience": Patience,
        "repeat_after": Again,
    }
    return special.get(key, PositiveDuration)
