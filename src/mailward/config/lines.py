"""
On which line of a TOML text each key stands.

The standard library's parser keeps no positions, and those that do are ten times slower; so the text is scanned a
second time, only when there is something to point at. The scan is forgiving: where it does not see a key (inside an
inline table, say) the line of the nearest table above it answers.
"""

import re
from collections.abc import Mapping

from mailward.config.mistakes import KeyPath

_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.)?""")
_OPENING, _CLOSING = "[{", "]}"


def lines_of_keys(text: str) -> Mapping[KeyPath, int]:
    """Return the line, counted from 1, of every table and key in *text*; the first one where a path occurs twice."""
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    rows = text.split("\n")
    row = 0
    while row < len(rows):
        content = rows[row].lstrip()
        number = row + 1
        row += 1
        if not content or content.startswith("#"):
            continue
        if content.startswith("["):
            table = _table(content, counts)
            _remember(found, table, number)
            continue
        key, rest = _dotted(content)
        if key and rest.lstrip().startswith("="):
            _remember(found, (*table, *key), number, above=len(table))
            row = _end_of_value(rows, row - 1, len(rows[row - 1]) - len(rest)) + 1
    return found


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    """The line of *path*, or of the nearest thing above it; 1 when nothing above it is known."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def _remember(found: dict[KeyPath, int], path: KeyPath, number: int, above: int = 0) -> None:
    for length in range(above + 1, len(path) + 1):
        found.setdefault(path[:length], number)


def _table(content: str, counts: dict[KeyPath, int]) -> KeyPath:
    doubled = content.startswith("[[")
    key, _ = _dotted(content[2 if doubled else 1 :])
    if not doubled:
        return key
    place = counts.get(key, 0)
    counts[key] = place + 1
    return (*key, place)


def _dotted(text: str) -> tuple[KeyPath, str]:
    """The dotted key *text* begins with, and what follows it."""
    keys: list[str] = []
    position = 0
    while match := _KEY.match(text, position):
        keys.append(next(part for part in match.groups()[:3] if part is not None))
        position = match.end()
        if not match[4]:
            break
    return tuple(keys), text[position:]


def _end_of_value(rows: list[str], row: int, column: int) -> int:
    """The row on which the value that begins at *row*, *column* ends; strings and brackets may go over many."""
    depth = 0
    closing: str | None = None
    while row < len(rows):
        depth, closing = _scan(rows[row], column, depth, closing)
        if closing not in ('"""', "'''") and depth <= 0:
            return row
        if closing not in ('"""', "'''"):
            closing = None
        row, column = row + 1, 0
    return row


def _scan(text: str, column: int, depth: int, closing: str | None) -> tuple[int, str | None]:
    """Go through one line; *closing* is the quotation mark that ends the string we are in."""
    while column < len(text):
        if closing:
            if text[column] == "\\" and closing[0] == '"':
                column += 2
            elif text.startswith(closing, column):
                column, closing = column + len(closing), None
            else:
                column += 1
            continue
        char = text[column]
        if char == "#":
            break
        if char in "\"'":
            closing = char * 3 if text.startswith(char * 3, column) else char
            column += len(closing)
            continue
        depth += (char in _OPENING) - (char in _CLOSING)
        column += 1
    return depth, closing
