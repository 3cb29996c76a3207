"""What may be said of a failure: one clean line, cut short, without any secret that was used."""

import hashlib
from collections.abc import Iterable

_COLUMNS = 200


def recognisable(identity: str) -> str:
    """
    A token for *identity* that fits every header: equal for a repeated attempt, so that a receiver recognises it.

    It is a hash because identities hold names with blanks and slashes.
    """
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def said(text: str, *, secrets: Iterable[str] = ()) -> str:
    """What the other side said, fit for a log and a page."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _COLUMNS else f"{line[: _COLUMNS - 1]}…"
