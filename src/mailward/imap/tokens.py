"""
The parenthesised language of IMAP responses: atoms, strings, literals, NIL, lists.

An atom becomes str, a string bytes, NIL None, a list a list. Nesting is bounded, and walked without recursion.
"""

import re

from mailward.imap.errors import RemoteProtocolError, Violation
from mailward.imap.framing import Frame

Token = str | bytes | None | list["Token"]

#: An atom, with sections such as BODY[HEADER.FIELDS (SUBJECT)] kept in one piece.
_ATOM = re.compile(rb'(?:[^ ()"{\[]+|\[[^\]]*\])+')
_QUOTED = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"')
_ESCAPE = re.compile(rb"\\(.)")
_DEEPEST = 32


def tokens(frame: Frame, start: int) -> list[Token]:
    """
    Return what stands in *frame* from *start* on.

    Raises:
        RemoteProtocolError: It is not of this language.
    """
    text = frame.text
    end = len(text)
    top: list[Token] = []
    stack = [top]
    at = start
    while at < end:
        byte = text[at]
        if byte == 0x20:
            at += 1
        elif byte == 0x28:
            at = _opened(stack, at)
        elif byte == 0x29:
            if len(stack) == 1:
                raise _syntax("a parenthesis too many")
            stack.pop()
            at += 1
        else:
            token, at = _leaf(frame, at)
            stack[-1].append(token)
    if len(stack) > 1:
        raise _syntax("a parenthesis too few")
    return top


def _opened(stack: list[list[Token]], at: int) -> int:
    if len(stack) > _DEEPEST:
        raise _syntax("lists nested too deeply")
    inner: list[Token] = []
    stack[-1].append(inner)
    stack.append(inner)
    return at + 1


def _leaf(frame: Frame, at: int) -> tuple[Token, int]:
    text = frame.text
    byte = text[at]
    if byte == 0x22:
        if (quoted := _QUOTED.match(text, at)) is None:
            raise _syntax("a string without an end")
        content = quoted[1]
        return (_ESCAPE.sub(rb"\1", content) if b"\\" in content else content), quoted.end()
    if byte == 0x7B:
        if (literal := frame.literals.get(at)) is None:
            raise _syntax("a brace out of place")
        return literal, text.index(b"}", at) + 1
    if byte == 0x7E and at + 1 in frame.literals:  # literal8 of RFC 3516: ~{n}
        return frame.literals[at + 1], text.index(b"}", at) + 1
    if (atom := _ATOM.match(text, at)) is None:
        raise _syntax("a bracket without an end")
    word = atom[0].decode("utf-8", "backslashreplace")
    return (None if word.upper() == "NIL" else word), atom.end()


def number(token: Token) -> int:
    """
    Return the number an atom stands for.

    Raises:
        RemoteProtocolError: It stands for none, or for one beyond 64 bits.
    """
    if isinstance(token, str) and token.isascii() and token.isdigit() and len(token) < 20:
        return int(token)
    raise _syntax("a number expected")


def string(token: Token) -> str:
    """
    Return the text of an atom or string.

    Raises:
        RemoteProtocolError: It is a list, or NIL.
    """
    if isinstance(token, str):
        return token
    if isinstance(token, bytes):
        return token.decode("utf-8", "backslashreplace")
    raise _syntax("a string expected")


def _syntax(what: str) -> RemoteProtocolError:
    return RemoteProtocolError(Violation.SYNTAX, f"the server's response cannot be read: {what}")
