"""
Secrets that stand openly among the words of a command.

Every user of the machine sees them in the process table, and mailward shows and stores the words of what it does.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

_NAMES = r"[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key)"
#: A file, or a place that the program looks at itself, is no secret.
_VALUE = r"(?![/@]|file:|env:)\S"
_IN_ONE_WORD = re.compile(rf"(?:^|\s)(-{{0,2}}{_NAMES}=){_VALUE}", re.IGNORECASE)
_IN_TWO_WORDS = re.compile(rf"--{_NAMES}", re.IGNORECASE)
_SECOND_WORD = re.compile(rf"(?!-){_VALUE}")


def open_secret(words: Iterable[str]) -> str | None:
    """What comes before a secret among the words, such as "--password="; only clear cases are told."""
    argv = tuple(words)
    for word in argv:
        if found := _IN_ONE_WORD.search(word):
            return found[1]
    for option, value in pairwise(argv):
        if _IN_TWO_WORDS.fullmatch(option) and _SECOND_WORD.match(value):
            return option
    return None
