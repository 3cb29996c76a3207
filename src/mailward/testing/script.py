"""
A server that plays a written dialogue: hear this, say that.

What it hears is compared with the script, and everything that differs is kept in `complaints`, so that a test can say
which line of the dialogue broke.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailward.testing.steps import Close, Flood, Push, Reset, Say, Session, Stall, StartTls, Step, Wait

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n$")


@dataclass(frozen=True, slots=True)
class _Hear:
    words: str


class Script:
    """
    A dialogue, written as a chain: `Script().says("* OK ready").hears("LOGIN").says("{tag} OK done").stalls()`.

    "{tag}" stands for the tag of the command last heard. Every connection plays the script from its beginning. A script
    that has come to its end closes the connection when it next hears something.
    """

    def __init__(self, lines: Sequence[Step | _Hear] = ()) -> None:
        self._lines = tuple(lines)
        self.heard: list[str] = []
        """The commands of all connections, in order, without line ends; literals as they came."""
        self.complaints: list[str] = []
        """What was heard that the script did not expect."""

    def says(self, *lines: str) -> "Script":
        """Say whole lines; the line ends are added."""
        return self.sends(b"".join(line.encode() + b"\r\n" for line in lines))

    def sends(self, data: bytes) -> "Script":
        """Send bytes as they are."""
        return self._then(Say(data))

    def hears(self, words: str = "") -> "Script":
        """Wait for a command that begins with *words*, tag aside and regardless of case; "" takes anything."""
        return self._then(_Hear(words))

    def answers(self, words: str, *untagged: str, ok: str = "done") -> "Script":
        """Hear a command, say *untagged* lines and a tagged OK."""
        return self.hears(words).says(*untagged, f"{{tag}} OK {ok}")

    def waits(self, seconds: float) -> "Script":
        """Be silent for a while."""
        return self._then(Wait(seconds))

    def drips(self, data: bytes, *, every: float) -> "Script":
        """Send *data* one byte at a time."""
        drops: list[Step] = []
        for byte in data:
            drops += (Wait(every), Say(bytes((byte,))))
        return self._then(*drops)

    def floods(self, data: bytes) -> "Script":
        """Send *data* again and again until the client gives up."""
        return self._then(Flood(data))

    def stalls(self) -> "Script":
        """Be silent until the client gives up."""
        return self._then(Stall())

    def starts_tls(self) -> "Script":
        """Answer a TLS handshake: at once for implicit TLS, or after an OK to STARTTLS."""
        return self._then(StartTls())

    def closes(self) -> "Script":
        """Close the connection."""
        return self._then(Close())

    def resets(self) -> "Script":
        """Break the connection."""
        return self._then(Reset())

    def then(self, other: "Script") -> "Script":
        """Go on with another script."""
        return self._then(*other._lines)

    def session(self) -> Session:
        """Play the script to one more connection."""
        return _ScriptSession(self, self._lines)

    def _then(self, *lines: Step | _Hear) -> "Script":
        return Script((*self._lines, *lines))


class _ScriptSession:
    def __init__(self, script: Script, lines: Sequence[Step | _Hear]) -> None:
        self._script = script
        self._lines = list(lines)
        self._commands = CommandReader()
        self._tag = "*"

    @property
    def may_push(self) -> bool:
        return False

    def opening(self, _push: Push) -> Sequence[Step]:
        return self._until_next_hearing()

    def hear(self, data: bytes) -> Sequence[Step]:
        done: list[Step] = []
        for command in self._commands.feed(data):
            if command is None:
                done.append(Say(b"+ go on\r\n"))
            else:
                done += self._heard(command)
        return done

    def gone(self) -> None:
        return None

    def _heard(self, command: bytes) -> Sequence[Step]:
        text = command.decode("utf-8", "backslashreplace").rstrip("\r\n")
        self._script.heard.append(text)
        if not self._lines:
            return (Close(),)
        expected = self._lines.pop(0)
        assert isinstance(expected, _Hear)
        tag, _, rest = text.partition(" ")
        if expected.words and not f"{rest} ".upper().startswith(expected.words.upper()):
            if not text.upper().startswith(expected.words.upper()):
                self._script.complaints.append(f"heard {text!r}, expected {expected.words!r}")
                return (Close(),)
        elif rest:
            self._tag = tag
        return self._until_next_hearing()

    def _until_next_hearing(self) -> Sequence[Step]:
        steps: list[Step] = []
        while self._lines and not isinstance(line := self._lines[0], _Hear):
            self._lines.pop(0)
            if isinstance(line, Say):
                line = Say(line.data.replace(b"{tag}", self._tag.encode()))
            steps.append(line)
        return steps


class CommandReader:
    """Cuts what a client sends into commands, literals included."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._command = bytearray()
        self._literal = 0

    def feed(self, data: bytes) -> list[bytes | None]:
        """Return the whole commands; None where a literal waits to be asked for."""
        self._buffer += data
        found: list[bytes | None] = []
        while True:
            if self._literal:
                if len(self._buffer) < self._literal:
                    return found
                self._command += self._buffer[: self._literal]
                del self._buffer[: self._literal]
                self._literal = 0
            end = self._buffer.find(b"\n") + 1
            if not end:
                return found
            line = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._command += line
            if (announced := _LITERAL.search(line)) is None:
                found.append(bytes(self._command))
                self._command.clear()
                continue
            self._literal = int(announced[1])
            if not announced[2]:
                found.append(None)
