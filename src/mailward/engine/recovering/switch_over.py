"""
Sending the users of a database to another copy: the map, the proxies' memory, the sessions, the last mail.

Which step is safe next is decided by `failover.switching`; here the world is asked before each, and told.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailward.engine.recovering.deeds import Found
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.move_ports import replication_of, routing_of, synchronise
from mailward.engine.recovering.world import World
from mailward.failover.switching import Next, Seen, next_safe_step
from mailward.failover.switching import Step as Safe
from mailward.model.copies import CopyKind, MailboxSync, ProxiedSession
from mailward.model.errors import MailwardError, Refused
from mailward.model.evidence import ServiceState
from mailward.model.organization import Server
from mailward.model.recovery import Step, StepName
from mailward.ports.mailbox_routing import ProxyControl
from mailward.recovery.moves import Move

LOOK_EVERY_S = 0.05
"""Between two looks at the sessions while a database moves: users wait meanwhile."""
HELD_MEANWHILE = timedelta(seconds=4)
"""How long logins are held at a time while it is found out whether anybody is left on a server that is silent."""
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
        routing = routing_of(self.world)
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
        mailboxes = frozenset(await routing_of(self.world).mailboxes(self.move.database))
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
                can_hold=routing_of(self.world).can_hold,
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
            await synchronise(self.world, self.move, [*first, *sorted(mailboxes - set(first))])
        self._told["caught_up"] = {"mailboxes": len(mailboxes), "took_s": round(self.world.moment() - began, 3)}

    async def _let_it_catch_up(self, mailboxes: Sequence[str], *, hasten: Sequence[str]) -> None:
        """
        Wait until the replicators have copied every mailbox since the sessions ended, or found nothing to copy.

        Both servers' replicators copy in both directions, so the run of either will do. Their ages are whole seconds.
        """
        began = self.world.moment()
        here, there = replication_of(self.world, self.move.source), replication_of(self.world, self.move.target)
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
        said = (await routing_of(self.world).active()).get(self.move.database)
        if said is None:
            return None
        try:
            return self.world.organization().server_named(said).name
        except MailwardError:
            return said

    async def _words(self) -> tuple[str, str]:
        """The map's own words for source and target."""
        said = await routing_of(self.world).active()
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


def hold_for(world: World, steps: Sequence[Step], move: Move) -> timedelta:
    """How long logins are held: as configured, or as long as synchronising all mailboxes at the end will take."""
    configured = world.moves().hold
    if move.kind is not CopyKind.SYNC:
        return configured
    synced = next((step for step in reversed(steps) if step.name is StepName.SYNCHRONISE), None)
    took = synced.evidence.get("took_s") if synced is not None else None
    expected = float(took[-1]) if isinstance(took, list | tuple) and took else 0.0
    return min(_HOLD_MOST, max(configured, timedelta(seconds=int(expected) + 1)))


def _is_caught_up(sync: MailboxSync | None, elapsed: timedelta) -> bool:
    """Whether a mailbox was copied within *elapsed*, or has had nothing to copy."""
    if sync is None or sync.has_failed or sync.last_success is None:
        return False
    return not sync.is_waiting or sync.last_success < elapsed


def _addresses(server: Server) -> frozenset[str]:
    return frozenset({server.imap.host, *server.known_as})
