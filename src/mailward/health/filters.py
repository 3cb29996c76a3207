"""What a person may type to choose among servers, health sets and states."""

from difflib import get_close_matches
from fnmatch import fnmatchcase

from mailward.model.errors import Refused
from mailward.model.monitoring import AlertValue


def matches(pattern: str | None, name: str) -> bool:
    """
    Whether *name* is meant by *pattern*, without regard to case.

    Without a wildcard it must be the whole name: IMAP does not mean IMAP.Protocol, IMAP* does. None means every name.
    """
    return pattern is None or fnmatchcase(name.lower(), pattern.lower())


def state_named(text: str) -> AlertValue:
    """
    Read the name of a state, without regard to case.

    Raises:
        Refused: There is no such state; the text names the nearest.
    """
    known = {value.value.lower(): value for value in AlertValue}
    if text.lower() in known:
        return known[text.lower()]
    nearest = get_close_matches(text.lower(), known, n=1, cutoff=0.5)
    names = ", ".join(value.value for value in AlertValue)
    hint = f"did you mean {known[nearest[0]].value}?" if nearest else f"known: {names}"
    raise Refused(f"there is no state {text!r}; {hint}")
