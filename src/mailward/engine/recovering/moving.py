"""
Moving databases: what a move looks at, and the deeds it consists of.

Which step is safe next is decided by `failover`; here the map, the proxies and the copies are asked, and told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mailward.engine.recovering.deeds import Found
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.world import World
from mailward.failover.choosing import Candidate, Choice, choose
from mailward.failover.source import Source, source_of
from mailward.failover.switching import Next, Seen, next_safe_step
from mailward.failover.switching import Step as Safe
from mailward.model import items
from mailward.model.copies import CopyKind, DatabaseCopy, MailboxSync, ProxiedSession, SyncReport
from mailward.model.errors import MailwardError, Refused
from mailward.model.evidence import ServiceState
from mailward.model.holds import HeldState, Hold, HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.organization import Database, Server
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Step, StepName
from mailward.monitors.samples import ProbeKey
from mailward.ports.mailbox_routing import MailboxRouting, ProxyControl
from mailward.ports.replication import Replication
from mailward.recovery.moves import Move

LOOK_EVERY_S = 0.05
"""Between two looks at the sessions while a database moves: users wait meanwhile."""
ASK_WITHIN = timedelta(seconds=20)
OURSELVES = "mailward"
BeginMove = Callable[[str], Awaitable[int | None]]
"""Begins the move of one database; its operation's number, or that of the move that is under way."""
_ALIKE = frozenset({CopyKind.REPLICATOR, CopyKind.SYNC})
_HOLD_MOST = timedelta(seconds=10)
_BEGIN, _LATEST = 0.70, 0.80
"""Where in a second the switch begins: time enough for the map and the proxies before the next whole second."""
_BEFORE_THE_SECOND_S = 0.03
"""
Sessions end so shortly before the moment until which logins are held. Dovecot holds by whole seconds: a login at any
time in the second before that moment waits a full second (measured), one after it not at all. A client whose session
ends now needs some 40 ms to come back, and is let in; one that logged in meanwhile has waited until nobody was left.
"""


class Moving:
    """What moves look at."""

    def __init__(self, world: World) -> None:
        """*world* is the engine."""
        self._world = world

    async def source(self, database: Database) -> Source:
        """How the server of the active copy is, by its host and by probes of this moment."""
        server = database.active
        control = self._world.controls().services.get(server)
        service, unseen = (None, "the configuration names no host.service")
        if control is not None:
            service, unseen = await bounded(control.status())
        own, deep = await asyncio.gather(
            self._ask(ProbeKey(probe=items.SELF_TEST_PROBE, server=server, target=server)),
            self._ask(ProbeKey(probe=items.DEEP_TEST_PROBE, server=server, target=database.name)),
        )
        return source_of(
            service,
            unseen=unseen,
            own_test_fails=_fails(own),
            database_fails=_fails(deep),
            database_because=_why(deep),
        )

    async def choose(
        self, database: Database, source: Source, wanted: str | None, ignoring: tuple[int, ...] = ()
    ) -> Choice:
        """The copy to move to, by how the copies are at this moment; *ignoring* holds that are about to end."""
        await self._world.look_at_copies()
        others = [copy for copy in self._world.copies() if copy.database == database.name]
        ignored = [hold.by_whom for hold in self._world.holds() if hold.id in ignoring]
        return choose(
            [self._candidate(_without(copy, ignored)) for copy in others if copy.server != database.active],
            source_health=self._health(database.active, database.name),
            source_works=source.is_planned,
            mailboxes=database.mailboxes or 0,
            settings=self._world.moves(),
            wanted=wanted,
        )

    async def verify(self, move: Move) -> tuple[bool | None, str, Mapping[str, object]]:
        """Whether users of the database are served by the target through every proxy that serves anybody."""
        organization = self._world.organization()
        planned = {probe.key for probe in self._world.coverage().probes}
        doors = [proxy.name for proxy in organization.proxies] or list(organization.access_points)
        keys = [ProbeKey(probe=items.CTP_PROBE, server=door, target=move.database) for door in doors]
        keys = [key for key in keys if key in planned]
        if not keys:
            return None, "no probe of a user's way to it is configured", {}
        results = await asyncio.gather(*(self._ask(key) for key in keys))
        said: dict[str, str] = {}
        wrong = []
        for key, result in zip(keys, results, strict=True):
            served = result.mailbox_server if result is not None else None
            if result is not None and result.is_healthy and served in (None, move.target):
                said[key.server] = f"served by {served or 'whom it does not say'}"
                continue
            said[key.server] = f"served by {served}" if result is not None and result.is_healthy else _why(result)
            wrong.append(f"{key.server}: {said[key.server]}")
        if wrong:
            return False, f"not every user is served by {move.target}: {'; '.join(wrong)}", {"doors": said}
        return True, f"users are served by {move.target} through {', '.join(said)}", {"doors": said}

    def _candidate(self, copy: DatabaseCopy) -> Candidate:
        organization, server = self._world.organization(), copy.server
        held = next(
            (
                hold.by_whom
                for hold in self._world.holds()
                if hold.is_on(server) and hold.state is not HeldState.ACTIVE and hold.kind is not HoldKind.ACTIVATION
            ),
            None,
        )
        return Candidate(
            copy=copy,
            health=self._health(server, copy.database),
            active_mailboxes=sum(one.mailboxes or 0 for one in organization.active_on(server)),
            held_by=held,
        )

    def _health(self, server: str, database: str) -> AlertValue | None:
        """The worst of the self test of a server and the deep test of this database there."""
        states = [
            status.state
            for status in self._world.of_server(server)
            if status.key.item == items.SELF_TEST_MONITOR
            or (status.key.item == items.DEEP_TEST_MONITOR and status.key.target in (database, server))
        ]
        order = (AlertValue.UNHEALTHY, AlertValue.DEGRADED, AlertValue.REPAIRING, AlertValue.HEALTHY)
        return next((state for state in order if state in states), states[0] if states else None)

    async def _ask(self, key: ProbeKey) -> ProbeResult | None:
        if key not in {probe.key for probe in self._world.coverage().probes}:
            return None
        try:
            async with asyncio.timeout(ASK_WITHIN.total_seconds()):
                return await self._world.ask(key)
        except TimeoutError:
            return None


@dataclass(kw_only=True, slots=True)
class Synchronise:
    """Synchronise every mailbox of a database, before its users are sent elsewhere."""

    world: World
    move: Move

    def command(self) -> tuple[str, ...]:
        """The words for one mailbox."""
        if self.move.kind is CopyKind.SHARED_STORAGE:
            raise Refused("on shared storage there is nothing to synchronise")
        return _replication(self.world, self.move.target).command(with_server=self.move.source)

    async def before(self) -> Mapping[str, object]:
        """Nothing needs to be remembered."""
        return {}

    async def do(self) -> Mapping[str, object]:
        """
        Synchronise all. Where it is ours to do, then once more: the last run, for which users wait, will take as long.

        Raises:
            Refused: A mailbox could not be synchronised; the text names it.
            TemporaryFailure: A server could not be asked.
        """
        if self.move.kind is CopyKind.SHARED_STORAGE:
            return {}
        mailboxes = await _routing(self.world).mailboxes(self.move.database)
        loop = asyncio.get_running_loop()
        if self.move.kind is CopyKind.REPLICATOR:
            began = loop.time()
            await self._let_it_follow(mailboxes)
            return {"mailboxes": len(mailboxes), "took_s": [round(loop.time() - began, 3)]}
        took = []
        for _ in range(2):
            began = loop.time()
            await _synchronise(self.world, self.move, mailboxes)
            took.append(round(loop.time() - began, 3))
        return {"mailboxes": len(mailboxes), "took_s": took}

    async def _let_it_follow(self, mailboxes: Sequence[str]) -> None:
        """
        Wait until the replicator has copied every mailbox within the limit of lag.

        It is left to do its work alone: a second dsync of the same mailbox waits for the first one's lock (measured:
        31 s for three mailboxes that were written to all the time).
        """
        replication, settings = _replication(self.world, self.move.source), self.world.moves()
        deadline = asyncio.get_running_loop().time() + settings.lag_limit.total_seconds()
        hastened = False
        while True:
            syncs = await replication.status()
            behind = [name for name in mailboxes if _lacks(syncs.get(name), settings.lag_limit)]
            if not behind:
                return
            if not hastened:
                await replication.hasten(behind)
                hastened = True
            if asyncio.get_running_loop().time() > deadline:
                raise Refused(f"the lag stays: {len(behind)} mailboxes are behind, such as {behind[0]}")
            await asyncio.sleep(0.2)

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Synchronising again does no harm."""
        return Found(was_done=False, because="it is synchronised again, which does no harm")


@dataclass(kw_only=True, slots=True)
class SwitchOver:
    """Send the users of a database to another copy: the map, the proxies' memory, the sessions, the last mail."""

    world: World
    move: Move
    fenced: str | None
    hold: timedelta
    """How long new logins are held."""
    _forgot: set[str] = field(default_factory=set)
    _told: dict[str, object] = field(default_factory=dict)
    _end_at: float = 0.0
    """Sessions are ended from this moment on."""
    _writers: dict[str, None] = field(default_factory=dict)
    """Mailboxes that had a session on the source while it moved."""

    def command(self) -> tuple[str, ...]:
        """The words that change the map."""
        routing = _routing(self.world)
        return routing.command(self.move.database, source=self.move.source, target=self.move.target)

    async def before(self) -> Mapping[str, object]:
        """Where the map sends its users."""
        return {"routed_to": await self._routed_to()}

    async def do(self) -> Mapping[str, object]:
        """
        Take one safe step after the other until nobody is on the source.

        Raises:
            Refused: It is not safe to go on, or the switch could not be proven; the text says what is the case.
            TemporaryFailure: The map could not be asked: it is not known whether it was switched.
        """
        loop = asyncio.get_running_loop()
        mailboxes = frozenset(await _routing(self.world).mailboxes(self.move.database))
        until = loop.time() + self.world.moves().sessions_end_within.total_seconds()
        quiet_since: float | None = None
        synchronised = False
        routed_to = await self._routed_to()
        while True:
            sessions, unseen = await self._sessions()
            on_source = self._on_source(sessions, mailboxes)
            self._writers.update(dict.fromkeys(on_source))
            if on_source or unseen or routed_to != self.move.target:
                quiet_since = None
            elif quiet_since is None:
                quiet_since = loop.time()
            seen = Seen(
                source=self.move.source,
                target=self.move.target,
                routed_to=routed_to,
                fenced=self.fenced,
                answers=self.move.answers,
                catches_up=self.move.is_planned and self.move.kind in _ALIKE,
                proxies=frozenset(self._proxies()),
                forgot=frozenset(self._forgot),
                unseen=unseen,
                on_source=on_source,
                quiet_for=timedelta(seconds=loop.time() - quiet_since if quiet_since is not None else 0),
                synchronised=synchronised,
                out_of_time=loop.time() > until,
            )
            following = next_safe_step(seen)
            match following.step:
                case Safe.DONE:
                    return self._told
                case Safe.GIVE_UP:
                    raise Refused(following.because)
                case Safe.SWITCH:
                    await self._switch()
                    routed_to = await self._routed_to()
                    until = max(until, loop.time() + self.world.moves().sessions_end_within.total_seconds())
                case Safe.SYNCHRONISE:
                    await self._catch_up(mailboxes)
                    synchronised = True
                case _:
                    await self._small_step(following)

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Whatever was done is found done by doing it again: each step asks first."""
        try:
            routed_to = await self._routed_to()
        except MailwardError as failure:
            return Found(was_done=None, because=f"the map could not be asked: {failure}")
        if routed_to not in (self.move.source, self.move.target):
            return Found(was_done=None, because=f"the map sends its users to {routed_to}: somebody else changed it")
        return Found(was_done=False, because=f"the map sends its users to {routed_to}; the rest is done again")

    async def _small_step(self, following: Next) -> None:
        match following.step:
            case Safe.FORGET:
                await self._forget(following.proxies)
            case Safe.END_SESSIONS:
                await self._end_sessions(following.mailboxes)
                await asyncio.sleep(LOOK_EVERY_S)
            case _:
                await asyncio.sleep(LOOK_EVERY_S)

    async def _switch(self) -> None:
        routing = _routing(self.world)
        hold_until = None
        if routing.can_hold and self.move.answers:
            beyond = self.world.clock.now().timestamp() % 1
            if not _BEGIN <= beyond <= _LATEST:
                await asyncio.sleep((_BEGIN - beyond) % 1)
            now = self.world.clock.now()
            hold_until = now.replace(microsecond=0) + self.hold
            if self.hold <= timedelta(seconds=1):
                self._end_at = hold_until.timestamp() - _BEFORE_THE_SECOND_S
        self._told["held_until"] = hold_until.isoformat() if hold_until is not None else None
        self._told["switched_at"] = self.world.clock.now().isoformat()
        source, target = await self._words()
        await routing.switch(self.move.database, source=source, target=target, hold_until=hold_until)

    async def _forget(self, proxies: Sequence[str]) -> None:
        controls = self._proxies()
        said = await asyncio.gather(*(bounded(controls[name].forget()) for name in proxies))
        for name, (_, unseen) in zip(proxies, said, strict=True):
            if not unseen:
                self._forgot.add(name)
        if len(self._forgot) < len(controls):
            await asyncio.sleep(LOOK_EVERY_S)

    async def _end_sessions(self, mailboxes: Sequence[str]) -> None:
        await asyncio.sleep(max(0.0, min(1.0, self._end_at - self.world.clock.now().timestamp())))
        self._told["sessions_ended"] = len(self._writers)
        await asyncio.gather(*(bounded(control.end_sessions(mailboxes)) for control in self._proxies().values()))

    async def _catch_up(self, mailboxes: frozenset[str]) -> None:
        """The last mail: of whoever had a session comes first."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        first = [name for name in self._writers if name in mailboxes]
        if self.move.kind is CopyKind.REPLICATOR:
            await self._let_it_catch_up([*first, *sorted(mailboxes - set(first))], hasten=first)
        else:  # nobody knows who got mail since the last run
            await _synchronise(self.world, self.move, [*first, *sorted(mailboxes - set(first))])
        self._told["caught_up"] = {"mailboxes": len(mailboxes), "took_s": round(loop.time() - began, 3)}

    async def _let_it_catch_up(self, mailboxes: Sequence[str], *, hasten: Sequence[str]) -> None:
        """
        Wait until the replicators have copied every mailbox since the sessions ended, or found nothing to copy.

        Both servers' replicators copy in both directions, so the run of either will do. Their ages are whole seconds.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        here, there = _replication(self.world, self.move.source), _replication(self.world, self.move.target)
        await here.hasten(hasten)
        while True:
            said = await asyncio.gather(here.status(), there.status())
            elapsed = timedelta(seconds=int(loop.time() - began))
            left = [name for name in mailboxes if not any(_is_caught_up(one.get(name), elapsed) for one in said)]
            if hasten and elapsed < timedelta(seconds=1):
                left = left or list(hasten)  # an age of 0 may be a run of before
            if not left:
                return
            if elapsed > self.world.moves().lag_limit:
                raise Refused(f"users are sent to {self.move.target}, but {left[0]} is not copied there completely")
            await asyncio.sleep(0.2)

    async def _routed_to(self) -> str | None:
        """The server's name here, where the map has another word for it; None: the map does not know the database."""
        said = (await _routing(self.world).active()).get(self.move.database)
        if said is None:
            return None
        try:
            return self.world.organization().server_named(said).name
        except MailwardError:
            return said

    async def _words(self) -> tuple[str, str]:
        """The map's own words for source and target."""
        said = await _routing(self.world).active()
        own = said.get(self.move.database, self.move.source)
        known = {self._name(word): word for word in said.values()}
        return own, known.get(self.move.target, self.move.target)

    def _name(self, word: str) -> str:
        try:
            return self.world.organization().server_named(word).name
        except MailwardError:
            return word

    async def _sessions(self) -> tuple[dict[str, tuple[ProxiedSession, ...]], dict[str, str]]:
        """The sessions of each proxy that serves anybody, and why the others could not be asked."""
        controls = self._proxies()
        said = await asyncio.gather(*(bounded(control.sessions()) for control in controls.values()))
        found: dict[str, tuple[ProxiedSession, ...]] = {}
        unseen: dict[str, str] = {}
        for name, (sessions, why) in zip(controls, said, strict=True):
            if sessions is not None:
                found[name] = sessions
            elif not await self._is_down(name):
                unseen[name] = why
            else:
                self._forgot.add(name)  # what does not run remembers nothing, and passes nobody on
        for proxy in self.world.organization().proxies:
            if proxy.name not in controls and not await self._is_down(proxy.name):
                unseen[proxy.name] = f"servers.{proxy.name}.host.doveadm is not configured"
        return found, unseen

    async def _is_down(self, proxy: str) -> bool:
        """Whether its host says that it does not run."""
        control = self.world.controls().services.get(proxy)
        if control is None:
            return False
        status, _ = await bounded(control.status())
        return status is not None and status.state in (ServiceState.FAILED, ServiceState.STOPPED)

    def _on_source(
        self, sessions: Mapping[str, Sequence[ProxiedSession]], mailboxes: frozenset[str]
    ) -> tuple[str, ...]:
        """Mailboxes of this database with a session that leads to the source, or nobody knows where."""
        addresses = _addresses(self.world.organization().servers[self.move.source])
        own = {
            session.mailbox
            for of_proxy in sessions.values()
            for session in of_proxy
            if session.mailbox in mailboxes and (session.address is None or session.address in addresses)
        }
        return tuple(sorted(own))

    def _proxies(self) -> Mapping[str, ProxyControl]:
        organization = self.world.organization()
        return {name: one for name, one in self.world.controls().proxies.items() if name in organization.servers}


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveAway:
    """Begin the moves of every active copy of a server, or of one database, and keep its copies from coming back."""

    world: World
    server: str
    databases: tuple[str, ...]
    blocks: bool
    """Whether activation is blocked: not for the store of a single database."""
    begin: BeginMove

    def command(self) -> tuple[str, ...]:
        """What a person would type."""
        if self.world.controls().routing is None:
            raise Refused("the configuration has no [routing], so nobody can be sent to another copy")
        if self.blocks:
            return ("mailward", "server", "drain", self.server)
        return tuple(word for name in self.databases for word in ("mailward", "database", "move", name))

    async def before(self) -> Mapping[str, object]:
        """Which databases."""
        return {"databases": list(self.databases)}

    async def do(self) -> Mapping[str, object]:
        """Block activation first, so that nothing comes in behind what goes out; then begin every move."""
        if self.blocks:
            await block_activation(self.world, self.server, "it is being emptied")
        begun = []
        for name in self.databases:
            number = await self.begin(name)
            if number is not None:
                begun.append(number)
        return {"moves": begun}

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Beginning what is begun changes nothing: of one database one move is open at a time."""
        return Found(was_done=False, because="moves that were begun go on; the others are begun now")


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowActivation:
    """Allow a server's copies to become active again, as far as we ourselves blocked them."""

    world: World
    server: str

    def command(self) -> tuple[str, ...]:
        """What a person would type."""
        return ("mailward", "server", "undrain", self.server)

    async def before(self) -> Mapping[str, object]:
        """Nothing needs to be remembered."""
        return {}

    async def do(self) -> Mapping[str, object]:
        """End our own holds on it."""
        released = []
        for hold in own_blocks(self.world, self.server):
            await self.world.release(hold.id)
            released.append(hold.id)
        return {"released": released}

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Whether none is left."""
        left = own_blocks(self.world, self.server)
        return Found(was_done=not left, because="it is still blocked" if left else "nothing of ours blocks it")


async def block_activation(world: World, subject: str, reason: str) -> None:
    """Keep copies from becoming active; nothing changes where they are kept already."""
    if any(hold.kind is HoldKind.ACTIVATION and hold.subject.lower() == subject.lower() for hold in world.holds()):
        return  # a person's own block stays that person's
    hold = Hold(
        kind=HoldKind.ACTIVATION,
        subject=subject,
        value="blocked",
        owner=OURSELVES,
        reason=reason,
        since=world.clock.now(),
    )
    await world.hold(hold)


def own_blocks(world: World, server: str) -> tuple[Hold, ...]:
    """What we ourselves hold on the activation of a whole server."""
    return tuple(hold for hold in _own(world) if hold.subject.lower() == server.lower())


def _own(world: World) -> tuple[Hold, ...]:
    return tuple(hold for hold in world.holds() if hold.kind is HoldKind.ACTIVATION and hold.owner == OURSELVES)


async def _synchronise(world: World, move: Move, mailboxes: Sequence[str]) -> SyncReport:
    """Synchronise from the target; any mailbox that fails stops the move."""
    if not mailboxes:
        return SyncReport(done=())
    report = await _replication(world, move.target).synchronise(mailboxes, with_server=move.source)
    if report.failed:
        name, why = report.failed[0]
        more = f", and {len(report.failed) - 1} more" if len(report.failed) > 1 else ""
        raise Refused(f"{name} cannot be synchronised: {why}{more}")
    return report


def hold_for(world: World, steps: Sequence[Step], move: Move) -> timedelta:
    """How long logins are held: as configured, or as long as synchronising all mailboxes at the end will take."""
    configured = world.moves().hold
    if move.kind is not CopyKind.SYNC:
        return configured
    synced = next((step for step in reversed(steps) if step.name is StepName.SYNCHRONISE), None)
    took = synced.evidence.get("took_s") if synced is not None else None
    expected = float(took[-1]) if isinstance(took, list | tuple) and took else 0.0
    return min(_HOLD_MOST, max(configured, timedelta(seconds=int(expected) + 1)))


def _lacks(sync: MailboxSync | None, limit: timedelta) -> bool:
    """Whether a mailbox was not copied within *limit*."""
    if sync is None or sync.last_success is None:
        return True
    return (sync.has_failed or sync.is_waiting) and sync.last_success > limit


def _is_caught_up(sync: MailboxSync | None, elapsed: timedelta) -> bool:
    """Whether a mailbox was copied within *elapsed*, or has had nothing to copy."""
    if sync is None or sync.has_failed or sync.last_success is None:
        return False
    return not sync.is_waiting or sync.last_success < elapsed


def _without(copy: DatabaseCopy, blocks: Sequence[str]) -> DatabaseCopy:
    return replace(copy, activation_blocked=None) if copy.activation_blocked in blocks else copy


def _routing(world: World) -> MailboxRouting:
    routing = world.controls().routing
    if routing is None:
        raise Refused("the configuration has no [routing], so nobody can be sent to another copy")
    return routing


def _replication(world: World, server: str) -> Replication:
    found = world.controls().replication.get(server)
    if found is None:
        raise Refused(f"the replication of {server} is not reached: set servers.{server}.host.doveadm")
    return found


def _addresses(server: Server) -> frozenset[str]:
    return frozenset({server.imap.host, *server.known_as})


def _fails(result: ProbeResult | None) -> bool | None:
    if result is None:
        return None
    if result.result.is_failure:
        return True
    return False if result.is_healthy else None


def _why(result: ProbeResult | None) -> str:
    if result is None:
        return "it could not be probed"
    return (result.verdict.because if result.verdict is not None else result.detail) or result.result.value
