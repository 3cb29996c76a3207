"""
What was said, for people: both directions, secrets and message bodies masked, bounded in size.

The beginning and the end of a conversation tell most, so what does not fit is left out of the middle.
"""

from collections import deque

from mailward.imap.masking import Masking

_LONGEST = 1_000


class Transcript:
    """A record of one conversation. It is safe to store and to show."""

    def __init__(self, *, max_bytes: int = 16_384) -> None:
        self._masking = Masking()
        self._room_at_head = max_bytes // 2
        self._room_at_tail = max_bytes - max_bytes // 2
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._left_out = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """The record: "C: " what we sent, "S: " what the server sent, "-- " remarks."""
        if not self._left_out:
            return (*self._head, *self._tail)
        return (*self._head, f"-- {self._left_out} lines left out", *self._tail)

    def keep_secret(self, secret: str) -> None:
        """Hide *secret* in both directions from now on, wherever it occurs."""
        self._masking.keep_secret(secret)

    def masked(self, text: str) -> str:
        """Return *text* as one printable line without secrets."""
        return self._masking(text)

    def hides(self, text: str) -> bool:
        """Whether *text* holds a secret."""
        return self._masking.hides(text)

    def note(self, text: str) -> None:
        """Add a remark of ours, such as what TLS agreed on."""
        self._add("-- ", text)

    def sent(self, shown: str) -> None:
        """Record what we sent, given in its showable form."""
        self._add("C: ", shown)

    def received(self, shown: str) -> None:
        """Record what the server sent, message bodies already taken out."""
        self._add("S: ", shown)

    def _add(self, prefix: str, text: str) -> None:
        text = self._masking(text)
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}… ({len(text) - _LONGEST} more)"
        line = prefix + text
        size = len(line) if line.isascii() else len(line.encode("utf-8", "replace"))
        if not self._tail and size <= self._room_at_head:
            self._room_at_head -= size
            self._head.append(line)
            return
        self._tail.append(line)
        self._room_at_tail -= size
        while self._room_at_tail < 0:
            self._room_at_tail += len(self._tail.popleft().encode("utf-8", "replace"))
            self._left_out += 1
