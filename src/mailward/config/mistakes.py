"""
What is wrong in a configuration, said so that it can be mended: where, what, and the nearest known key.

Invariant: a value is quoted only where the set of allowed values is closed or a name was meant; text that may be a
secret is never repeated.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mailward.model.errors import ConfigError

KeyPath = tuple[str | int, ...]
"""Where a value stands: ("servers", "be1", "imap", "port"); numbers are places in a list."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Mistake:
    """One thing that must be mended before the configuration can be used."""

    file: Path
    line: int
    """Counted from 1; 0 when the file as a whole is meant."""
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.text}"


class WrongConfiguration(ConfigError):
    """A configuration that cannot be used; its text lists every mistake, one a line."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


def spelled(path: Iterable[str | int]) -> str:
    """*path* as it would be written in TOML; places in lists are left out, they are found by the line."""
    keys = (key for key in path if isinstance(key, str))
    return ".".join(key if _BARE_KEY.fullmatch(key) else _quoted(key) for key in keys)


def hint(word: str, known: Iterable[str]) -> str:
    """What to say after an unknown *word*: the nearest known one, or all of them when there are few."""
    names = sorted(set(known))
    by_folded = {name.lower(): name for name in names}
    nearest = get_close_matches(word.lower(), by_folded, n=1, cutoff=0.6)
    if nearest:
        return f"; did you mean {quoted(by_folded[nearest[0]])}?"
    if not names:
        return ""
    return f"; known: {', '.join(names)}" if len(names) <= 12 else f"; there are {len(names)} others"


def quoted(word: str) -> str:
    """*word* in quotation marks, cut when long, without anything a terminal would obey."""
    printable = "".join(char if char.isprintable() else "�" for char in word)
    return f'"{printable[:60]}…"' if len(printable) > 60 else f'"{printable}"'


def _quoted(key: str) -> str:
    return quoted(key) if key else '""'
