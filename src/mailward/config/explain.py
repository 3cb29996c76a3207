"""
What one key or table means, for `config explain`; whatever else explains the configuration can be had from here too.
"""

from collections.abc import Iterator

from mailward.config.keys import NAMES, Explained, about, every_key, json_schema
from mailward.config.mistakes import hint
from mailward.config.reference import configuration_page
from mailward.config.schema import keys_at, table_at
from mailward.model.errors import Refused

__all__ = ["Explained", "configuration_page", "every_key", "explain", "json_schema"]


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


def _with_names(path: tuple[str, ...]) -> tuple[str, ...]:
    """*path* with placeholders for chosen names; `databases.copies` is understood without a name."""
    if path[0] not in NAMES:
        return path
    if len(path) < 2:
        return (path[0], NAMES[path[0]])
    name = NAMES[path[0]]
    without = (path[0], name, *path[1:])
    if path[1] in keys_at((path[0], name)) and (len(path) == 2 or path[2] in keys_at(without[:-1])):
        return without
    return (path[0], name, *path[2:])


def _table_in_words(path: tuple[str, ...]) -> Iterator[str]:
    yield f"[{'.'.join(path)}]"
    yield about(path, table_at(path))
    for key in keys_at(path):
        yield f"  {key}"


def _no_such_key(key: str, path: tuple[str, ...]) -> str:
    above = path[:-1]
    while above and table_at(above) is None:
        above = above[:-1]
    word = path[len(above)] if len(path) > len(above) else key
    return f"there is no key {key!r}{hint(word, keys_at(above))}"
