"""What a move looks at: how its source is, which copies there are, and whether users are served by the target."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.record import Record
from mailward.engine.recovering.world import World
from mailward.failover.choosing import Candidate, Choice, choose
from mailward.failover.source import Source, fails, source_of, store_fails, why_of
from mailward.failover.ways import Way, arrived, way_of_mail, way_of_user
from mailward.model import items
from mailward.model.copies import CopyState, DatabaseCopy, PlannedMove
from mailward.model.errors import MailwardError
from mailward.model.evidence import ServiceState
from mailward.model.holds import HeldState, Hold, HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.organization import Database
from mailward.model.probing import ProbeResult
from mailward.model.recovery import OperationKind
from mailward.monitors.planning import deep_test_of, delivery_of
from mailward.monitors.samples import ProbeKey
from mailward.recovery.moves import Move

ASK_WITHIN = timedelta(seconds=20)
"""How long a probe that is asked for may take to come, at the least."""
BESIDE = timedelta(seconds=2)
"""How much longer than its own time-out: it may have to wait for a moment."""


class MoveLooks:
    """Looks for moves."""

    def __init__(self, world: World, record: Record) -> None:
        """*world* is the engine; *record* knows which moves are under way."""
        self._world = world
        self._record = record

    async def source(self, database: Database) -> Source:
        """How the server of the active copy is, by its host and by probes of this moment."""
        server = database.active
        control = self._world.controls().services.get(server)
        service, unseen = (None, "the configuration names no host.service")
        if control is not None:
            service, unseen = await bounded(control.status())
        if service is not None and (service.state.has_ended or service.state is ServiceState.HUNG):
            # its host says enough, and probes of it would be waited for while users are served by nobody
            return source_of(service, unseen=unseen, own_test_fails=None, database_fails=None)
        proxies = [proxy.name for proxy in self._world.organization().proxies]
        own, deep, *touched = await asyncio.gather(
            self._ask(ProbeKey(probe=items.SELF_TEST_PROBE, server=server, target=server)),
            self._ask(deep_test_of(database, server)),
            *(self._ask(ProbeKey(probe=items.CTP_PROBE, server=name, target=database.name)) for name in proxies),
        )
        ways = zip(proxies, touched, strict=True)
        out_of_reach = "; ".join(f"{name}: {why_of(result)}" for name, result in ways if fails(result))
        return source_of(
            service,
            unseen=unseen,
            own_test_fails=fails(own),
            database_fails=store_fails(deep),
            database_because=why_of(deep),
            out_of_reach=out_of_reach,
        )

    async def choose(
        self,
        database: Database,
        source: Source,
        wanted: str | None,
        *,
        ignoring: tuple[int, ...] = (),
        beside: Sequence[PlannedMove] = (),
    ) -> Choice:
        """
        The copy to move to, by how the copies are at this moment.

        *ignoring* holds that are about to end, and with the moves in mind that are planned *beside* it.
        """
        own = [ProbeKey(probe=items.SELF_TEST_PROBE, server=name, target=name) for name in database.passive]
        deep = [deep_test_of(database, server) for server in database.passive]
        await asyncio.gather(*(self._ask(key) for key in (*own, *deep)))
        await self._world.look_at_copies()
        others = [copy for copy in self._world.copies() if copy.database == database.name]
        if ignoring:
            left = [hold for hold in self._world.holds() if hold.id not in ignoring]
            others = [_blocked_by(copy, left) for copy in others]
        coming = await self._coming(but=database)
        for move in beside:
            coming[str(move.target)] += self._world.organization().databases[move.database].mailboxes or 0
        return choose(
            [self._candidate(copy, coming[copy.server]) for copy in others if copy.server != database.active],
            source_health=self._health(database.active, database),
            source_works=source.is_planned,
            mailboxes=database.mailboxes or 0,
            settings=self._world.moves(),
            wanted=wanted,
        )

    async def changed(self, move: Move, *, fenced: bool) -> str | None:
        """
        What is otherwise than when the copy was chosen, which may be hours ago; None: nothing is.

        *fenced* says that we stopped the source since.
        """
        database = self._world.organization().databases.get(move.database)
        if database is None or move.target not in self._world.organization().servers:
            return f"the configuration no longer names {move.database} or {move.target}"
        source = await self.source(database)
        known = (move.is_planned, move.must_be_fenced, move.answers)
        if fenced and source.answers:
            return f"{move.source} was started again"
        if not fenced and (source.is_planned, source.must_be_fenced, source.answers) != known:
            return f"{move.source} is otherwise: {source.because}"
        await self._world.look_at_copies()
        copies = self._world.copies()
        copy = next((one for one in copies if (one.database, one.server) == (move.database, move.target)), None)
        unfit = _unfit(copy)
        return f"the copy on {move.target} can no longer become active: {unfit}" if unfit is not None else None

    async def try_delivery(self, database: Database) -> None:
        """See whether mail is delivered now, so that a refusal after the move can be told from one of before."""
        await self._delivered(database)

    def took_mail(self, move: Move) -> Mapping[str, bool]:
        """By proxy: whether mail was delivered through it when that was last tried."""
        database = self._world.organization().databases.get(move.database)
        if database is None:
            return {}
        last = {name: self._world.latest(delivery_of(database, name)) for name in self._mail_doors()}
        return {name: result.is_healthy and result.wrote for name, result in last.items() if result is not None}

    async def verify(
        self, move: Move, *, took_mail: Mapping[str, bool]
    ) -> tuple[bool | None, str, Mapping[str, object]]:
        """
        Whether users of the database are served by the target through every proxy that serves anybody, and whether mail
        for them is delivered through every one that says where it takes mail; *took_mail* is how that was before.
        """
        organization, coverage = self._world.organization(), self._world.coverage()
        doors = [proxy.name for proxy in organization.proxies] or list(organization.access_points)
        keys = [ProbeKey(probe=items.CTP_PROBE, server=door, target=move.database) for door in doors]
        keys = [key for key in keys if coverage.plans(key)]
        if not keys:
            return None, "no probe of a user's way to it is configured", {}
        results = await asyncio.gather(*(self._ask(key) for key in keys))
        users = [way_of_user(key.server, result, move.target) for key, result in zip(keys, results, strict=True)]
        mail: list[Way] = []
        database = organization.databases.get(move.database)
        if database is not None and all(way.leads_there is not False for way in users):
            tried = await self._delivered(database)
            mail = [way_of_mail(door, tried[door], move.target, took_mail.get(door)) for door in tried]
        there, because = arrived(users, mail, move.target)
        return (
            there,
            because,
            {"doors": {way.door: way.said for way in users}, "mail": {way.door: way.said for way in mail}},
        )

    def _mail_doors(self) -> tuple[str, ...]:
        """The proxies that say where they take mail."""
        return tuple(proxy.name for proxy in self._world.organization().proxies if proxy.lmtp is not None)

    async def _delivered(self, database: Database) -> Mapping[str, ProbeResult | None]:
        """Deliver to the database through each proxy; all wait for one mailbox."""
        keys = [delivery_of(database, door) for door in self._mail_doors()]
        results = await asyncio.gather(*(self._ask(key, in_turn=len(keys) + 1) for key in keys))
        return dict(zip(self._mail_doors(), results, strict=True))

    async def _coming(self, *, but: Database) -> Counter[str]:
        """By server: how many mailboxes are on their way there by moves under way, beside those of *but*."""
        databases = self._world.organization().databases
        coming: Counter[str] = Counter()
        for move in await self._record.operations.open():
            target, database = move.data.get("target"), databases.get(str(move.data.get("database")))
            is_coming = move.kind is OperationKind.MOVE and database is not None and database.active != target
            if is_coming and database is not None and database.name != but.name:
                coming[str(target)] += database.mailboxes or 0
        return coming

    def _candidate(self, copy: DatabaseCopy, coming: int) -> Candidate:
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
            health=self._health(server, organization.databases[copy.database]),
            active_mailboxes=coming + sum(one.mailboxes or 0 for one in organization.active_on(server)),
            held_by=held,
        )

    def _health(self, server: str, database: Database) -> AlertValue | None:
        """The worst of the self test of a server and the deep test of this database there."""
        target = deep_test_of(database, server).target
        states = [
            status.state
            for status in self._world.of_server(server)
            if status.key.item == items.SELF_TEST_MONITOR
            or (status.key.item == items.DEEP_TEST_MONITOR and status.key.target == target)
        ]
        order = (AlertValue.UNHEALTHY, AlertValue.DEGRADED, AlertValue.REPAIRING)
        if any(state not in (*order, AlertValue.HEALTHY) for state in states):
            return None  # one that gives no answer says nothing good of it
        return next((state for state in order if state in states), AlertValue.HEALTHY if states else None)

    async def _ask(self, key: ProbeKey, *, in_turn: int = 1) -> ProbeResult | None:
        """Its result; None where it is not run, or does not come. *in_turn* conversations take turns at its mailbox."""
        planned = self._world.coverage().planned(key)
        if planned is None:
            return None
        limit = max(ASK_WITHIN, in_turn * (planned.timeout + BESIDE))
        try:
            async with asyncio.timeout(limit.total_seconds()):
                return await self._world.ask(key)
        except (TimeoutError, MailwardError):
            return None


def _unfit(copy: DatabaseCopy | None) -> str | None:
    """Why a copy that was chosen cannot become active now, or None; one that lags is synchronised by the move."""
    if copy is None:
        return "it is not known"
    if copy.activation_blocked is not None:
        return f"its activation is blocked: {copy.activation_blocked}"
    if copy.state.may_become_active or copy.state is CopyState.RESYNCHRONIZING:
        return None
    return f"it is {copy.state.value}: {copy.because}"


def _blocked_by(copy: DatabaseCopy, holds: Sequence[Hold]) -> DatabaseCopy:
    """The copy as blocked by these alone."""
    left = next((hold.by_whom for hold in holds if hold.blocks_activation(copy.server, copy.database)), None)
    return replace(copy, activation_blocked=left)
