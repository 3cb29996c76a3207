"""What a server's protocol log is, and what stands in it: conversations of health mailboxes, for a while."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

LONGEST = timedelta(hours=1)
"""For how long it can be switched on at once: it is for finding one fault, and grows with every conversation."""


class Speaker(Enum):
    """Whose words a line holds."""

    CLIENT = "client"
    SERVER = "server"
    LOG = "log"
    """A line of a server's own log that is about the session."""


_SPEAKERS = {Speaker.CLIENT: "C:", Speaker.SERVER: "S:", Speaker.LOG: "--"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtocolLogStanding:
    """Whether the protocol log of one server is on, and whether it could be."""

    server: str
    is_available: bool
    """Whether it can be switched from here at all."""
    because: str
    """How it stands, or why it is not available and what to do about that."""
    users: tuple[str, ...] = ()
    """The health mailboxes it is on for."""
    since: datetime | None = None
    until: datetime | None = None
    """When it goes off, by itself at the latest."""
    directory: str = ""
    """Where it is written, below that a directory for each health mailbox; empty where that is not known."""

    @property
    def is_on(self) -> bool:
        """Whether anything is logged now."""
        return bool(self.users)


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedLine:
    """One line of a session. Secrets and the contents of messages are masked, and the text is fit to be shown."""

    server: str
    """Where it was written down."""
    speaker: Speaker
    text: str
    at: datetime | None = None

    @property
    def shown(self) -> str:
        """The line for people, as in a transcript: when, "C:", "S:" or "--" and whose log, and what was said."""
        at = "" if self.at is None else f"{self.at:%H:%M:%S}.{self.at.microsecond // 1000:03} "
        whose = f"{self.server}: " if self.speaker is Speaker.LOG else ""
        return f"{at}{_SPEAKERS[self.speaker]} {whose}{self.text}"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedSession:
    """One session of a health mailbox, as the logs of both tiers show it."""

    user: str
    because: str
    """How it is known which mailbox server served it, or why it is not."""
    mailbox_server: str | None = None
    """The mailbox server that served it; None: no log says."""
    proxy: str | None = None
    """The proxy that passed it on; None: none did, or its log was not seen."""
    session: str = ""
    """The id the servers' logs give it, on both tiers where the mailbox server trusts its proxies; "" when unknown."""
    process: int | None = None
    """The mailbox server's process that served it, by which its own log and its protocol log belong together."""
    opened: datetime | None = None
    lines: tuple[LoggedLine, ...] = ()
    """In the order of time, as far as the logs tell it; the middle of a long one is left out."""


def excerpt(sessions: Sequence[LoggedSession], *, most: int = 60) -> tuple[str, ...]:
    """
    What of these sessions is told to whoever is called: the newest one of which a conversation was logged, else the
    newest; who served it, and its beginning and end in *most* lines.
    """
    if not sessions:
        return ()
    with_words = [one for one in sessions if any(line.speaker is not Speaker.LOG for line in one.lines)]
    chosen = (with_words or sessions)[-1]
    through = f" through {chosen.proxy}" if chosen.proxy else ""
    head = f"-- {chosen.user}{through}, served by {chosen.mailbox_server or 'nobody knows whom'}: {chosen.because}"
    lines = tuple(line.shown for line in chosen.lines)
    if len(lines) <= most:
        return (head, *lines)
    half = most // 2
    return (head, *lines[:half], f"-- {len(lines) - 2 * half} lines left out", *lines[-half:])
