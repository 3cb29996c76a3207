"""
What of a server's response may be shown: everything but the contents of messages.

Literals never reach this file's output. In FETCH responses quoted strings may hold the same contents, so they are
masked too. After login a response of a kind nobody knows may be a piece of a message, so only its length is shown.
"""

import re

from mailward.imap.framing import Frame
from mailward.imap.parsing import STATUSES, known_responses

_STRING = re.compile(r'(INTERNALDATE )?"(?:[^"\\]|\\.)*(?:"|$)', re.IGNORECASE)
_NUMBERED = frozenset(("EXISTS", "RECENT", "EXPUNGE"))
_FIRST_WORDS = (
    (b"+OK", "it greets like POP3"),
    (b"220", "it greets like SMTP or FTP"),
    (b"SSH-", "it greets like SSH"),
    (b"HTTP/", "it answers like a web server"),
    (b"\x15\x03", "it sent a TLS alert: this port expects TLS from the first byte"),
    (b"\x16\x03", "it sent a TLS handshake: this port expects TLS from the first byte"),
)


def shown_response(frame: Frame, *, logged_in: bool) -> str:
    """Return an untagged response as a transcript may show it."""
    text = frame.text.decode("utf-8", "backslashreplace")
    words = text[2:].split(" ", 2)
    first = words[0].upper()
    if first.isdigit():
        second = words[1].upper() if len(words) > 1 else ""
        if second == "FETCH":
            return _STRING.sub(_unless_date, text) if '"' in text else text
        if second in _NUMBERED:
            return text
    elif first in STATUSES or first in known_responses():
        return text
    return f"* <{len(text) - 2} characters of an unknown response>" if logged_in else text


def guess_protocol(data: bytes) -> str:
    """Say what *data*, which is no IMAP greeting, looks like."""
    for beginning, meaning in _FIRST_WORDS:
        if data.startswith(beginning):
            return meaning
    first_line = data[:80].splitlines()[0] if data.strip() else data[:80]
    return f"it begins with {first_line.decode('utf-8', 'backslashreplace')!r}"


def _unless_date(found: re.Match[str]) -> str:
    return found[0] if found[1] else '"***"'
