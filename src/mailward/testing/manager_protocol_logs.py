"""The part of the fake manager that is about protocol logs: it keeps how each stands, and shows the sessions it has."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from mailward.model.errors import NotFound, Refused
from mailward.model.protocol_log import LONGEST, LoggedSession, ProtocolLogStanding
from mailward.testing.manager_repairs import FakeRepairs


class FakeProtocolLogs(FakeRepairs):
    """Protocol logs over canned values, which orders change; none goes off by itself, because no time passes."""

    def __init__(
        self,
        *,
        protocol_logs: Sequence[ProtocolLogStanding] = (),
        sessions: Sequence[LoggedSession] = (),
        **others: Any,
    ) -> None:
        """Take how each stands, and the sessions there are; *others* are those of FakeRepairs."""
        super().__init__(**others)
        self.protocol_logs = {standing.server: standing for standing in protocol_logs}
        self.logged = list(sessions)
        self.health_users = {session.user for session in sessions}
        """The health mailboxes that can be looked for."""
        self.log_orders: list[tuple[str, str, str, str]] = []
        """Actor, "on" or "off", server and reason of each order that was carried out."""

    async def protocol_log(self, server: str) -> ProtocolLogStanding:
        """The canned standing; refused for a server that has none."""
        self._answer()
        return self._protocol_log(server)

    async def protocol_log_on(
        self, server: str, *, lasting: timedelta, actor: str, reason: str = "", dry_run: bool = False
    ) -> ProtocolLogStanding:
        """On for every health mailbox; refused where it is not available."""
        self._answer()
        before = self._available(server)
        if not timedelta(0) < lasting <= LONGEST:
            raise Refused("the protocol log can be on for 1 h at most")
        users = ", ".join(sorted(self.health_users))
        if dry_run:
            return replace(before, because=f"would log {users} below {before.directory}")
        self.log_orders.append((actor, "on", before.server, reason))
        return self._keep_log(
            replace(
                before,
                because=f"on for {users}",
                users=tuple(sorted(self.health_users)),
                since=before.since or self.now,
                until=self.now + lasting,
            )
        )

    async def protocol_log_off(
        self, server: str, *, actor: str, reason: str = "", dry_run: bool = False
    ) -> ProtocolLogStanding:
        """Off, whether it was on or not; refused where it is not available."""
        self._answer()
        before = self._available(server)
        if dry_run:
            because = f"would remove what was logged of {', '.join(before.users)}" if before.is_on else "it is off"
            return replace(before, because=because)
        self.log_orders.append((actor, "off", before.server, reason))
        return self._keep_log(replace(before, because="off", users=(), since=None, until=None))

    async def logged_sessions(self, user: str, *, since: datetime) -> tuple[LoggedSession, ...]:
        """The canned sessions of that user; not found for one who is no health mailbox."""
        self._answer()
        if user not in self.health_users:
            raise NotFound(f"there is no health mailbox {user!r}; only those are looked for, never people's sessions")
        return tuple(one for one in self.logged if one.user == user and one.opened is not None and one.opened >= since)

    def _protocol_log(self, server: str) -> ProtocolLogStanding:
        name = self._known(server)
        if name not in self.protocol_logs:
            raise Refused(f"the protocol log of {name} is not reached: its configuration names no Dovecot")
        return self.protocol_logs[name]

    def _available(self, server: str) -> ProtocolLogStanding:
        standing = self._protocol_log(server)
        if not standing.is_available:
            raise Refused(standing.because)
        return standing

    def _keep_log(self, standing: ProtocolLogStanding) -> ProtocolLogStanding:
        self.protocol_logs[standing.server] = standing
        return standing
