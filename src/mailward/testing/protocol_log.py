"""A mailbox server's protocol log in memory, which goes off when its clock says so."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.protocol_log import LONGEST, LoggedSession, ProtocolLogStanding
from mailward.ports.clock import Clock


class MemoryProtocolLog:
    """A ProtocolLog that logs what it is told of while it is on."""

    def __init__(self, server: str, users: Sequence[str], *, clock: Clock, directory: str = "/run/rawlog") -> None:
        """
        Args:
            server: Whose.
            users: Its health mailboxes.
            clock: Says when it goes off.
            directory: Where it says that it logs.
        """
        self.unavailable_because: str | None = None
        """Why it cannot be switched here."""
        self.silent_because: str | None = None
        """Why the host cannot be asked now."""
        self._server = server
        self._users = tuple(users)
        self._clock = clock
        self._directory = directory
        self._on: dict[str, tuple[datetime, datetime]] = {}
        self._logged: list[LoggedSession] = []

    def session(self, session: LoggedSession) -> None:
        """Somebody has a conversation; it is kept where it is logged."""
        self._pass_time()
        if session.user in self._on:
            self._logged.append(session)

    async def standing(self) -> ProtocolLogStanding:
        """How it stands now."""
        self._answer()
        if self.unavailable_because is not None:
            return ProtocolLogStanding(server=self._server, is_available=False, because=self.unavailable_because)
        users = tuple(sorted(self._on))
        return ProtocolLogStanding(
            server=self._server,
            is_available=True,
            because=f"on for {', '.join(users)}" if users else "off",
            users=users,
            since=min((since for since, _ in self._on.values()), default=None),
            until=max((until for _, until in self._on.values()), default=None),
            directory=self._directory,
        )

    async def on(self, users: Sequence[str], *, until: datetime) -> ProtocolLogStanding:
        """Log new sessions of these until then."""
        self._answer()
        self._require(users)
        now = self._clock.now()
        if not users or not now < until <= now + LONGEST + timedelta(seconds=30):
            raise Refused("the protocol log can be on for at least one health mailbox, and for an hour at most")
        self._available()
        for user in users:
            since = self._on[user][0] if user in self._on else now
            self._on[user] = (since, until)
        return await self.standing()

    async def off(self, users: Sequence[str] | None = None) -> ProtocolLogStanding:
        """Log these no more, or nobody."""
        self._answer()
        self._require(users or ())
        self._available()
        over = set(self._on if users is None else users)
        self._on = {user: span for user, span in self._on.items() if user not in over}
        self._logged = [one for one in self._logged if one.user not in over]
        return await self.standing()

    async def keep_deadline(self) -> None:
        """What is overdue goes off with every question."""
        self._answer()
        self._available()

    async def conversations(self, user: str, *, since: datetime, limit: int = 20) -> tuple[LoggedSession, ...]:
        """The newest conversations since then."""
        self._answer()
        self._require((user,))
        self._available()
        found = [one for one in self._logged if one.user == user and one.opened is not None and one.opened >= since]
        return tuple(found[-limit:])

    def _require(self, users: Sequence[str]) -> None:
        for user in users:
            if user not in self._users:
                raise Refused(f"{user!a} is no health mailbox of {self._server}: only those are logged")

    def _available(self) -> None:
        if self.unavailable_because is not None:
            raise Refused(self.unavailable_because)

    def _answer(self) -> None:
        self._pass_time()
        if self.silent_because is not None:
            raise TemporaryFailure(self.silent_because)

    def _pass_time(self) -> None:
        now = self._clock.now()
        over = {user for user, (_, until) in self._on.items() if until <= now}
        for user in over:
            del self._on[user]
        self._logged = [one for one in self._logged if one.user not in over]
