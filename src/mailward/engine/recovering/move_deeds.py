"""
The deeds of moves: synchronise, fence, switch over, empty a server, allow activation again.

Which step of a switch is safe next is decided by `failover`; here the map, the proxies and the copies are told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailward.engine.recovering.deeds import Deed, Found, Unavailable
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.world import World
from mailward.failover.switching import Next, Seen, next_safe_step
from mailward.failover.switching import Step as Safe
from mailward.model.copies import CopyKind, MailboxSync, ProxiedSession, SyncReport
from mailward.model.errors import MailwardError, Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.model.holds import Hold, HoldKind
from mailward.model.organization import Server
from mailward.model.recovery import Operation, OperationKind, Step, StepName, StepOutcome
from mailward.ports.mailbox_routing import MailboxRouting, ProxyControl
from mailward.ports.replication import Replication
from mailward.ports.service_control import ServiceControl, ServiceDeed
from mailward.recovery.moves import Move, move_of

LOOK_EVERY_S = 0.05
"""Between two looks at the sessions while a database moves: users wait meanwhile."""
HELD_MEANWHILE = timedelta(seconds=4)
"""How long logins are held at a time while it is found out whether anybody is left on a server that is silent."""
STOPS_WITHIN = timedelta(seconds=40)
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
        if self.move.kind is CopyKind.REPLICATOR:
            began = self.world.moment()
            await self._let_it_follow(mailboxes)
            return {"mailboxes": len(mailboxes), "took_s": [round(self.world.moment() - began, 3)]}
        took = []
        for _ in range(2):
            began = self.world.moment()
            await _synchronise(self.world, self.move, mailboxes)
            took.append(round(self.world.moment() - began, 3))
        return {"mailboxes": len(mailboxes), "took_s": took}

    async def _let_it_follow(self, mailboxes: Sequence[str]) -> None:
        """
        Wait until the replicator has copied every mailbox within the limit of lag.

        It is left to do its work alone: a second dsync of the same mailbox waits for the first one's lock (measured:
        31 s for three mailboxes that were written to all the time).
        """
        replication, settings = _replication(self.world, self.move.source), self.world.moves()
        deadline = self.world.moment() + settings.lag_limit.total_seconds()
        hastened = False
        while True:
            syncs = await replication.status()
            behind = [name for name in mailboxes if _lacks(syncs.get(name), settings.lag_limit)]
            if not behind:
                return
            if not hastened:
                await replication.hasten(behind)
                hastened = True
            if self.world.moment() > deadline:
                raise Refused(f"the lag stays: {len(behind)} mailboxes are behind, such as {behind[0]}")
            await self.world.sleep(0.2)

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Synchronising again does no harm."""
        return Found(was_done=False, because="it is synchronised again, which does no harm")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fence:
    """
    Stop the service of the source with every session it left behind, so that nobody writes there any more.

    A host that cannot be asked is not fenced by this; whether it may be left all the same, the proxies' sessions say.
    """

    control: ServiceControl

    def command(self) -> tuple[str, ...]:
        """The service control's own words."""
        return self.control.command(ServiceDeed.STOP)

    async def before(self) -> Mapping[str, object]:
        """Nothing needs to be remembered: stopping what is stopped changes nothing."""
        return {}

    async def do(self) -> Mapping[str, object]:
        """Stop it."""
        _, unseen = await bounded(self.control.stop(), within=STOPS_WITHIN)
        if unseen:
            raise TemporaryFailure(unseen)
        return {}

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Whether its host says that it does not run."""
        status, unseen = await bounded(self.control.status())
        if status is None:
            return Found(was_done=None, because=unseen)
        return Found(was_done=status.state is ServiceState.STOPPED, because=status.because)


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
    _held_until: datetime | None = None
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
        mailboxes = frozenset(await _routing(self.world).mailboxes(self.move.database))
        until = self.world.moment() + self.world.moves().sessions_end_within.total_seconds()
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
                quiet_since = self.world.moment()
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
                can_hold=_routing(self.world).can_hold,
                held=self._held_until is not None and self.world.clock.now() < self._held_until,
                quiet_for=timedelta(seconds=self.world.moment() - quiet_since if quiet_since is not None else 0),
                synchronised=synchronised,
                out_of_time=self.world.moment() > until,
            )
            following = next_safe_step(seen)
            match following.step:
                case Safe.DONE:
                    await self.world.read_routing()  # what is watched follows at once
                    return self._told
                case Safe.HOLD:
                    await self._hold_logins()
                case Safe.GIVE_UP:
                    raise Refused(following.because)
                case Safe.SWITCH:
                    await self._switch()
                    routed_to = await self._routed_to()
                    until = max(until, self.world.moment() + self.world.moves().sessions_end_within.total_seconds())
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
                await self.world.sleep(LOOK_EVERY_S)
            case _:
                await self.world.sleep(LOOK_EVERY_S)

    async def _hold_logins(self) -> None:
        """Hold new logins where they are, so that those that wait for a dead server come to their end."""
        now = self.world.clock.now()
        self._held_until = now + HELD_MEANWHILE
        self._forgot.clear()
        source, _ = await self._words()
        until = self._held_until.replace(microsecond=0) + timedelta(seconds=1)
        await _routing(self.world).switch(self.move.database, source=source, target=source, hold_until=until)

    async def _switch(self) -> None:
        self._forgot.clear()
        routing = _routing(self.world)
        hold_until = None
        if routing.can_hold and self.move.answers:
            beyond = self.world.clock.now().timestamp() % 1
            if not _BEGIN <= beyond <= _LATEST:
                await self.world.sleep((_BEGIN - beyond) % 1)
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
            await self.world.sleep(LOOK_EVERY_S)

    async def _end_sessions(self, mailboxes: Sequence[str]) -> None:
        await self.world.sleep(max(0.0, min(1.0, self._end_at - self.world.clock.now().timestamp())))
        self._told["sessions_ended"] = len(self._writers)
        await asyncio.gather(*(bounded(control.end_sessions(mailboxes)) for control in self._proxies().values()))

    async def _catch_up(self, mailboxes: frozenset[str]) -> None:
        """The last mail: of whoever had a session comes first."""
        began = self.world.moment()
        first = [name for name in self._writers if name in mailboxes]
        if self.move.kind is CopyKind.REPLICATOR:
            await self._let_it_catch_up([*first, *sorted(mailboxes - set(first))], hasten=first)
        else:  # nobody knows who got mail since the last run
            await _synchronise(self.world, self.move, [*first, *sorted(mailboxes - set(first))])
        self._told["caught_up"] = {"mailboxes": len(mailboxes), "took_s": round(self.world.moment() - began, 3)}

    async def _let_it_catch_up(self, mailboxes: Sequence[str], *, hasten: Sequence[str]) -> None:
        """
        Wait until the replicators have copied every mailbox since the sessions ended, or found nothing to copy.

        Both servers' replicators copy in both directions, so the run of either will do. Their ages are whole seconds.
        """
        began = self.world.moment()
        here, there = _replication(self.world, self.move.source), _replication(self.world, self.move.target)
        await here.hasten(hasten)
        while True:
            said = await asyncio.gather(here.status(), there.status())
            elapsed = timedelta(seconds=int(self.world.moment() - began))
            left = [name for name in mailboxes if not any(_is_caught_up(one.get(name), elapsed) for one in said)]
            if hasten and elapsed < timedelta(seconds=1):
                left = left or list(hasten)  # an age of 0 may be a run of before
            if not left:
                return
            if elapsed > self.world.moves().lag_limit:
                raise Refused(f"users are sent to {self.move.target}, but {left[0]} is not copied there completely")
            await self.world.sleep(0.2)

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
    """Allow a server's copies to become active again, as far as we ourselves blocked them, and move back if so set."""

    world: World
    server: str
    begin: BeginMove

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
        if self._to_move_back():
            await self.world.catch_up()
        return {"released": released, "moves_back": [await self.begin(name) for name in self._to_move_back()]}

    def _to_move_back(self) -> tuple[str, ...]:
        """The databases that prefer this server, where the configuration has them moved back."""
        if not self.world.moves().move_back:
            return ()
        databases = self.world.organization().databases.values()
        return tuple(one.name for one in databases if one.copies[0] == self.server != one.active)

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


class MoveDeeds:
    """The deed of each step of a move."""

    def __init__(self, world: World) -> None:
        """*world* is the engine."""
        self._world = world
        self.begin_move: Callable[[str, Operation | None, str | None], Awaitable[int | None]] = _nobody_moves
        """Opens the move of a database for an operation; whoever opens operations puts itself here."""

    def deed(self, step: StepName, server: str, steps: Sequence[Step], operation: Operation | None) -> Deed:
        """The deed of one step on *server*; one that is `Unavailable` says why."""
        match step:
            case StepName.ALLOW_ACTIVATION:
                return AllowActivation(world=self._world, server=server, begin=self._beginner(operation, to=server))
            case StepName.MOVE_DATABASES:
                return self._move_away(server, operation)
            case StepName.FENCE:
                control = self._world.controls().services.get(server)
                known = f"the service of {server} is not reached: the configuration names no host.service"
                return Unavailable(known) if control is None else Fence(control=control)
            case StepName.SYNCHRONISE | StepName.SWITCH_OVER:
                return self._of_one(step, steps)
            case _:
                return Unavailable(f"to {step.value} is not available yet")

    def _of_one(self, step: StepName, steps: Sequence[Step]) -> Deed:
        move = move_of(steps)
        if move is None:
            return Unavailable("no copy was chosen")
        if step is StepName.SYNCHRONISE:
            return Synchronise(world=self._world, move=move)
        done = (one for one in steps if one.name is StepName.FENCE and one.outcome is StepOutcome.DONE)
        fenced = next((f"its service was stopped ({one.because})" for one in done), None)
        return SwitchOver(world=self._world, move=move, fenced=fenced, hold=hold_for(self._world, steps, move))

    def _move_away(self, server: str, operation: Operation | None) -> Deed:
        is_one = operation is not None and operation.kind is OperationKind.MAILBOX_SERVER and "/" in operation.target
        one = operation.target.partition("/")[2] if operation is not None and is_one else None
        active = self._world.organization().active_on(server)
        databases = tuple(database.name for database in active) if one is None else (one,)
        begin = self._beginner(operation, to=None)
        return MoveAway(world=self._world, server=server, databases=databases, blocks=one is None, begin=begin)

    def _beginner(self, operation: Operation | None, *, to: str | None) -> BeginMove:
        async def begin(name: str) -> int | None:
            return await self.begin_move(name, operation, to)

        return begin


async def _nobody_moves(_database: str, _operation: Operation | None, _to: str | None) -> int | None:
    return None
