"""What a server's protocol log is, and what stands in it: conversations of health mailboxes, for a while."""

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
