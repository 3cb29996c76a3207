"""
Secrets that stand openly among the words of a command.

Every user of the machine sees them in the process table, and mailward shows and stores the words of what it does.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from itertools import pairwise

from mailward.config.mistakes import quoted

_NAMES = r"[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key)"
#: A file, or a place that the program looks at itself, is no secret.
_VALUE = r"(?![/@]|file:|env:)\S"
_IN_ONE_WORD = re.compile(rf"(?:^|\s)(-{{0,2}}{_NAMES}=){_VALUE}", re.IGNORECASE)
#: RFC 9110, section 11.6.2, and RFC 6750; what a shell fills in is no secret yet.
_IN_A_HEADER = re.compile(rf"\b(authorization:\s*(?:bearer|basic|token))\s+(?!\$|`){_VALUE}", re.IGNORECASE)
_IN_TWO_WORDS = re.compile(rf"--{_NAMES}", re.IGNORECASE)
_SECOND_WORD = re.compile(rf"(?!-){_VALUE}")
_FILLED_IN = ("$", "`", "<")


def open_secret(words: Iterable[str]) -> str | None:
    """What comes before a secret among the words, such as "--password="; only clear cases are told."""
    argv = tuple(words)
    for word in argv:
        if found := _IN_ONE_WORD.search(word) or _IN_A_HEADER.search(word):
            return found[1]
    for option, value in pairwise(argv):
        if _tells(option, value):
            return option
    for option, value in (pair for word in argv for pair in pairwise(_words_in(word))):
        if _tells(option, value) and not value.startswith(_FILLED_IN):
            return option
    return None


def told(words: Iterable[str]) -> Iterator[str]:
    """What is wrong with words among which a secret stands, without the secret; nothing where there is none."""
    if before := open_secret(words):
        yield (
            f"has a secret after {quoted(before)}, where every user of this machine and every record can see it; have"
            " the program read it from a file that is mailward's alone"
        )


def _tells(option: str, value: str) -> bool:
    return _IN_TWO_WORDS.fullmatch(option) is not None and _SECOND_WORD.match(value) is not None


def _words_in(word: str) -> list[str]:
    """The words of a command that is one word of another, as after `sh -c`."""
    try:
        return shlex.split(word)
    except ValueError:  # quotes that do not end: a shell would not take it either
        return word.split()
