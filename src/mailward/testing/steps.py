"""What a server under test does, one deed after the other; the same deeds over TCP and in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Say:
    """Send these bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Be silent for so many seconds, then go on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Be silent until the client gives up."""


@dataclass(frozen=True, slots=True)
class Flood:
    """Send this again and again until the client gives up."""

    data: bytes


@dataclass(frozen=True, slots=True)
class StartTls:
    """Answer the client's TLS handshake."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection (TCP RST)."""


Step = Say | Wait | Stall | Flood | StartTls | Close | Reset


#: How a session speaks without having been spoken to.
Push = Callable[[Sequence[Step]], None]


class Session(Protocol):
    """The server's side of one connection, without I/O."""

    @property
    def may_push(self) -> bool:
        """Whether it can ever speak unasked; if not, a client waiting for it waits in vain."""
        ...

    def opening(self, push: Push) -> Sequence[Step]:
        """What the server does before it has heard anything; *push* is kept for later."""
        ...

    def hear(self, data: bytes) -> Sequence[Step]:
        """What the server does on hearing *data*."""
        ...

    def gone(self) -> None:
        """Take note that the connection is over."""
        ...


class Server(Protocol):
    """Something that serves connections."""

    def session(self) -> Session:
        """Begin to serve one more connection."""
        ...
