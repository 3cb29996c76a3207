"""
How words are laid out for a phone at night: at most 78 columns, plain paragraphs, no tables.

What servers said is passed through here as well, so control characters and line breaks never get out.
"""

import shlex
import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from mailward.alerts.language import ENGLISH, Language
from mailward.model.recovery import is_statement

COLUMNS = 78
TITLE_COLUMNS = 70
"""What a phone's lock screen shows of a subject."""
GIST_COLUMNS = 240
"""Three lines."""


def paragraph(text: str, *, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of at most 78 columns; *first* begins the first line, *rest* the others (default: as many blanks)."""
    indent = " " * len(first) if rest is None else rest
    return textwrap.wrap(
        clean(text), COLUMNS, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    ) or [first.rstrip()]


def command_lines(words: Sequence[str], *, indent: str = "  ") -> list[str]:
    """
    A command as it can be pasted into a shell; a long one is continued with backslashes.

    A statement stands as it reads: a shell is not where it goes.
    """
    if is_statement(words):
        return paragraph(" ".join(words), first=indent, rest=f"{indent}  ")
    lines: list[str] = []
    line = indent
    for word in (shlex.quote(clean(word)) for word in words):
        if line.strip() and len(line) + len(word) + 3 > COLUMNS:
            lines.append(f"{line.rstrip()} \\")
            line = f"{indent}  "
        line += f"{word} "
    return [*lines, line.rstrip()]


def verbatim(lines: Iterable[str], *, indent: str = "  ") -> list[str]:
    """Lines as they were, cut where they are too long."""
    return [cut(f"{indent}{clean(line)}", COLUMNS) for line in lines]


def cut(text: str, columns: int) -> str:
    """*text*, with its end replaced by … where it is longer."""
    return text if len(text) <= columns else f"{text[: columns - 1].rstrip()}…"


def gist(text: str) -> str:
    """The beginning of a reason that may fill a page: what a person reads before deciding to read on."""
    return cut(clean(text), GIST_COLUMNS)


def clean(text: str) -> str:
    """One line without control characters."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def clock_time(moment: datetime, now: datetime, language: Language = ENGLISH) -> str:
    """02:14 UTC, with the day where it is another than that of *now*."""
    if moment.date() == now.date():
        return language.say("{at:%H:%M} UTC", at=moment)
    return language.say("{at:%-d %b %H:%M} UTC", at=moment)


def span(length: timedelta, language: Language = ENGLISH) -> str:
    """45 s, 12 min, 3 h 20 min, 2 days."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return language.say("{days} days", days=hours // 24)


def listed(names: Sequence[str], *, most: int, language: Language = ENGLISH) -> str:
    """ "a, b and 7 more" """
    shown = ", ".join(names[:most])
    if len(names) <= most:
        return shown
    return language.say("{names} and {count} more", names=shown, count=len(names) - most)


def number(count: int, language: Language = ENGLISH) -> str:
    """1,200; what stands between the thousands is a word of the language, too."""
    return f"{count:,}".replace(",", language.say(","))
