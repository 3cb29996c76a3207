"""
A map, proxies and replication in memory, over mailbox servers that share nothing but what is copied between them.

Each can be made to fail, to hang, or to be changed behind one's back. `MemoryMap` passes the contract of
`MailboxRouting`; proxies and replication behave as Dovecot 2.3 was measured to.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailward.model.copies import MailboxSync, ProxiedSession, SyncReport
from mailward.model.errors import MailwardError, Refused, TemporaryFailure
from mailward.ports.clock import Clock


class MemoryMap:
    """The map, as a dict. What was switched is in `switches`, in order."""

    def __init__(
        self, active: Mapping[str, str], mailboxes: Mapping[str, Sequence[str]] | None = None, *, can_hold: bool = True
    ) -> None:
        """
        Args:
            active: Database -> server of its active copy.
            mailboxes: Database -> its mailboxes.
            can_hold: Whether it knows until when logins are held.
        """
        self.can_hold = can_hold
        self.held: dict[str, datetime | None] = {}
        """Database -> until when the last switch holds its logins."""
        self.switches: list[tuple[str, str, str]] = []
        """(database, source, target) of every switch that took effect."""
        self.unreachable = ""
        """Why it cannot be asked; "" means it can."""
        self.refusal: MailwardError | None = None
        """What a switch raises instead of taking effect."""
        self.hangs_up = False
        """Whether a switch takes effect and then looks as if it had not been reached."""
        self.hangs = False
        """Whether everything asked of it waits for `let_go` before it takes effect."""
        self._active = dict(active)
        self._mailboxes = {database: tuple(names) for database, names in (mailboxes or {}).items()}
        self._gone_on = asyncio.Event()

    async def active(self) -> Mapping[str, str]:
        """
        What it says now.

        Raises:
            TemporaryFailure: The test says it cannot be asked.
        """
        await self._reach()
        return dict(self._active)

    async def mailboxes(self, database: str) -> tuple[str, ...]:
        """
        Those of the database.

        Raises:
            TemporaryFailure: The test says it cannot be asked.
        """
        await self._reach()
        return self._mailboxes.get(database, ())

    async def switch(self, database: str, *, source: str, target: str, hold_until: datetime | None = None) -> None:
        """
        Change it, if it still says *source*.

        Raises:
            Refused: It says something else.
            TemporaryFailure: It cannot be asked, or hung up after it was changed.
            MailwardError: What the test has set.
        """
        await self._reach()
        if self.refusal is not None:
            raise self.refusal
        if self._active.get(database) != source:
            raise Refused(f"the map does not say any more that {database} is on {source}; nothing was changed")
        self._active[database] = target
        self.held[database] = hold_until if self.can_hold else None
        self.switches.append((database, source, target))
        if self.hangs_up:
            raise TemporaryFailure("the map hung up")

    def command(self, database: str, *, source: str, target: str) -> tuple[str, ...]:
        """Words that nothing but this map understands."""
        return ("memory-map", database, source, target)

    def edit(self, database: str, server: str) -> None:
        """Change it as somebody else would: unasked, and holding nobody's login."""
        self._active[database] = server

    def lookup(self, mailbox: str) -> tuple[str, datetime | None] | None:
        """What a proxy is told at a login: the server, and until when to hold it; None: there is no such user."""
        for database, names in self._mailboxes.items():
            if mailbox in names:
                return self._active[database], self.held.get(database)
        return None

    def let_go(self) -> None:
        """End everything that hangs, and let the next hang again."""
        self._gone_on.set()
        self._gone_on = asyncio.Event()

    async def _reach(self) -> None:
        if self.unreachable:
            raise TemporaryFailure(self.unreachable)
        if self.hangs:
            await self._gone_on.wait()


class MemoryServers:
    """The stores of several mailbox servers: each has its own messages of every mailbox."""

    def __init__(self, clock: Clock, addresses: Mapping[str, str]) -> None:
        """*addresses* are those of the servers, by name."""
        self.clock = clock
        self.addresses = dict(addresses)
        self.dead: set[str] = set()
        """Servers that do not answer."""
        self._mail: dict[str, dict[str, set[str]]] = {server: {} for server in addresses}
        self._changed: dict[str, datetime] = {}

    def messages(self, server: str, mailbox: str) -> frozenset[str]:
        """The messages of a mailbox as that server has them."""
        return frozenset(self._mail[server].get(mailbox, ()))

    def add(self, server: str, mailbox: str, message: str) -> None:
        """
        Store a message on one server.

        Raises:
            TemporaryFailure: The server is dead: the message is not acknowledged.
        """
        if server in self.dead:
            raise TemporaryFailure(f"{server} does not answer")
        self._mail[server].setdefault(mailbox, set()).add(message)
        self._changed[mailbox] = self.clock.now()

    def merge(self, mailbox: str, *servers: str) -> None:
        """Give each of the servers every message that any of them has."""
        every = set().union(*(self.messages(server, mailbox) for server in servers))
        for server in servers:
            self._mail[server][mailbox] = set(every)

    def unchanged_for(self, mailbox: str) -> timedelta:
        """How long ago a message came last."""
        return self.clock.now() - self._changed.get(mailbox, datetime.min.replace(tzinfo=self.clock.now().tzinfo))


@dataclass(frozen=True, slots=True)
class _Login:
    """One user who was sent to a server, or will be."""

    mailbox: str
    server: str
    held_until: datetime | None


class MemoryProxy:
    """
    A proxy that leads users by the map as it is when they log in.

    A login is pending while it is held, and while its server is dead. As in Dovecot 2.3, it goes where the map said
    when it came in, whatever the map says when it is let go.
    """

    def __init__(self, routing: MemoryMap, servers: MemoryServers, *, remembers: bool = False) -> None:
        """
        Args:
            routing: The map it asks.
            servers: Where it leads to.
            remembers: Whether it has an authentication cache, which hides a change of the map until `forget`.
        """
        self.unreachable = ""
        """Why it cannot be asked; "" means it can."""
        self.crashes = 0
        """How often it crashed, and all its sessions with it."""
        self._routing, self._servers, self._remembers = routing, servers, remembers
        self._cache: dict[str, tuple[str, datetime | None]] = {}
        self._logins: list[_Login] = []
        self._let_in: list[_Login] = []

    async def forget(self) -> None:
        """
        Empty the cache.

        Raises:
            TemporaryFailure: The test says it cannot be asked.
        """
        self._refuse_if_unreachable()
        self._cache.clear()

    async def sessions(self) -> tuple[ProxiedSession, ...]:
        """
        Those of the users who are let in, and whose server lives.

        Raises:
            TemporaryFailure: The test says it cannot be asked.
        """
        self._refuse_if_unreachable()
        self._settle()
        return tuple(
            ProxiedSession(mailbox=one.mailbox, address=self._servers.addresses[one.server]) for one in self._let_in
        )

    async def end_sessions(self, mailboxes: Sequence[str]) -> None:
        """
        End these mailboxes' sessions; pending logins stay.

        Raises:
            TemporaryFailure: It cannot be asked, or it crashed: a login of one of them waited for a dead server.
        """
        self._refuse_if_unreachable()
        self._settle()
        if any(one.mailbox in mailboxes and one.server in self._servers.dead for one in self._logins):
            self.crashes += 1
            self._logins, self._let_in = [], []
            raise TemporaryFailure("sessions were not ended: Error: KICK failed: IPC: Connection closed")
        self._let_in = [one for one in self._let_in if one.mailbox not in mailboxes]

    def log_in(self, mailbox: str) -> str:
        """
        A user logs in; the server the login goes to, now or once it is let in.

        Raises:
            Refused: The map knows no such user.
        """
        found = self._cache.get(mailbox) or self._routing.lookup(mailbox)
        if found is None:
            raise Refused(f"{mailbox} is unknown")
        if self._remembers:
            self._cache[mailbox] = found
        self._logins.append(_Login(mailbox, *found))
        self._settle()
        return found[0]

    def pending(self) -> tuple[str, ...]:
        """Mailboxes whose logins wait."""
        self._settle()
        return tuple(one.mailbox for one in self._logins)

    def write(self, mailbox: str, message: str) -> bool:
        """A user stores a message by a session of theirs; False: they have none, and nothing was acknowledged."""
        self._settle()
        server = next((one.server for one in self._let_in if one.mailbox == mailbox), None)
        if server is None:
            return False
        self._servers.add(server, mailbox, message)
        return True

    def _settle(self) -> None:
        """Let in whom nothing keeps waiting any more; sessions to a dead server have ended."""
        now = self._servers.clock.now()
        alive = [one for one in self._logins if one.server not in self._servers.dead]
        ready = [one for one in alive if one.held_until is None or one.held_until <= now]
        self._logins = [one for one in self._logins if one not in ready]
        self._let_in = [one for one in (*self._let_in, *ready) if one.server not in self._servers.dead]

    def _refuse_if_unreachable(self) -> None:
        if self.unreachable:
            raise TemporaryFailure(self.unreachable)


@dataclass(slots=True)
class MemoryReplication:
    """The replication of one server with one other: mail comes to be on both once it has lain still for `lag`."""

    server: str
    other: str
    servers: MemoryServers
    mailboxes: Sequence[str]
    lag: timedelta = timedelta()
    unreachable: str = ""
    """Why this server cannot be asked; "" means it can."""
    has_replicator: bool = True
    """Whether it copies by itself (Dovecot 2.3); without it only `synchronise` copies."""
    failing: dict[str, str] = field(default_factory=dict)
    """Mailboxes that cannot be synchronised, and why."""
    hastened: list[str] = field(default_factory=list)
    """Mailboxes that were to be copied before others, in order."""
    _succeeded: dict[str, datetime] = field(default_factory=dict)

    async def status(self) -> Mapping[str, MailboxSync]:
        """
        How each mailbox stands; those whose time has come are copied first.

        Raises:
            Refused: There is no replicator.
            TemporaryFailure: The server cannot be asked.
        """
        self._refuse_without_replicator()
        for name in self.mailboxes:
            if self._differs(name) and self.servers.unchanged_for(name) >= self.lag:
                self._copy(name)
        now = self.servers.clock.now()
        return {
            name: MailboxSync(
                mailbox=name,
                is_waiting=self._differs(name),
                has_failed=name in self.failing,
                last_success=now - self._succeeded[name] if name in self._succeeded else None,
            )
            for name in self.mailboxes
        }

    async def hasten(self, mailboxes: Sequence[str]) -> None:
        """
        Copy these at once, whatever the lag.

        Raises:
            Refused: There is no replicator.
            TemporaryFailure: The server cannot be asked.
        """
        self._refuse_without_replicator()
        self.hastened.extend(mailboxes)
        for name in mailboxes:
            self._copy(name)

    async def synchronise(self, mailboxes: Sequence[str], *, with_server: str) -> SyncReport:
        """
        Copy these, and tell which could not be.

        Raises:
            Refused: It is another server than the one it knows.
            TemporaryFailure: This server cannot be asked.
        """
        self._refuse_if_unreachable()
        self.command(with_server=with_server)
        done = tuple(name for name in mailboxes if self._copy(name))
        failed = tuple((name, self._trouble(name) or "") for name in mailboxes if name not in done)
        return SyncReport(done=done, failed=failed)

    def command(self, *, with_server: str) -> tuple[str, ...]:
        """
        Words that nothing but this replication understands.

        Raises:
            Refused: It is another server than the one it knows.
        """
        if with_server != self.other:
            raise Refused(f"it is not known where {with_server} is reached to synchronise")
        return ("memory-sync", "MAILBOXES", self.server, with_server)

    def _copy(self, mailbox: str) -> bool:
        if self._trouble(mailbox) is not None:
            return False
        self.servers.merge(mailbox, self.server, self.other)
        self._succeeded[mailbox] = self.servers.clock.now()
        return True

    def _trouble(self, mailbox: str) -> str | None:
        if self.other in self.servers.dead:
            return f"{self.other} does not answer"
        return self.failing.get(mailbox)

    def _differs(self, mailbox: str) -> bool:
        return self.servers.messages(self.server, mailbox) != self.servers.messages(self.other, mailbox)

    def _refuse_without_replicator(self) -> None:
        self._refuse_if_unreachable()
        if not self.has_replicator:
            raise Refused(f"{self.server} has no replication of its own")

    def _refuse_if_unreachable(self) -> None:
        if self.unreachable or self.server in self.servers.dead:
            raise TemporaryFailure(self.unreachable or f"{self.server} does not answer")
