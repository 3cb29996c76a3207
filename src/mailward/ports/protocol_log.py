"""
The protocol log of one mailbox server: what health mailboxes and the server said to each other, for a while.

Rules an implementation keeps. It logs health mailboxes only, those it was made for. Once it is on it goes off at its
deadline, also when mailward is killed: that is for something on the server's host to do, which is there before anything
is logged. What was logged is gone once it is off. It takes away nothing that it did not make.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailward.model.protocol_log import LoggedSession, ProtocolLogStanding


class ProtocolLog(Protocol):
    """
    The protocol log of one server.

    Every method raises TemporaryFailure when the host could not be asked: then nobody knows whether it is on.
    """

    async def standing(self) -> ProtocolLogStanding:
        """How it stands now. That it is not available is an answer, not an error."""
        ...

    async def on(self, users: Sequence[str], *, until: datetime) -> ProtocolLogStanding:
        """
        Log new sessions of these health mailboxes until then; those that are logged already are from now on until then.

        After TemporaryFailure nothing is logged for longer than *until*: call `off`, or leave it to the deadline.

        Raises:
            Refused: One is no health mailbox of this server, *until* is over or further away than LONGEST, or it is not
                available here; the text says why. Nothing was switched.
        """
        ...

    async def off(self, users: Sequence[str] | None = None) -> ProtocolLogStanding:
        """
        Log these health mailboxes no more, or, with None, nobody; and remove what was logged of them.

        Where it is off, nothing happens.

        Sessions that are still open are logged no more where anybody could read it.

        Raises:
            Refused: It is not available here, or something that mailward did not make is in the way.
        """
        ...

    async def keep_deadline(self) -> None:
        """
        See to it again that whatever is on goes off in time; what is overdue goes off now.

        For when mailward starts: what was to switch off may have been ended together with it.

        Raises:
            Refused: It is not available here; so nothing is on.
        """
        ...

    async def conversations(self, user: str, *, since: datetime, limit: int = 20) -> tuple[LoggedSession, ...]:
        """
        The newest *limit* conversations of a health mailbox that went on since then, the oldest first.

        Only this server's own protocol log is read; who was its proxy is said elsewhere.

        Raises:
            Refused: It is no health mailbox of this server, or the protocol log is not available here.
        """
        ...
