"""
What each key means: every key of the schema in words, and the schema as JSON.

The words stand with the settings themselves; nothing is explained a second time here.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mailward.config.fields import COUNT_MAX, Table
from mailward.config.schema import Configuration, table_in
from mailward.model.durations import PATTERN
from mailward.model.items import MONITORS, PROBES

#: What stands for a name somebody chose, per section that holds named tables.
NAMES = {
    "templates": "TEMPLATE",
    "groups": "GROUP",
    "servers": "SERVER",
    "access_points": "NAME",
    "databases": "DATABASE",
    "notify": "CHANNEL",
}
#: Sections whose tables are a server's settings for many.
LIKE_SERVERS = ("templates", "groups")
_ITEMS = {probe.name: probe.describes for probe in PROBES} | {monitor.name: monitor.describes for monitor in MONITORS}
#: What the rooms found too plain to say where the setting stands.
_PLAIN = {
    "interval": "How often it runs.",
    "timeout": "How long one run may take.",
    "passive_copy_timeout": "How long a look at a passive copy may take.",
    "healthy_results": "Results of probes that succeeded.",
    "failed_results": "Results of probes that failed, with their transcripts.",
    "ineffective_window": "The time `ineffective_times` is counted in.",
    "events": "What happened: changes of monitors and health sets, and who did what.",
}
_CITED = re.compile(r" \(design[^)]*\)")
_KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """One key of the schema."""

    table: tuple[str, ...]
    """The table it stands in: ("servers", "SERVER", "imap")."""
    key: str
    kind: str
    meaning: str
    default: str | None
    """As TOML would write it, where it is a plain value."""


def json_schema() -> dict[str, Any]:
    """The JSON schema of a whole configuration (what TOML reads to), for editors and other programs."""
    schema: dict[str, Any] = _without_null(Configuration.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "mailward configuration"}


@cache
def every_key() -> tuple[Explained, ...]:
    """Every key of the schema, table by table."""
    schema = json_schema()
    return tuple(_keys(schema, schema, Configuration, ()))


def about(path: tuple[str, ...], table: type[Table] | None) -> str:
    """What a table is about: the catalogue's words for a probe or monitor, else the table's own."""
    if path[-1] in _ITEMS:
        return _ITEMS[path[-1]]
    if path == ("templates", NAMES["templates"]):
        return "Settings by a name, for groups to start from."
    # readers of a configuration have no copy of the design a settings class may cite
    return _CITED.sub("", inspect.cleandoc((table.__doc__ if table else None) or ""))


def _keys(
    schema: Mapping[str, Any], at: Mapping[str, Any], table: type[Table], path: tuple[str, ...]
) -> Iterator[Explained]:
    below: list[tuple[Mapping[str, Any], type[Table], tuple[str, ...]]] = []
    for key, field in table.model_fields.items():
        found = _resolved(schema, at["properties"][key])
        inner, named = table_in(field.annotation)
        if inner is None:
            default = _toml(found["default"]) if "default" in found else None
            yield Explained(
                table=path,
                key=key,
                kind=_kind(found) + (" %" if "percent" in key else ""),
                meaning=_meaning(key, field.description, default),
                default=default,
            )
        elif not (len(path) == 2 and path[0] in LIKE_SERVERS):
            inside = _resolved(schema, found["additionalProperties"]) if named else found
            below.append((inside, inner, (*path, key, NAMES[key]) if named else (*path, key)))
    for inside, inner, deeper in below:
        yield from _keys(schema, inside, inner, deeper)


def _meaning(key: str, description: str | None, default: str | None) -> str:
    """The setting's own words; what Python calls None is a key that was left out."""
    words = inspect.cleandoc(description or _PLAIN.get(key, ""))
    return words.replace("None: ", "Default: " if default is None else "Where there is none: ")


def _resolved(schema: Mapping[str, Any], found: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = found.get("$ref")
    if reference is None:
        return found
    target: Mapping[str, Any] = schema["$defs"][str(reference).rpartition("/")[2]]
    return {**target, **{key: value for key, value in found.items() if key != "$ref"}}


def _without_null(value: Any) -> Any:
    """Keys may be left out, but TOML cannot say null: `anyOf [X, null]` becomes X."""
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _without_null(item) for key, item in value.items() if not (key == "default" and item is None)}
    parts = kept.pop("anyOf", None)
    if parts is not None:
        kept = {**next(part for part in parts if part != {"type": "null"}), **kept}
    return kept


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f'"{choice}"' for choice in schema["enum"])
    if schema.get("pattern") == PATTERN:
        return "duration"
    if "additionalProperties" in schema:
        return f"table of {_kind(schema['additionalProperties'])}"
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    kind = _KINDS.get(str(schema.get("type")), "text")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None or high is None:
        return kind
    return f"{kind}, at least {low:g}" if high == COUNT_MAX else f"{kind}, {low:g} to {high:g}"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
