"""
From frames to responses.

What mailward has no use for becomes `Other`, whatever it is; what it does use must be well formed. Lower case, a status
without text and UTF-8 in texts are taken as real servers send them.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

from mailward.imap.errors import RemoteProtocolError, Violation
from mailward.imap.framing import Frame
from mailward.imap.responses import (
    Capabilities,
    Code,
    Exists,
    Expunged,
    Fetch,
    Flags,
    Found,
    Identity,
    Listed,
    MailboxStatus,
    Other,
    Recent,
    Response,
    Status,
    StatusText,
    Vanished,
)
from mailward.imap.tokens import Token, number, string, tokens
from mailward.imap.transcript import Transcript

STATUSES = {status.value: status for status in Status if status is not Status.CLOSED}
_LARGEST_SET = 100_000


def untagged(frame: Frame, transcript: Transcript) -> Response:
    """
    Read what follows "* ".

    Args:
        frame: One whole response.
        transcript: Knows the secrets, which are masked in every text.

    Raises:
        RemoteProtocolError: It is a response mailward uses, but malformed.
    """
    text = frame.text
    end = text.find(b" ", 2)
    word = text[2 : end if end > 0 else len(text)].decode("utf-8", "backslashreplace").upper()
    start = end + 1 if end > 0 else len(text)
    if word in STATUSES:
        return status_text(STATUSES[word], text[start:], transcript)
    if word.isascii() and word.isdigit():
        return _numbered(frame, word, start, transcript)
    reader = _READERS.get(word)
    if reader is not None:
        return reader(frame, start, transcript)
    return Other(transcript.masked(word), transcript.masked(_decoded(text[start:])))


def status_text(status: Status, rest: bytes, transcript: Transcript) -> StatusText:
    """Read "[CODE argument] text", both parts optional."""
    text = _decoded(rest).strip()
    code = None
    if text.startswith("["):
        closing = ")]" if text[1:15].upper() == "PERMANENTFLAGS" else "]"
        end = text.find(closing)
        if end > 0:
            code = _code(text[1 : end + len(closing) - 1], transcript)
            text = text[end + len(closing) :].lstrip()
    return StatusText(status, code, _as_shown(text, transcript))


def capability_names(words: str, transcript: Transcript) -> frozenset[str]:
    """Return the capabilities in *words*, upper case, any that shows a secret left out."""
    names = words.upper().split()
    if transcript.hides(words) or not words.isprintable():
        names = [transcript.masked(name) for name in names if not transcript.hides(name)]
    return frozenset(names)


def server_time(text: str) -> timedelta | None:
    """
    Return the time the server says the command took: the first number of Dovecot's "(0.001 + 0.000 + 0.003 secs)".

    Source: field notes §A, "the tagged-OK suffix".
    """
    if not text.endswith(("secs).", "secs)")):
        return None
    first = text[text.rfind("(") + 1 :].split(" ", 1)[0]
    whole, _, fraction = first.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) < 7 and fraction.isascii() and fraction.isdigit()):
        return None
    return timedelta(seconds=float(f"{whole}.{fraction[:6]}"))


def _code(inside: str, transcript: Transcript) -> Code:
    name, _, argument = inside.strip().partition(" ")
    is_number = argument.isascii() and argument.isdigit() and len(argument) < 20
    return Code(
        transcript.masked(name.upper()), _as_shown(argument.strip(), transcript), int(argument) if is_number else None
    )


def _as_shown(text: str, transcript: Transcript) -> str:
    """*text* without any secret, also none that the blank before it would complete where it is shown in a line."""
    return transcript.masked(f" {text}").removeprefix(" ")


def _numbered(frame: Frame, word: str, start: int, transcript: Transcript) -> Response:
    count = number(word)
    name, _, _ = frame.text[start : start + 9].partition(b" ")
    match name.upper():
        case b"EXISTS":
            return Exists(count)
        case b"RECENT":
            return Recent(count)
        case b"EXPUNGE":
            return Expunged(count)
        case b"FETCH":
            return _fetch(count, tokens(frame, start + 5))
    return Other(word, transcript.masked(_decoded(frame.text[start:])))


def _fetch(sequence_number: int, found: list[Token]) -> Fetch:
    if len(found) != 1 or not isinstance(found[0], list) or len(found[0]) % 2:
        raise RemoteProtocolError(Violation.SYNTAX, "the server's FETCH response is not a list of pairs")
    pairs = found[0]
    uid = size = internal_date = flags = None
    bodies: dict[str, bytes | None] = {}
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        match name := string(key).upper():
            case "UID":
                uid = number(value)
            case "RFC822.SIZE":
                size = number(value)
            case "INTERNALDATE":
                internal_date = string(value)
            case "FLAGS":
                flags = frozenset(map(string, _list(value)))
            case _ if name.startswith(("BODY[", "BINARY[", "RFC822")):
                bodies[name] = None if value is None else value if isinstance(value, bytes) else string(value).encode()
    return Fetch(sequence_number, uid, flags, size, internal_date, bodies)


def _capability(frame: Frame, start: int, transcript: Transcript) -> Capabilities:
    return Capabilities(capability_names(_decoded(frame.text[start:]), transcript))


def _search(frame: Frame, start: int, _transcript: Transcript) -> Found:
    numbers, _, _modseq = _decoded(frame.text[start:]).partition("(")
    return Found(tuple(map(number, numbers.split())))


def _esearch(frame: Frame, start: int, _: Transcript) -> Found:
    found = [token for token in tokens(frame, start) if not isinstance(token, list)]
    for key, value in pairwise(found):
        if isinstance(key, str) and key.upper() == "ALL":
            return Found(numbers_in(string(value)))
    return Found(())


def numbers_in(uid_set: str) -> tuple[int, ...]:
    """
    Return the numbers of a set such as "2,10:15".

    Raises:
        RemoteProtocolError: It is no set, or one too large to be meant.
    """
    numbers: list[int] = []
    for part in uid_set.split(","):
        first, colon, last = part.partition(":")
        low = number(first)
        high = number(last) if colon else low
        low, high = min(low, high), max(low, high)
        if len(numbers) + high - low >= _LARGEST_SET:
            raise RemoteProtocolError(Violation.TOO_MUCH_DATA, "the server's set of messages is too large")
        numbers.extend(range(low, high + 1))
    return tuple(numbers)


def _identity(frame: Frame, start: int, transcript: Transcript) -> Identity:
    found = tokens(frame, start)
    pairs = found[0] if found and isinstance(found[0], list) else []
    return Identity(
        {
            transcript.masked(string(key).lower()): transcript.masked(string(value))
            for key, value in zip(pairs[::2], pairs[1::2], strict=False)
            if value is not None and key is not None
        }
    )


def _status(frame: Frame, start: int, transcript: Transcript) -> MailboxStatus:
    found = tokens(frame, start)
    if len(found) != 2:
        raise RemoteProtocolError(Violation.SYNTAX, "the server's STATUS response is not a mailbox and a list")
    pairs = _list(found[1])
    items = {
        string(key).upper(): number(value)
        for key, value in zip(pairs[::2], pairs[1::2], strict=False)
        if isinstance(value, str) and value.isdigit()
    }
    return MailboxStatus(transcript.masked(string(found[0])), items)


def _flags(frame: Frame, start: int, _: Transcript) -> Flags:
    found = tokens(frame, start)
    return Flags(frozenset(map(string, _list(found[0] if found else None))))


def _listed(frame: Frame, start: int, transcript: Transcript) -> Listed:
    found = tokens(frame, start)
    if len(found) < 3:
        raise RemoteProtocolError(Violation.SYNTAX, "the server's LIST response is incomplete")
    flags, delimiter, mailbox = found[:3]
    return Listed(
        frozenset(map(string, _list(flags))),
        None if delimiter is None else string(delimiter),
        transcript.masked(string(mailbox)),
    )


def _vanished(frame: Frame, start: int, transcript: Transcript) -> Vanished:
    words = _decoded(frame.text[start:]).split()
    return Vanished(transcript.masked(words[-1] if words else ""), len(words) > 1)


def _list(token: Token) -> list[Token]:
    if isinstance(token, list):
        return token
    raise RemoteProtocolError(Violation.SYNTAX, "the server's response cannot be read: a list expected")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


_Reader = Callable[[Frame, int, Transcript], Response]
_READERS: dict[str, _Reader] = {
    "CAPABILITY": _capability,
    "ENABLED": _capability,
    "SEARCH": _search,
    "ESEARCH": _esearch,
    "ID": _identity,
    "STATUS": _status,
    "FLAGS": _flags,
    "LIST": _listed,
    "LSUB": _listed,
    "VANISHED": _vanished,
}


def known_responses() -> frozenset[str]:
    """The names of the responses that are read."""
    return _NAMES


_NAMES = frozenset(_READERS)
