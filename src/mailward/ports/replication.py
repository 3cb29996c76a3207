"""Making copies of mailboxes alike, and knowing how alike they are."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from mailward.model.copies import MailboxSync, SyncReport


class Replication(Protocol):
    """Replication as one mailbox server carries it out; TemporaryFailure from every method that cannot ask it."""

    async def status(self) -> Mapping[str, MailboxSync]:
        """
        How the replication of the mailboxes on this server stands, by mailbox.

        Raises:
            Refused: This server has no replication of its own (Dovecot 2.4).
        """
        ...

    async def hasten(self, mailboxes: Sequence[str]) -> None:
        """
        Have the replication of these mailboxes run before others.

        Raises:
            Refused: As `status`.
        """
        ...

    async def synchronise(self, mailboxes: Sequence[str], *, with_server: str) -> SyncReport:
        """
        Make these mailboxes here and on *with_server* alike, in both directions; nothing is ever deleted by it.

        Raises:
            Refused: It is not known how that server is reached.
        """
        ...

    def command(self, *, with_server: str) -> tuple[str, ...]:
        """The exact words that synchronise; they read the names of the mailboxes, a line each. Refused as above."""
        ...
