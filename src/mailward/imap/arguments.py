"""
Command arguments on the wire: atoms, quoted strings, literals.

Nothing a caller passes can become a command of its own: CR, LF and NUL are refused, in every argument. What is secret
or a message's body is never written into the form that is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailward.imap.errors import LocalProtocolError

_ATOM = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&'+,-./:;<=>?@^_`|~")
_SET = frozenset("0123456789:,*")
_ITEM = _ATOM | frozenset("[]() ")
_LONGEST_QUOTED = 1_000


@dataclass(frozen=True, slots=True)
class Hidden:
    """Bytes that are sent but never shown."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes sent as a literal; only their number is shown, and of a secret not even that."""

    data: bytes
    is_secret: bool = False


Part = bytes | Hidden | Literal


def checked(text: str, what: str) -> str:
    """
    Return *text* if it is safe in a command.

    Raises:
        LocalProtocolError: It holds CR, LF or NUL, or cannot be written in UTF-8.
    """
    if "\r" in text or "\n" in text or "\0" in text:
        raise LocalProtocolError(f"the {what} holds a line break or NUL; IMAP cannot carry it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise LocalProtocolError(f"the {what} is not Unicode text; IMAP cannot carry it") from None
    return text


def astring(text: str, what: str) -> Part:
    """Write *text* in the simplest form that carries it."""
    if text and len(text) <= _LONGEST_QUOTED and _ATOM.issuperset(text) and text.upper() != "NIL":
        return text.encode()
    return quoted(text, what)


def quoted(text: str, what: str) -> Part:
    """Write *text* as a quoted string, or as a literal where a quoted string cannot carry it."""
    checked(text, what)
    if len(text) <= _LONGEST_QUOTED and text.isascii() and text.isprintable():
        return b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'
    return Literal(text.encode())


def secret(text: str, what: str) -> Part:
    """Write *text* so that it is never shown."""
    part = quoted(text, what)
    return Hidden(part) if isinstance(part, bytes) else Literal(text.encode(), is_secret=True)


def atom(text: str, what: str) -> bytes:
    """
    Write *text* as an atom.

    Raises:
        LocalProtocolError: It is none.
    """
    if not text or not _ATOM.issuperset(text):
        raise LocalProtocolError(f"{text!r} is no {what}")
    return text.encode()


def flag(text: str) -> bytes:
    r"""Write a flag, such as \Seen or $Token."""
    return b"\\" + atom(text[1:], "flag") if text.startswith("\\") else atom(text, "flag")


def fetch_item(text: str) -> bytes:
    """
    Write one data item of FETCH, such as BODY.PEEK[HEADER.FIELDS (SUBJECT)].

    Raises:
        LocalProtocolError: It holds anything but names, brackets and parentheses.
    """
    if not text or not _ITEM.issuperset(text):
        raise LocalProtocolError(f"{text!r} is no item that FETCH knows")
    return text.encode()


def uid_set(uids: int | str | Sequence[int]) -> bytes:
    """
    Write a set of UIDs: one, several, or a set in IMAP's own form such as "1:*".

    Raises:
        LocalProtocolError: It is empty or no set: an empty selection means nothing, never everything.
    """
    if isinstance(uids, str):
        text = uids
    elif isinstance(uids, int):
        text = str(uids)
    else:
        text = ",".join(map(str, uids))
    if not text or not _SET.issuperset(text):
        raise LocalProtocolError(f"{text!r} is no set of UIDs")
    return text.encode()
