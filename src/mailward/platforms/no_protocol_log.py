"""The protocol log of a server where it cannot be switched: it says so, and why."""

# ruff: noqa: ARG002 - whatever is asked, the answer is the same

from collections.abc import Sequence
from datetime import datetime

from mailward.model.errors import Refused
from mailward.model.protocol_log import LoggedSession, ProtocolLogStanding


class NoProtocolLog:
    """Refuses everything, with the reason."""

    def __init__(self, server: str, because: str) -> None:
        """*because* says why it is not available there, and what to do instead."""
        self._server = server
        self._because = because

    async def standing(self) -> ProtocolLogStanding:
        """Not available."""
        return ProtocolLogStanding(server=self._server, is_available=False, because=self._because)

    async def on(self, users: Sequence[str], *, until: datetime) -> ProtocolLogStanding:
        """Refused."""
        raise Refused(self._because)

    async def off(self, users: Sequence[str] | None = None) -> ProtocolLogStanding:
        """Refused."""
        raise Refused(self._because)

    async def keep_deadline(self) -> None:
        """Refused."""
        raise Refused(self._because)

    async def conversations(self, user: str, *, since: datetime, limit: int = 20) -> tuple[LoggedSession, ...]:
        """Refused."""
        raise Refused(self._because)
