"""Durations as people write them: "500ms", "30s", "5m", "48h", "30d", also put together as "1h30m"."""

import re
from datetime import timedelta

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)\s*")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
#: What `read_duration` accepts, for a JSON schema.
PATTERN = r"^(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$"
LONGEST = timedelta(days=36_500)


def read_duration(text: object) -> timedelta:
    """
    Read a duration.

    Raises:
        ValueError: It is not one; the text says how to write it.
    """
    if isinstance(text, bool | int | float):
        raise ValueError(f'is a number without a unit; write "{text}s" for seconds, or with ms, m, h, d')
    if not isinstance(text, str) or not _WHOLE.fullmatch(text.strip()):
        raise ValueError('is not a duration; write a number with its unit, such as "30s", "5m" or "48h"')
    total = timedelta(0)
    for number, unit in _PART.findall(text):
        total += float(number) * _UNITS[unit]
        if total > LONGEST:
            raise ValueError("is longer than a hundred years")
    return total


def write_duration(duration: timedelta) -> str:
    """*duration* as `read_duration` reads it, in the largest unit that needs no fraction."""
    for unit in ("d", "h", "m", "s"):
        if duration >= _UNITS[unit] and not duration % _UNITS[unit]:
            return f"{duration // _UNITS[unit]}{unit}"
    return f"{duration // _UNITS['ms']}ms"
