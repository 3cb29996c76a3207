"""
How the copies of mailbox databases stand: looked at every few seconds, and synchronised where that is ours to do.

Replication is asked where the active copy is, since that server knows what has yet to be copied. A server that cannot
be asked leaves its copies as they were known, with the reason.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.world import World
from mailward.failover.source import store_fails, why_of
from mailward.failover.standing import (
    Around,
    Replicated,
    ReplicationSeen,
    ServerSeen,
    copy_of,
    replicated,
    replication_of,
    with_runs_of,
)
from mailward.model import items
from mailward.model.copies import CopyKind, CopyState, DatabaseCopy, MailboxSync
from mailward.model.event import OURSELVES
from mailward.model.evidence import ServiceState
from mailward.model.holds import Hold, HoldKind
from mailward.model.organization import Database
from mailward.model.probing import Cause, ProbeResult
from mailward.model.recovery import Operation, OperationKind
from mailward.monitors.planning import deep_test_of
from mailward.monitors.samples import ProbeKey

log = logging.getLogger(__name__)

CATCHES_UP_WITHIN = timedelta(minutes=10)
"""How long synchronising all mailboxes of a database may take."""
READ_WITHIN = timedelta(seconds=30)
"""How long the deep test may take that says whether a store is the one it was."""
HASTENS_EVERY = timedelta(seconds=15)
"""How often the replicator of a database is told to try now what it puts off."""
LATELY = timedelta(minutes=15)
"""A canary read before that says nothing of the present."""
_GONE = frozenset({Cause.STORE_CHANGED, Cause.CONTENT_MISMATCH})
_NOBODY_LOOKS = ServerSeen(serves=None, because="it is no mailbox server of this organization")


class Copying:
    """The copies of every database."""

    def __init__(self, world: World, open_operations: Callable[[], tuple[Operation, ...]]) -> None:
        """*world* is the engine; *open_operations* are those under way, moves among them."""
        self._world = world
        self._open = open_operations
        self._copies: tuple[DatabaseCopy, ...] = ()
        self._followed: dict[tuple[str, str], bool] = {}
        self._replicated: dict[str, Replicated] = {}
        """By server: what its replicator said when it was last asked."""
        self._read_at: dict[tuple[str, str], datetime] = {}
        """By database and server: when the active copy there was last read."""
        self._synced: dict[tuple[str, str], datetime] = {}
        """SYNC: when a copy was last synchronised without any failure."""
        self._failed: dict[tuple[str, str], str] = {}
        self._sync_next: dict[str, datetime] = {}
        self._hasten_next: dict[str, datetime] = {}
        self._lock = asyncio.Lock()

    def seen(self) -> tuple[DatabaseCopy, ...]:
        """Every copy as it stood when last looked at, by database and preference."""
        return self._copies

    def copies(self) -> tuple[DatabaseCopy, ...]:
        """The same, with what is being mounted and dismounted at this moment."""
        databases = self._world.organization().databases
        return tuple(
            replace(copy, state=moving, because="a move is under way")
            if copy.database in databases
            and (moving := self._moving(databases[copy.database], copy.server)) is not None
            else copy
            for copy in self._copies
        )

    async def run(self) -> None:
        """Look again and again, and synchronise what is due."""
        while True:
            try:
                await self.look()
                if self._world.controls().routing is not None and self._world.forbidden() is None:
                    await self.bring_back()
                    await self._synchronise_what_is_due()
            except Exception:
                log.exception("looking at the copies")  # what went wrong once must not end the looking
            await asyncio.sleep(self._world.moves().poll_every.total_seconds())

    async def look(self) -> None:
        """Look at every copy now."""
        async with self._lock:
            organization = self._world.organization()
            names = [one.name for one in organization.mailbox_servers]
            seen_now = await asyncio.gather(*(self._server_seen(name) for name in names))
            servers = dict(zip(names, seen_now, strict=True))
            syncs = await self._syncs()
            found: list[DatabaseCopy] = []
            for database in organization.databases.values():
                seen = await self._replication_seen(database, syncs)
                for place, server in enumerate(database.copies, 1):
                    copy = self._copy(database, server, place, servers, seen.get(server, ReplicationSeen(unseen="")))
                    found.append(copy)
            self._copies = tuple(found)

    async def look_if_old(self) -> None:
        """Look now where the last look is older than the looks are apart."""
        seen = self._copies[0].seen_at if self._copies else None
        if seen is None or self._world.clock.now() - seen > self._world.moves().poll_every:
            await self.look()

    def _copy(
        self, database: Database, server: str, place: int, servers: Mapping[str, ServerSeen], seen: ReplicationSeen
    ) -> DatabaseCopy:
        key = (database.name, server)
        canary, why = self._canary(database, server)
        unread, readable_ago = self._active_unread(database)
        around = Around(
            kind=database.replication,
            is_active=server == database.active,
            preference=place,
            server=servers.get(server, _NOBODY_LOOKS),
            active=servers.get(database.active, _NOBODY_LOOKS),
            unread=unread,
            readable_ago=readable_ago,
            replication=seen,
            followed=self._follows(database, server),
            canary=canary,
            canary_because=why,
            blocked=self._blocked(database, server),
            must_catch_up=self._must_catch_up(database, server),
        )
        copy = copy_of(database.name, server, around, settings=self._world.moves(), now=self._world.clock.now())
        if copy.state in (CopyState.HEALTHY, CopyState.RESYNCHRONIZING, CopyState.FAILED):
            self._followed[key] = copy.state is CopyState.HEALTHY
        return copy

    def _follows(self, database: Database, server: str) -> bool | None:
        """Whether it followed when that was last seen, also by a manager before this one."""
        known = self._followed.get((database.name, server))
        if known is not None:
            return known
        result = self._world.latest(ProbeKey(probe=items.REPLICATION_CHECK, server=server, target=database.name))
        return None if result is None or not (result.is_healthy or result.result.is_failure) else result.is_healthy

    async def _server_seen(self, server: str) -> ServerSeen:
        """Whether its service answers: by its host, else by its own last test."""
        control = self._world.controls().services.get(server)
        if control is not None:
            status, _ = await bounded(control.status())
            if status is not None and (status.state.has_ended or status.state is ServiceState.HUNG):
                return ServerSeen(serves=False, because=f"its service: {status.because}")
        result = self._world.latest(ProbeKey(probe=items.SELF_TEST_PROBE, server=server, target=server))
        if result is None:
            return ServerSeen(serves=None, because="its self test has not been run")
        if result.result.is_failure:
            return ServerSeen(serves=False, because=result.why or result.result.value)
        return ServerSeen(serves=True, because="its self test succeeds")

    def _active_unread(self, database: Database) -> tuple[str, timedelta | None]:
        """Why the active copy of a database cannot be read, and how long ago it last was."""
        key, now = (database.name, database.active), self._world.clock.now()
        result = self._world.latest(deep_test_of(database, database.active))
        if result is not None and result.is_healthy:
            self._read_at[key] = result.at
        unread = f"it cannot be read: {why_of(result)}" if result is not None and store_fails(result) else ""
        return unread, now - self._read_at[key] if key in self._read_at else None

    async def _syncs(self) -> Mapping[str, Replicated | str]:
        """What the replicator of each server with active copies says, or why it could not be asked."""
        databases = self._world.organization().databases.values()
        replicating = [database for database in databases if database.replication is CopyKind.REPLICATOR]
        asked_at = self._world.clock.now()
        asked = tuple(
            dict.fromkeys(server for database in replicating for server in (database.active, *database.passive))
        )
        answers = dict(zip(asked, await asyncio.gather(*(self._replicator(server) for server in asked)), strict=True))
        found: dict[str, Replicated | str] = {}
        for server in {database.active for database in replicating}:
            said = answers[server]
            if isinstance(said, str):
                found[server] = said
                continue
            peers = {peer for database in replicating if database.active == server for peer in database.passive}
            theirs = [syncs for peer in peers if not isinstance(syncs := answers[peer], str)]
            seen = replicated(with_runs_of(said, theirs), at=asked_at, before=self._replicated.get(server))
            found[server] = self._replicated[server] = seen
        return found

    async def _replicator(self, server: str) -> Mapping[str, MailboxSync] | str:
        control = self._world.controls().replication.get(server)
        if control is None:
            return f"servers.{server}.host.doveadm is not configured"
        syncs, why = await bounded(control.status())
        return syncs if syncs is not None else why

    async def _replication_seen(
        self, database: Database, syncs: Mapping[str, Replicated | str]
    ) -> Mapping[str, ReplicationSeen]:
        """How well each passive copy follows."""
        if database.replication is CopyKind.SYNC:
            return {server: self._by_our_runs(database, server) for server in database.passive}
        if database.replication is not CopyKind.REPLICATOR:
            return {}
        said = syncs.get(database.active, "nobody was asked")
        if isinstance(said, str):
            return {server: ReplicationSeen(unseen=said) for server in database.passive}
        mailboxes, why = await self._mailboxes(database)
        seen = ReplicationSeen(unseen=why) if mailboxes is None else replication_of(mailboxes, said)
        if mailboxes is not None and (seen.never or seen.failed):
            await self._hasten(database, [name for name in mailboxes if _needs_a_push(said.syncs.get(name))])
        return dict.fromkeys(database.passive, seen)

    async def _hasten(self, database: Database, mailboxes: list[str]) -> None:
        """
        Have the replicator try now what it puts off.

        It counts only its own runs, so that what its peer did first never counts there; and after a failure it waits
        for minutes, also when what failed is mended (measured).
        """
        now = self._world.clock.now()
        control = self._world.controls().replication.get(database.active)
        if control is not None and self._world.forbidden() is None and self._hasten_next.get(database.name, now) <= now:
            self._hasten_next[database.name] = now + HASTENS_EVERY
            await bounded(control.hasten(mailboxes))

    def _by_our_runs(self, database: Database, server: str) -> ReplicationSeen:
        key = (database.name, server)
        synced, failed = self._synced.get(key), self._failed.get(key)
        if synced is None:
            mailboxes = database.mailboxes or 1
            return ReplicationSeen(never=mailboxes, failed=int(failed is not None), mailboxes=mailboxes)
        return ReplicationSeen(failed=int(failed is not None), lag=self._world.clock.now() - synced)

    async def _mailboxes(self, database: Database) -> tuple[tuple[str, ...] | None, str]:
        routing = self._world.controls().routing
        if routing is None:
            return None, "the configuration has no [routing], which knows the mailboxes"
        return await bounded(routing.mailboxes(database.name))

    def _canary(self, database: Database, server: str) -> tuple[bool | None, str]:
        """Whether the message that is always there was read there lately."""
        result = self._world.latest(deep_test_of(database, server))
        if result is None or self._world.clock.now() - result.at > LATELY:
            return None, "it was not read lately"
        if result.is_healthy:
            return True, "its canary is there"
        if _is_gone(result):
            return False, f"it is not the store it was: {result.why}"
        if result.result.is_failure:
            return False, f"it cannot be read: {result.why}"
        return None, result.detail

    def _moving(self, database: Database, server: str) -> CopyState | None:
        for operation in self._open():
            if operation.kind is OperationKind.MOVE and operation.data.get("database") == database.name:
                if server == operation.server:
                    return CopyState.DISMOUNTING
                return CopyState.MOUNTING if server in (database.active, operation.data.get("target")) else None
        return None

    def _blocked(self, database: Database, server: str) -> str | None:
        for hold in self._activation_holds():
            if hold.blocks_activation(server, database.name):
                return hold.by_whom
        return None

    def _must_catch_up(self, database: Database, server: str) -> str | None:
        return next((hold.reason for hold in self._left_behind() if _is_of(hold, database.name, server)), None)

    def _activation_holds(self) -> tuple[Hold, ...]:
        return tuple(hold for hold in self._world.holds() if hold.kind is HoldKind.ACTIVATION)

    def _left_behind(self) -> tuple[Hold, ...]:
        """Our own holds on single copies: their users left without a last synchronisation."""
        return tuple(hold for hold in self._activation_holds() if hold.owner == OURSELVES and "/" in hold.subject)

    async def bring_back(self) -> None:
        """
        Synchronise copies that were left behind, once their server answers and their store is the one it was.

        Never from a store whose canary is missing: an empty store would look like deleted mail.
        """
        organization = self._world.organization()
        for hold in self._left_behind():
            server, _, name = hold.subject.partition("/")
            database = organization.databases.get(name)
            if database is not None and self._moving(database, server) is not None:
                continue
            if database is None or server == database.active or server not in database.copies:
                await self._world.release(hold.id, OURSELVES)
                continue
            seen = await self._server_seen(server)
            fit = seen.serves is True and await self._is_the_store_it_was(database, server)
            if fit and await self._synchronise(database, server):
                await self._world.release(hold.id, OURSELVES)
                await self.look()

    async def _is_the_store_it_was(self, database: Database, server: str) -> bool:
        """Whether its canary is read there at this moment."""
        key = deep_test_of(database, server)
        if not self._world.coverage().plans(key):
            return False
        result, _ = await bounded(self._world.ask(key), within=READ_WITHIN)
        return result is not None and result.is_healthy

    async def _synchronise_what_is_due(self) -> None:
        now = self._world.clock.now()
        for database in self._world.organization().databases.values():
            moves = self._moving(database, database.active) is not None
            if database.replication is not CopyKind.SYNC or moves or not self._is_due(database, now):
                continue
            active_canary, _ = self._canary(database, database.active)
            if active_canary is not True:
                continue  # as at the start, before it was read for the first time
            self._sync_next[database.name] = now + self._world.moves().sync_every
            for server in database.passive:
                if await self._is_fit(database, server):
                    await self._synchronise(database, server)

    async def _is_fit(self, database: Database, server: str) -> bool:
        """Never with a store that is not known to be the one it was, nor behind the back of what a move left."""
        return self._must_catch_up(database, server) is None and await self._is_the_store_it_was(database, server)

    def _is_due(self, database: Database, now: datetime) -> bool:
        """When its time has come, or at once for a copy that was not tried yet, such as the one a move left."""
        keys = [(database.name, server) for server in database.passive]
        tried = all(key in self._synced or key in self._failed for key in keys)
        return not tried or self._sync_next.get(database.name, now) <= now

    async def _synchronise(self, database: Database, server: str) -> bool:
        """Make the copy on *server* and the active one alike; whether all of it is."""
        key = (database.name, server)
        control = self._world.controls().replication.get(database.active)
        mailboxes, why = await self._mailboxes(database)
        if control is None or mailboxes is None:
            self._failed[key] = why or f"the replication of {database.active} is not reached"
            return False
        began = self._world.clock.now()
        report, why = await bounded(control.synchronise(mailboxes, with_server=server), within=CATCHES_UP_WITHIN)
        if report is None or report.failed:
            self._failed[key] = why if report is None else f"{report.failed[0][0]}: {report.failed[0][1]}"
            log.warning("%s on %s cannot be synchronised: %s", database.name, server, self._failed[key])
            return False
        self._failed.pop(key, None)
        self._synced[key] = began
        return True


def _is_gone(result: ProbeResult) -> bool:
    return result.result.is_failure and result.cause in _GONE


def _is_of(hold: Hold, database: str, server: str) -> bool:
    return hold.subject.lower() == f"{server}/{database}".lower()


def _needs_a_push(sync: MailboxSync | None) -> bool:
    return sync is None or sync.last_success is None or sync.has_failed
