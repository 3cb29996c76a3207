"""
Sending the users of a database to another copy: the map, the proxies' memory, the sessions, the last mail.

Which step is safe next is decided by `failover.switching`; here the world is asked before each, and told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailward.engine.recovering.deeds import Found
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.moves.map_words import MapWords
from mailward.engine.recovering.moves.ports import copied, replication_of, routing_of, synchronise
from mailward.engine.recovering.moves.sessions import ProxiedSessions
from mailward.engine.recovering.progress import Tell
from mailward.engine.recovering.world import World
from mailward.failover.switching import Next, SafeStep, Seen, next_safe_step
from mailward.model.copies import CopyKind, MailboxSync
from mailward.model.errors import MailwardError, Refused
from mailward.model.recovery import Step, StepName
from mailward.recovery.moves import Move

LOOK_EVERY_S = 0.05
"""Between two looks at the sessions while a database moves: users wait meanwhile."""
HELD_MEANWHILE = timedelta(seconds=4)
"""How long logins are held at a time while it is found out whether anybody is left on a server that is silent."""
_ALIKE = frozenset({CopyKind.REPLICATOR, CopyKind.SYNC})
_HOLD_MOST = timedelta(seconds=10)
"""However long the last synchronisation will take, users wait no longer for their login than this."""
_BEGIN, _LATEST = 0.70, 0.80
"""
Where in a second the switch begins, at the earliest and at the latest: time enough for the map and the proxies before
the next whole second, and no more, since users wait until then.
"""
_BEFORE_THE_SECOND_S = 0.03
"""
Sessions end so shortly before the moment until which logins are held. Dovecot holds by whole seconds: a login at any
time in the second before that moment waits a full second (measured), one after it not at all. A client whose session
ends now needs some 40 ms to come back, and is let in; one that logged in meanwhile has waited until nobody was left.
"""


@dataclass(kw_only=True, slots=True)
class SwitchOver:
    """Send the users of a database to another copy: the map, the proxies' memory, the sessions, the last mail."""

    world: World
    move: Move
    tell: Tell
    """Told how many are still on the source, and how many mailboxes have their last mail."""
    fenced: str | None
    hold: timedelta
    """How long new logins are held."""
    forbidden: Callable[[], str | None]
    """Why nothing may be done at this moment, by the lease and the stop file; None: it may."""
    changed: Callable[[], Awaitable[str | None]]
    """What has changed since the copy was chosen, so that it must be chosen anew; None: nothing."""
    _forgot: set[str] = field(default_factory=set)
    _told: dict[str, object] = field(default_factory=dict)
    _held_until: datetime | None = None
    _end_at: float = 0.0
    """Sessions are ended from this moment on."""
    _ended: set[str] = field(default_factory=set)
    """Mailboxes whose sessions were ended since the switch."""
    _writers: dict[str, None] = field(default_factory=dict)
    """Mailboxes that had a session on the source while it moved."""

    @property
    def _map(self) -> MapWords:
        return MapWords(world=self.world, move=self.move)

    @property
    def _sessions(self) -> ProxiedSessions:
        return ProxiedSessions(world=self.world, source=self.move.source)

    def command(self) -> tuple[str, ...]:
        """The words that change the map."""
        routing = routing_of(self.world)
        return routing.command(self.move.database, source=self.move.source, target=self.move.target)

    async def before(self) -> Mapping[str, object]:
        """Nothing needs to be remembered: the map itself says where its users are sent."""
        return {}

    async def do(self) -> Mapping[str, object]:
        """
        Take one safe step after the other until nobody is on the source.

        Raises:
            Refused: It is not safe to go on, or the switch could not be proven; the text says what is the case.
            TemporaryFailure: The map could not be asked: it is not known whether it was switched.
        """
        try:
            return await self._do()
        finally:
            await self.world.read_routing()  # what is watched follows at once, whatever came of it

    async def _do(self) -> Mapping[str, object]:
        mailboxes = frozenset(await routing_of(self.world).mailboxes(self.move.database))
        if not mailboxes:
            raise Refused(f"the map knows no mailbox of {self.move.database}: nothing could be proven about nobody")
        addresses = await self._sessions.known_addresses()
        quiet_since: float | None = None
        synchronised = False
        routed_to = await self._map.routed_to()
        news = await self.changed() if routed_to == self.move.source else None
        if news is not None:
            raise Refused(f"since the copy was chosen {news}; nobody was sent elsewhere")
        until = self.world.moment() + self._sessions_end_within()
        while True:
            looked = await self._sessions.look()
            self._forgot |= looked.stopped
            on_source = self._sessions.on_source(looked.sessions, mailboxes, addresses=addresses, ended=self._ended)
            self._writers.update(dict.fromkeys(on_source))
            if on_source or looked.unseen or routed_to != self.move.target:
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
                proxies=frozenset(self._sessions.proxies()),
                forgot=frozenset(self._forgot),
                unseen=looked.unseen,
                on_source=on_source,
                must_be_fenced=self.move.must_be_fenced or self.move.kind is CopyKind.SHARED_STORAGE,
                may_be_silent=self.move.may_be_silent and self.move.kind is not CopyKind.SHARED_STORAGE,
                can_hold=routing_of(self.world).can_hold,
                held=self._held_until is not None and self.world.clock.now() < self._held_until,
                quiet_for=timedelta(seconds=self.world.moment() - quiet_since if quiet_since is not None else 0),
                synchronised=synchronised,
                out_of_time=self.world.moment() > until,
            )
            following = next_safe_step(seen)
            self.tell(following.because)
            match following.step:
                case SafeStep.DONE:
                    return self._told
                case SafeStep.HOLD:
                    await self._hold_logins()
                case SafeStep.GIVE_UP:
                    raise Refused(following.because)
                case SafeStep.SWITCH:
                    await self._switch()
                    routed_to = await self._map.routed_to()
                    until = max(until, self.world.moment() + self._sessions_end_within())
                case SafeStep.SYNCHRONISE:
                    await self._catch_up(mailboxes)
                    synchronised = True
                case _:
                    await self._small_step(following)

    def _sessions_end_within(self) -> float:
        """
        How long sessions may take to leave the source, in seconds.

        Those to a server that does not answer end by themselves: a login by its proxy's own time-out, once no new one
        is let through. To give up sooner would help nobody.
        """
        within = self.world.moves().sessions_end_within
        if not self.move.answers:
            proxies = self.world.organization().proxies
            waits = max((proxy.backend_timeout for proxy in proxies), default=timedelta(0))
            within = max(within, waits + HELD_MEANWHILE)
        return within.total_seconds()

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Whatever was done is found done by doing it again: each step asks first."""
        try:
            routed_to = await self._map.routed_to()
        except MailwardError as failure:
            return Found(was_done=None, because=f"the map could not be asked: {failure}")
        if routed_to not in (self.move.source, self.move.target):
            return Found(was_done=None, because=f"the map sends its users to {routed_to}: somebody else changed it")
        return Found(was_done=False, because=f"the map sends its users to {routed_to}; the rest is done again")

    async def _small_step(self, following: Next) -> None:
        match following.step:
            case SafeStep.FORGET:
                await self._forget(following.proxies)
            case SafeStep.END_SESSIONS:
                await self._end_sessions(following.mailboxes)
                await self.world.sleep(LOOK_EVERY_S)
            case _:
                await self.world.sleep(LOOK_EVERY_S)

    async def _hold_logins(self) -> None:
        """Hold new logins where they are, so that those that wait for a dead server come to their end."""
        now = self.world.clock.now()
        self._held_until = now + HELD_MEANWHILE
        self._forgot.clear()
        self._allowed()
        source, _ = await self._map.words()
        until = self._held_until.replace(microsecond=0) + timedelta(seconds=1)
        await routing_of(self.world).switch(self.move.database, source=source, target=source, hold_until=until)

    async def _switch(self) -> None:
        self._forgot.clear()
        routing = routing_of(self.world)
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
        source, target = await self._map.words()
        self._allowed()
        await routing.switch(self.move.database, source=source, target=target, hold_until=hold_until)

    def _allowed(self) -> None:
        """The last look before the map is changed: the moment a switch begins at was waited for."""
        forbidden = self.forbidden()
        if forbidden is not None:
            raise Refused(f"nobody was sent elsewhere: {forbidden}")

    async def _forget(self, proxies: Sequence[str]) -> None:
        controls = self._sessions.proxies()
        said = await asyncio.gather(*(bounded(controls[name].forget()) for name in proxies))
        for name, (_, unseen) in zip(proxies, said, strict=True):
            if not unseen:
                self._forgot.add(name)
        if len(self._forgot) < len(controls):
            await self.world.sleep(LOOK_EVERY_S)

    async def _end_sessions(self, mailboxes: Sequence[str]) -> None:
        await self.world.sleep(max(0.0, min(1.0, self._end_at - self.world.clock.now().timestamp())))
        self._told["sessions_ended"] = len(self._writers)
        await asyncio.gather(
            *(bounded(control.end_sessions(mailboxes)) for control in self._sessions.proxies().values())
        )
        self._ended.update(name.casefold() for name in mailboxes)

    async def _catch_up(self, mailboxes: frozenset[str]) -> None:
        """The last mail: of whoever had a session comes first."""
        began = self.world.moment()
        known = {name.casefold(): name for name in mailboxes}
        first = list(dict.fromkeys(known[name.casefold()] for name in self._writers))
        if self.move.kind is CopyKind.REPLICATOR:
            await self._let_it_catch_up([*first, *sorted(mailboxes - set(first))], hasten=first)
        else:  # nobody knows who got mail since the last run
            await synchronise(self.world, self.move, [*first, *sorted(mailboxes - set(first))], self.tell)
        self._told["caught_up"] = {"mailboxes": len(mailboxes), "took_s": round(self.world.moment() - began, 3)}

    async def _let_it_catch_up(self, mailboxes: Sequence[str], *, hasten: Sequence[str]) -> None:
        """
        Wait until every mailbox was copied since the sessions ended, or its old server finds nothing to copy.

        Both servers' replicators copy in both directions, so a run of either will do; but only the old server knows
        what it has yet to copy. Ages are whole seconds.
        """
        began = self.world.moment()
        here, there = replication_of(self.world, self.move.source), replication_of(self.world, self.move.target)
        await here.hasten(hasten)
        while True:
            elapsed = timedelta(seconds=int(self.world.moment() - began))
            said = await asyncio.gather(here.status(), there.status())
            left = [name for name in mailboxes if not _is_caught_up(said[0].get(name), said[1].get(name), elapsed)]
            if hasten and elapsed < timedelta(seconds=1):
                left = left or list(hasten)  # an age of 0 may be a run of before
            self.tell(copied(len(mailboxes) - len(left), len(mailboxes)))
            if not left:
                return
            if elapsed > self.world.moves().lag_limit:
                raise Refused(f"users are sent to {self.move.target}, but {left[0]} is not copied there completely")
            await self.world.sleep(0.2)


def hold_for(world: World, steps: Sequence[Step], move: Move) -> timedelta:
    """How long logins are held: as configured, or as long as synchronising all mailboxes at the end will take."""
    configured = world.moves().hold
    if move.kind is not CopyKind.SYNC:
        return configured
    synced = next((step for step in reversed(steps) if step.name is StepName.SYNCHRONISE), None)
    took = synced.evidence.get("took_s") if synced is not None else None
    expected = float(took[-1]) if isinstance(took, list | tuple) and took else 0.0
    return min(_HOLD_MOST, max(configured, timedelta(seconds=int(expected) + 1)))


def _is_caught_up(here: MailboxSync | None, there: MailboxSync | None, elapsed: timedelta) -> bool:
    """Whether a mailbox was copied within *elapsed*, or its old server has nothing to copy."""
    copied = any(
        one is not None and not one.has_failed and one.last_success is not None and one.last_success < elapsed
        for one in (here, there)
    )
    if copied:
        return True
    return here is not None and not here.has_failed and not here.is_waiting and here.last_success is not None
