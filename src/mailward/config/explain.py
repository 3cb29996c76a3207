"""
What each key means: one at a time for `config explain`, all of them as JSON schema and as the reference page.

The words stand with the settings themselves; nothing is explained a second time here.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mailward.config.durations import PATTERN
from mailward.config.fields import COUNT_MAX, Table
from mailward.config.mistakes import hint
from mailward.config.schema import NOT_YET, Configuration, keys_at, table_at, table_in
from mailward.model.errors import Refused
from mailward.model.items import MONITORS, PROBES

#: What stands for a name somebody chose, per section that holds named tables.
_NAMES = {
    "templates": "TEMPLATE",
    "groups": "GROUP",
    "servers": "SERVER",
    "access_points": "NAME",
    "databases": "DATABASE",
}
#: Sections whose tables are a server's settings for many.
_LIKE_SERVERS = ("templates", "groups")
_ITEMS = {probe.name: probe.describes for probe in PROBES} | {monitor.name: monitor.describes for monitor in MONITORS}
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


def explain(key: str) -> str:
    """
    Explain one key or table, such as "databases.copies" or "servers.be1.imap.port".

    Raises:
        Refused: There is no such key; the text names the nearest.
    """
    path = _with_names(tuple(part.strip("\"'") for part in key.strip().strip("[]").split(".")))
    if table_at(path) is not None:
        return "\n".join(_table_in_words(path))
    found = next((known for known in every_key() if (*known.table, known.key) == path), None)
    if found is None:
        raise Refused(_no_such_key(key, path))
    default = "" if found.default is None else f"\nDefault: {found.default}"
    return f"[{'.'.join(found.table)}] {found.key} = {found.kind}\n{found.meaning}{default}"


def every_key() -> tuple[Explained, ...]:
    """Every key of the schema, table by table."""
    schema = json_schema()
    return tuple(_keys(schema, schema, Configuration, ()))


def configuration_page() -> str:
    """The reference page of the configuration, in Markdown."""
    lines = [_HEAD.rstrip()]
    keys = every_key()
    first_of: dict[type[Table], tuple[str, ...]] = {}
    for path in dict.fromkeys(key.table for key in keys):
        table = table_at(path)
        lines += ["", f"## `[{'.'.join(path)}]`", "", _about(path, table)]
        own = [key for key in keys if key.table == path]
        if table is not None and first_of.setdefault(table, path) != path:
            lines += ["", f"The keys of `[{'.'.join(first_of[table])}]`."]
            continue
        if path[0] in _LIKE_SERVERS:
            lines += ["", "The keys and tables of `[servers.SERVER]`" + (", and:" if path[0] == "groups" else ".")]
            shared = keys_at(("servers", "SERVER"))
            own = [key for key in own if key.key not in shared]
        if own:
            lines += ["", "| key | kind | default | meaning |", "|---|---|---|---|"]
            lines += [f"| `{key.key}` | {key.kind} | {_cell(key.default)} | {_one_line(key.meaning)} |" for key in own]
    lines += ["", "## Sections of later versions", ""]
    lines += [f"- `[{section}]`: {text}; it is refused." for section, text in NOT_YET.items()]
    return "\n".join(lines) + "\n"


def _about(path: tuple[str, ...], table: type[Table] | None) -> str:
    """What a table is about: the catalogue's words for a probe or monitor, else the table's own."""
    if path[-1] in _ITEMS:
        return _ITEMS[path[-1]]
    if path == ("templates", _NAMES["templates"]):
        return "Settings by a name, for groups to start from."
    return inspect.cleandoc((table.__doc__ if table else None) or "")


def _keys(
    schema: Mapping[str, Any], at: Mapping[str, Any], table: type[Table], path: tuple[str, ...]
) -> Iterator[Explained]:
    below: list[tuple[Mapping[str, Any], type[Table], tuple[str, ...]]] = []
    for key, field in table.model_fields.items():
        found = _resolved(schema, at["properties"][key])
        inner, named = table_in(field.annotation)
        if inner is None:
            yield Explained(
                table=path,
                key=key,
                kind=_kind(found),
                meaning=inspect.cleandoc(field.description or ""),
                default=_toml(found["default"]) if "default" in found else None,
            )
        elif not (len(path) == 2 and path[0] in _LIKE_SERVERS):
            inside = _resolved(schema, found["additionalProperties"]) if named else found
            below.append((inside, inner, (*path, key, _NAMES[key]) if named else (*path, key)))
    for inside, inner, deeper in below:
        yield from _keys(schema, inside, inner, deeper)


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


def _with_names(path: tuple[str, ...]) -> tuple[str, ...]:
    """*path* with placeholders for chosen names; `databases.copies` is understood without a name."""
    if len(path) < 2 or path[0] not in _NAMES:
        return path
    name = _NAMES[path[0]]
    without = (path[0], name, *path[1:])
    if path[1] in keys_at((path[0], name)) and (len(path) == 2 or path[2] in keys_at(without[:-1])):
        return without
    return (path[0], name, *path[2:])


def _table_in_words(path: tuple[str, ...]) -> Iterator[str]:
    yield f"[{'.'.join(path)}]"
    yield _about(path, table_at(path))
    for key in keys_at(path):
        yield f"  {key}"


def _no_such_key(key: str, path: tuple[str, ...]) -> str:
    if path[0] in NOT_YET:
        return f"there is no {path[0]} yet: {NOT_YET[path[0]]}"
    above = path[:-1]
    while above and table_at(above) is None:
        above = above[:-1]
    word = path[len(above)] if len(path) > len(above) else key
    return f"there is no key {key!r}{hint(word, keys_at(above))}"


def _cell(default: str | None) -> str:
    return "" if default is None else f"`{default}`"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


_HEAD = """\
<!-- generated from the schema; `make docs` writes it anew -->
# Configuration

mailward reads `mailward.toml` (`--config`, `$MAILWARD_CONFIG`, `~/.config/mailward/`, `/etc/mailward/`) and every
`conf.d/*.toml` beside it. Tables of several files are united; a key that is set in two files is a mistake.

- **Order.** What a server says itself stands above its groups, those above their templates, those above the default.
  Tables merge, lists replace. Two groups that say different things about one server are a mistake, until the server
  says it itself. `mailward config show` prints every setting with the place it comes from.
- **Durations** are text with a unit: `"500ms"`, `"30s"`, `"5m"`, `"48h"`, `"30d"`.
- **File names** that are relative start in the directory of `mailward.toml`.
- **Secrets** are never in the configuration: a key gives the file, environment variable or systemd credential that
  holds them.
- **`{name}`** in the settings of a server, access point or database stands for its name in lower case.
- An empty list or a pattern that matches nothing means nothing, never everything.
"""
