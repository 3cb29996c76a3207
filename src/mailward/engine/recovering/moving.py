"""What a move looks at: how its source is, which copies there are, and whether users are served by the target."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.world import World
from mailward.failover.choosing import Candidate, Choice, choose
from mailward.failover.source import Source, source_of
from mailward.model import items
from mailward.model.copies import CopyState, DatabaseCopy
from mailward.model.holds import HeldState, HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.organization import Database
from mailward.model.probing import ProbeResult
from mailward.model.verdict import Tier
from mailward.monitors.planning import deep_test_of
from mailward.monitors.samples import ProbeKey
from mailward.recovery.moves import Move

ASK_WITHIN = timedelta(seconds=20)
"""How long a probe that is asked for may take to come."""


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
        proxies = [proxy.name for proxy in self._world.organization().proxies]
        own, deep, *touched = await asyncio.gather(
            self._ask(ProbeKey(probe=items.SELF_TEST_PROBE, server=server, target=server)),
            self._ask(deep_test_of(database, server)),
            *(self._ask(ProbeKey(probe=items.CTP_PROBE, server=name, target=database.name)) for name in proxies),
        )
        ways = zip(proxies, touched, strict=True)
        out_of_reach = "; ".join(f"{name}: {_why(result)}" for name, result in ways if _fails(result))
        return source_of(
            service,
            unseen=unseen,
            own_test_fails=_fails(own),
            database_fails=_store_fails(deep),
            database_because=_why(deep),
            out_of_reach=out_of_reach,
        )

    async def choose(
        self, database: Database, source: Source, wanted: str | None, ignoring: tuple[int, ...] = ()
    ) -> Choice:
        """The copy to move to, by how the copies are at this moment; *ignoring* holds that are about to end."""
        await asyncio.gather(*(self._ask(deep_test_of(database, server)) for server in database.passive))
        await self._world.look_at_copies()
        others = [copy for copy in self._world.copies() if copy.database == database.name]
        ignored = [hold.by_whom for hold in self._world.holds() if hold.id in ignoring]
        return choose(
            [self._candidate(_without(copy, ignored)) for copy in others if copy.server != database.active],
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
        fit = copy is not None and (copy.state.may_become_active or copy.state is CopyState.RESYNCHRONIZING)
        if copy is None or not fit or copy.activation_blocked is not None:
            why = (
                "is not known" if copy is None else copy.activation_blocked or f"is {copy.state.value}: {copy.because}"
            )
            return f"the copy on {move.target} can no longer become active: it {why}"
        return None

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
        wrong, unknown = [], []
        for key, result in zip(keys, results, strict=True):
            served = result.mailbox_server if result is not None else None
            if result is not None and result.is_healthy and served == move.target:
                said[key.server] = f"served by {served}"
                continue
            if result is not None and result.is_healthy and served is None:
                said[key.server] = "served by whom it does not say"
                unknown.append(key.server)
                continue
            said[key.server] = f"served by {served}" if result is not None and result.is_healthy else _why(result)
            wrong.append(f"{key.server}: {said[key.server]}")
        if wrong:
            return False, f"not every user is served by {move.target}: {'; '.join(wrong)}", {"doors": said}
        if unknown:
            return None, f"users are served through {', '.join(said)}; by whom, {', '.join(unknown)} does not say", {}
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
            health=self._health(server, organization.databases[copy.database]),
            active_mailboxes=sum(one.mailboxes or 0 for one in organization.active_on(server)),
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

    async def _ask(self, key: ProbeKey) -> ProbeResult | None:
        if key not in {probe.key for probe in self._world.coverage().probes}:
            return None
        try:
            async with asyncio.timeout(ASK_WITHIN.total_seconds()):
                return await self._world.ask(key)
        except TimeoutError:
            return None


def _fails(result: ProbeResult | None) -> bool | None:
    if result is None:
        return None
    if result.result.is_failure:
        return True
    return False if result.is_healthy else None


def _store_fails(result: ProbeResult | None) -> bool | None:
    """Whether the database itself could not be read; a fault of our own account or of the directory says nothing."""
    fails = _fails(result)
    tier = result.verdict.tier if result is not None and result.verdict is not None else None
    return None if fails and tier in (Tier.MONITORING, Tier.DIRECTORY) else fails


def _why(result: ProbeResult | None) -> str:
    if result is None:
        return "it could not be probed"
    return (result.verdict.because if result.verdict is not None else result.detail) or result.result.value


def _without(copy: DatabaseCopy, blocks: Sequence[str]) -> DatabaseCopy:
    return replace(copy, activation_blocked=None) if copy.activation_blocked in blocks else copy
