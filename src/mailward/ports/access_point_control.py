"""Taking a proxy out of the access point, and putting it back."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

TAKE_OUT = "take_out"
PUT_BACK = "put_back"


class Membership(Enum):
    """Whether clients are sent to a proxy."""

    IN = "in"
    DRAINING = "draining"
    """No new clients; those that are there stay."""
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One proxy behind an access point, as its load balancer says."""

    server: str
    membership: Membership
    because: str
    sessions: int | None = None
    was_ordered: bool = False
    """Whether somebody's order keeps it out or draining; False when that is the load balancer's own finding."""


class AccessPointControl(Protocol):
    """
    One access point. Every method but `command` raises TemporaryFailure when the load balancer cannot be asked.

    A load balancer does not say whose order keeps a proxy out. Whoever takes one out looks at `members` before, and
    puts back only what it took out itself.
    """

    async def members(self) -> tuple[Member, ...]:
        """
        The proxies behind it, and whether clients are sent there; UNKNOWN for one that should be there and is not.

        Raises:
            Refused: The load balancer does not know this access point.
        """
        ...

    async def take_out(self, server: str) -> None:
        """
        Send no new clients to *server* and end the sessions it has; taking out twice changes nothing.

        Returns when the load balancer shows both. After TemporaryFailure it may be out: look at `members`.

        Raises:
            Refused: The load balancer does not know it, or says no; every answer is read and checked.
        """
        ...

    async def put_back(self, server: str) -> None:
        """
        Send clients to *server* again, as far as the load balancer's own check allows; twice changes nothing.

        Raises:
            Refused: The load balancer does not know it, says no, or something else keeps it out; the text says what.
        """
        ...

    def command(self, deed: str, server: str) -> tuple[str, ...]:
        """
        The exact words that TAKE_OUT or PUT_BACK would send, a line each, for a rehearsal; the deed sends the same.

        Raises:
            Refused: There is no such deed, or the load balancer cannot have a server of that name.
        """
        ...
