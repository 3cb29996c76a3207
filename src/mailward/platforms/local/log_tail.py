"""
The newest lines of a log file, read from its end: a log of gigabytes costs no more than a small one.

Understands how mail servers begin their lines: Dovecot's own log and the classic syslog (local time without a year:
"Nov 24 12:00:01") and RFC 3339 ("2026-11-24T12:00:01.123456+00:00", as rsyslog and journald write). A line that begins
otherwise belongs to the moment of the one before it.
"""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

_BLOCK = 65_536
#: What lies further back in a busy log than this is no evidence for a fault of a moment ago.
_FURTHEST_BYTES = 8_000_000
_LONGEST = 2_000
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_CLASSIC = re.compile(r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) (\d\d):(\d\d):(\d\d)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: As much of a line as says its second, in both forms.
_SAME_MOMENT = 19
_HALF_A_YEAR = timedelta(days=183)


def newest_lines(
    path: Path, *, since: datetime, mentioning: Sequence[str] = (), limit: int
) -> list[tuple[datetime | None, str]]:
    """
    Return the newest *limit* lines of the file since then, the oldest first, each with its moment where it shows one.

    Args:
        path: The log. When it was rotated after *since*, its predecessor PATH.1 is read as well.
        since: Whole seconds count: a line of the same second belongs to it.
        mentioning: Words of which a line must have at least one, regardless of case; none takes every line.
        limit: How many.

    Raises:
        OSError: The file cannot be read.
    """
    wanted = [word.lower() for word in mentioning if word]
    found: list[tuple[datetime | None, str]] = []
    earliest = since.replace(microsecond=0)
    for file in (path, path.with_name(f"{path.name}.1")):
        try:
            is_recent = file.stat().st_mtime >= earliest.timestamp()
        except FileNotFoundError:
            if file is path:
                raise
            break
        if not is_recent:
            break
        if _collect(file, earliest, wanted, limit, found):
            break
    found.reverse()
    return found


def _collect(
    file: Path, earliest: datetime, wanted: Sequence[str], limit: int, found: list[tuple[datetime | None, str]]
) -> bool:
    """Add matching lines, the newest first; True when the moment was reached or there are enough."""
    pending: list[str] = []
    beginning, at = "", None
    for line in _backwards(file):
        if line[:_SAME_MOMENT] != beginning:  # in a busy log most lines share their second
            beginning, at = line[:_SAME_MOMENT], moment_of(line, near=earliest)
        if at is None:
            pending.append(line)
            continue
        if at < earliest:
            return True
        for text in (*pending, line):
            if not wanted or any(word in text.lower() for word in wanted):
                found.append((at, text[:_LONGEST]))
                if len(found) >= limit:
                    return True
        pending = []
    return False


def moment_of(line: str, *, near: datetime) -> datetime | None:
    """The moment a line begins with; one without a year is the one closest to *near*. None when it shows none."""
    if match := _RFC3339.match(line):
        try:
            moment = datetime.fromisoformat(match[0].replace(",", "."))
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.astimezone()
    if match := _CLASSIC.match(line):
        month, day, hour, minute, second = match.groups()
        rest = (_MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
        for year in (near.year, near.year - 1, near.year + 1):
            try:
                local = datetime(year, *rest)  # noqa: DTZ001 - the log's time is this machine's local time
            except ValueError:  # 29 February of another year, or nonsense
                continue
            moment = local.astimezone()
            if abs(moment - near) < _HALF_A_YEAR:
                return moment
    return None


def _backwards(file: Path) -> Iterator[str]:
    """The lines of a file from the last to the first, as far back as is sensible."""
    with file.open("rb") as stream:
        position = stream.seek(0, os.SEEK_END)
        furthest = max(0, position - _FURTHEST_BYTES)
        rest = b""
        while position > furthest:
            start = max(furthest, position - _BLOCK)
            stream.seek(start)
            block = stream.read(position - start) + rest
            position = start
            first, *lines = block.split(b"\n")
            rest = first if position > furthest or furthest == 0 else b""
            for line in reversed(lines):
                if line:
                    yield line.decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")
