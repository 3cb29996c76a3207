"""
From bytes to whole responses: lines, and the literals inside them.

A frame is one response. The frame keeps its text without the literals' contents, and the literals beside it, each at
the place where its "{n}" stands. Limits are checked on what a server announces, before it sends it: "{4000000000}"
costs nothing.

Every byte is looked at once, however the stream is split.
"""

from dataclasses import dataclass

from mailward.imap.errors import RemoteProtocolError, Violation
from mailward.imap.limits import Limits

_NO_LITERALS: dict[int, bytes] = {}
#: Responses made of text for people, which may end in a brace without announcing a literal.
_TEXTUAL = frozenset((b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"))


@dataclass(frozen=True, slots=True)
class Frame:
    """One response: its text, and the literals by the place of their "{" in the text."""

    text: bytes
    literals: dict[int, bytes]


class Framer:
    """Cuts a server's stream into frames."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._searched = 0
        self._pieces: list[bytes] = []
        self._literals: dict[int, bytes] = {}
        self._length = 0
        self._expected: int | None = None
        self._total = 0
        self._bytes = 0
        self._lines = 0

    @property
    def waiting(self) -> bytes:
        """What has been received but is no whole response yet."""
        return bytes(self._buffer)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left over, not even a response that has only begun."""
        return not self._buffer and not self._pieces

    def begin_command(self) -> None:
        """Count bytes and lines for a new command."""
        self._bytes = len(self._buffer)
        self._lines = 0

    def feed(self, data: bytes) -> None:
        """
        Take what the stream delivered.

        Raises:
            RemoteProtocolError: The server sent more than a command or a conversation may bring.
        """
        self._buffer += data
        self._total += len(data)
        self._bytes += len(data)
        if self._total > self._limits.conversation_bytes:
            raise RemoteProtocolError(
                Violation.TOO_MUCH_DATA,
                f"the server sent more than {self._limits.conversation_bytes} bytes in one conversation",
            )
        if self._bytes > self._limits.command_bytes:
            raise RemoteProtocolError(
                Violation.TOO_MUCH_DATA, f"the server sent more than {self._limits.command_bytes} bytes for one command"
            )

    def next(self) -> Frame | None:
        """
        Return the next whole response, or None until more has been fed.

        Raises:
            RemoteProtocolError: The line or literal is too long, or is none.
        """
        while True:
            if self._expected is not None and not self._take_literal(self._expected):
                return None
            line = self._take_line()
            if line is None:
                return None
            self._pieces.append(line)
            announced = self._announced_literal(line)
            if announced is None:
                return self._finish(line)
            self._literals[self._length + line.rindex(b"{")] = b""
            self._length += len(line)
            self._expected = announced

    def _finish(self, line: bytes) -> Frame:
        if len(self._pieces) == 1:
            self._pieces.clear()
            return Frame(line, _NO_LITERALS)
        frame = Frame(b"".join(self._pieces), self._literals)
        self._pieces.clear()
        self._literals = {}
        self._length = 0
        return frame

    def _take_line(self) -> bytes | None:
        buffer = self._buffer
        end = buffer.find(b"\n", self._searched)
        if (len(buffer) if end < 0 else end) > self._limits.line:
            raise RemoteProtocolError(
                Violation.LINE_TOO_LONG, f"the server sent a line of more than {self._limits.line} bytes"
            )
        if end < 0:
            self._searched = len(buffer)
            return None
        self._searched = 0
        line = bytes(buffer[: end - 1 if end and buffer[end - 1] == 13 else end])
        del buffer[: end + 1]
        self._lines += 1
        if self._lines > self._limits.command_lines:
            raise RemoteProtocolError(
                Violation.TOO_MANY_LINES,
                f"the server sent more than {self._limits.command_lines} lines for one command",
            )
        if b"\0" in line:
            raise RemoteProtocolError(Violation.NUL_BYTE, "the server sent a NUL byte")
        return line

    def _take_literal(self, size: int) -> bool:
        if len(self._buffer) < size:
            return False
        place = next(reversed(self._literals))
        self._literals[place] = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._expected = None
        return True

    def _announced_literal(self, line: bytes) -> int | None:
        """Return the size of the literal that *line* ends with, or None when it ends with none."""
        if not line.endswith(b"}"):
            return None
        brace = line.rfind(b"{")
        digits = line[brace + 1 : -1]
        if brace < 0 or not digits.strip(b"+-").isdigit() or self._is_text():
            return None
        if not digits.isdigit() or len(digits) > 10:
            raise RemoteProtocolError(
                Violation.BAD_LITERAL, f"the server announced a literal of {_shortened(digits)} bytes"
            )
        size = int(digits)
        if size > self._limits.literal:
            raise RemoteProtocolError(
                Violation.LITERAL_TOO_LARGE,
                f"the server announced a literal of {size} bytes; {self._limits.literal} are allowed",
            )
        return size

    def _is_text(self) -> bool:
        """Whether the response at hand is text for people: a status, tagged or not, or a continuation."""
        first = self._pieces[0]
        return not first.startswith(b"* ") or first[2:9].split(b" ", 1)[0].upper() in _TEXTUAL


def _shortened(digits: bytes) -> str:
    text = digits.decode("ascii", "backslashreplace")
    return text if len(text) <= 20 else f"{text[:12]}… ({len(text)} digits)"
