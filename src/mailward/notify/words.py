"""What may be said of a failure: one clean line, cut short, without any secret that was used."""

import base64
import hashlib
from collections.abc import Iterable

_COLUMNS = 200


def recognisable(identity: str) -> str:
    """
    A token for *identity* that fits every header: equal for a repeated attempt, so that a receiver recognises it.

    It is a hash because identities hold names with blanks and slashes.
    """
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def as_sent(user: str, password: str) -> tuple[str, ...]:
    """
    A password in every form that goes over the wire, none of which may be shown.

    SASL sends it in base64 (PLAIN, RFC 4616, in one piece with the user; LOGIN each by itself), and a relay may repeat
    what it was sent. Without the padding, because it may be repeated without.
    """
    if not password:
        return ()
    pieces = (f"\0{user}\0{password}", password, user)
    return (password, *(base64.b64encode(piece.encode()).decode().rstrip("=") for piece in pieces))


def said(text: str, *, secrets: Iterable[str] = ()) -> str:
    """What the other side said, fit for a log and a page."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _COLUMNS else f"{line[: _COLUMNS - 1]}…"
