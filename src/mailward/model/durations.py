"""
Durations and moments as people write and say them.

Written: "500ms", "30s", "5m", "48h", "30d", also put together as "1h30m". Said: "45 s", "3 min 20 s", "5 h 12 min".
"""

import re
from datetime import UTC, datetime, timedelta

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


def spoken(span: timedelta) -> str:
    """A span as a person would say it: "45 s", "3 min 20 s", "5 h 12 min"."""
    seconds = max(0, round(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min {seconds % 60} s" if seconds % 60 else f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} days"


def moment_words(moment: datetime) -> str:
    """A moment in a sentence: "2026-11-24 14:00 UTC", with seconds where there are any."""
    clock = "%H:%M:%S" if moment.second else "%H:%M"
    return f"{moment.astimezone(UTC):%Y-%m-%d {clock}} UTC"
