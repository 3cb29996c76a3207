"""The part of the Manager port that is about protocol logs."""

from datetime import datetime, timedelta

from mailward.engine.move_answers import MoveAnswers
from mailward.model.protocol_log import LoggedSession, ProtocolLogStanding


class ProtocolLogAnswers(MoveAnswers):
    """Answers about protocol logs, and has them switched."""

    async def protocol_log(self, server: str) -> ProtocolLogStanding:
        """How a mailbox server's protocol log stands."""
        return await self._repairing.protocol_logging.standing(self._organization.server_named(server).name)

    async def protocol_log_on(
        self, server: str, *, lasting: timedelta, actor: str, reason: str = "", dry_run: bool = False
    ) -> ProtocolLogStanding:
        """Log the conversations of its health mailboxes for a while."""
        name = self._organization.server_named(server).name
        logging = self._repairing.protocol_logging
        return await logging.on(name, lasting=lasting, actor=actor, reason=reason, dry_run=dry_run)

    async def protocol_log_off(
        self, server: str, *, actor: str, reason: str = "", dry_run: bool = False
    ) -> ProtocolLogStanding:
        """Log nothing any more."""
        name = self._organization.server_named(server).name
        return await self._repairing.protocol_logging.off(name, actor=actor, reason=reason, dry_run=dry_run)

    async def logged_sessions(self, user: str, *, since: datetime) -> tuple[LoggedSession, ...]:
        """The sessions of a health mailbox since then."""
        return await self._repairing.protocol_logging.find(user, since=since)
