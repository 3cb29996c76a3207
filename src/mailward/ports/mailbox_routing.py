"""Where users are sent to: the map of mailbox databases to servers, and the proxies that follow it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from mailward.model.copies import ProxiedSession


class MailboxRouting(Protocol):
    """
    The map from which proxies learn which copy of a database is active.

    Every method raises TemporaryFailure when the map cannot be asked; Refused when it says something else than the
    configuration promised, such as a statement that is wrong.
    """

    @property
    def can_hold(self) -> bool:
        """Whether new logins can be held until a moment while a database moves (Dovecot 2.3: `delay_until`)."""
        ...

    async def active(self) -> Mapping[str, str]:
        """Database -> server of the active copy, in the words of the map."""
        ...

    async def mailboxes(self, database: str) -> tuple[str, ...]:
        """The mailboxes of a database."""
        ...

    async def switch(self, database: str, *, source: str, target: str, hold_until: datetime | None = None) -> None:
        """
        Send the users of *database* to *target* from now on; one transaction, with the moment logins are held until.

        Raises:
            Refused: The map does not say *source* any more: somebody else has changed it, and nothing was changed.
            TemporaryFailure: The map was not reached, or hung up: it may have been changed. Look at `active`.
        """
        ...

    def command(self, database: str, *, source: str, target: str) -> tuple[str, ...]:
        """The exact words of `switch`, for a rehearsal."""
        ...


class ProxyControl(Protocol):
    """
    The sessions and the memory of one proxy.

    Every method raises TemporaryFailure when the proxy cannot be asked: then nobody knows whom it sends where.
    """

    async def forget(self) -> None:
        """Forget remembered lookups (an authentication cache hides a change of the map)."""
        ...

    async def sessions(self) -> tuple[ProxiedSession, ...]:
        """The sessions it passes on now."""
        ...

    async def end_sessions(self, mailboxes: Sequence[str]) -> None:
        """
        End the sessions of these mailboxes, wherever they lead.

        Only while their server answers: Dovecot 2.3 crashes when a login to a dead one is pending (field notes §B).
        """
        ...
