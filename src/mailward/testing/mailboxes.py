"""Mail in memory: what an `ObedientServer` serves."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class StoredMessage:
    """One message."""

    uid: int
    data: bytes
    flags: set[str] = field(default_factory=set)
    internal_date: str = "24-Nov-2026 12:00:00 +0000"

    def header(self, name: str) -> str:
        """The value of a header, or ""."""
        for line in self.data.partition(b"\r\n\r\n")[0].split(b"\r\n"):
            key, _, value = line.partition(b":")
            if key.decode().strip().upper() == name.upper():
                return value.decode().strip()
        return ""


class StoredMailbox:
    """One mailbox: its messages in the order of their UIDs."""

    def __init__(self, *, uid_validity: int = 1) -> None:
        self.uid_validity = uid_validity
        self.uid_next = 1
        self.messages: list[StoredMessage] = []

    def add(self, data: bytes, flags: set[str] | None = None) -> StoredMessage:
        """Store a message."""
        message = StoredMessage(self.uid_next, data, flags or set())
        self.uid_next += 1
        self.messages.append(message)
        return message

    def selected_by(self, uid_set: str) -> list[StoredMessage]:
        """The messages a set such as "1,4:*" names."""
        wanted: set[int] = set()
        last = self.messages[-1].uid if self.messages else 0
        for part in uid_set.split(","):
            low, _, high = part.partition(":")
            ends = sorted(last if end == "*" else int(end) for end in (low, high or low))
            wanted.update(range(ends[0], ends[1] + 1))
        return [message for message in self.messages if message.uid in wanted]

    def expunge(self, among: set[int] | None = None) -> list[int]:
        r"""Remove the \Deleted messages, or those of them with UIDs in *among*; return their sequence numbers."""
        gone: list[int] = []
        position = 1
        for message in list(self.messages):
            if "\\Deleted" in message.flags and (among is None or message.uid in among):
                self.messages.remove(message)
                gone.append(position)
            else:
                position += 1
        return gone
