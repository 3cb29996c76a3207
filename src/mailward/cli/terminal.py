"""What the reader of our output can see: its width, whether colours show, and only harmless characters."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from textwrap import wrap
from typing import TextIO

_READING_WIDTH = 100


class Colour(Enum):
    """The few colours used, each with one meaning; the value is the SGR parameter."""

    GOOD = "32"
    WARN = "33"
    BAD = "31"
    NOTE = "36"
    FAINT = "2"
    STRONG = "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Terminal:
    """How to write for one reader."""

    width: int | None
    """Columns; None when no terminal reads, so that no line is fitted to one."""
    colours: bool

    @property
    def reading_width(self) -> int:
        """How wide sentences are: longer lines than that are hard to read, on however wide a terminal."""
        return min(self.width or _READING_WIDTH, _READING_WIDTH)

    def paint(self, text: str, colour: Colour | None) -> str:
        """Return *text* in *colour*, or as it is where colours do not show."""
        return f"\x1b[{colour.value}m{text}\x1b[0m" if self.colours and colour and text else text

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads this directly."""
        return self.width is not None


def terminal(stream: TextIO | None = None) -> Terminal:
    """Look at *stream* (standard output): NO_COLOR (no-color.org) and TERM=dumb switch colours off."""
    stream = stream or sys.stdout
    if not stream.isatty():
        return Terminal(width=None, colours=False)
    colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Terminal(width=max(20, shutil.get_terminal_size().columns), colours=colours)


def marked_lines(mark: str, text: str, width: int, *, indent: str = "") -> Iterator[str]:
    """Yield *text* below its *mark* of one cell, which may be painted, in lines of at most *width* with the indent."""
    lines = wrap(printable(text), width - len(indent) - 2)
    yield f"{indent}{mark} {lines[0] if lines else ''}".rstrip()
    yield from (f"{indent}  {line}" for line in lines[1:])


def printable(text: str) -> str:
    """
    Return *text* with every control character shown as an escape.

    What a probed server says is printed; it must not be able to move the reader's cursor or change his title.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
