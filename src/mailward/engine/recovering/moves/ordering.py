"""What people order about databases: move one, empty a server, let it have copies again."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from mailward.engine.recovering.moves.blocking import blocks_on
from mailward.engine.recovering.moves.intentions import (
    ANY_MOVE,
    as_step,
    how_it_is_left,
    intention_of,
    is_being_emptied,
    is_under_way,
    overtaken_by_another,
    why_staying,
)
from mailward.engine.recovering.moves.stages import chosen
from mailward.engine.recovering.recovering import Recovering
from mailward.engine.recovering.standing import said_by
from mailward.engine.recovering.world import World
from mailward.model.copies import PlannedMove
from mailward.model.errors import MailwardError, NotFound, Refused, TemporaryFailure
from mailward.model.event import OURSELVES
from mailward.model.holds import BLOCKED, Hold, HoldKind
from mailward.model.organization import Database
from mailward.model.recovery import Mode, OperationKind, StepName
from mailward.ports.lease import Held
from mailward.ports.manager import MoveIntention
from mailward.recovery.deciding import Decision, decide
from mailward.recovery.moves import move_of
from mailward.recovery.wanted import Wanted


class OrderingMoves:
    """Carries out orders about databases."""

    def __init__(self, world: World, recovering: Recovering) -> None:
        """*recovering* begins and carries out what is ordered."""
        self._world = world
        self._record = recovering.record
        self._leading = recovering.leading
        self._executor = recovering.executor

    async def move(
        self,
        database: Database,
        *,
        to: str | None,
        actor: str,
        reason: str,
        dry_run: bool,
        force: bool,
        only_planned: bool = False,
    ) -> MoveIntention:
        """
        Move one database by hand.

        Raises:
            Refused: *to* holds no copy, the active copy is there already, another move of it is under way, or it is
                wanted *only_planned* and would have to be forced by now.
            TemporaryFailure: This manager does not lead, or the map could not be read.
        """
        self._refuse_where_nothing_goes_on()
        if to is not None and to not in database.copies:
            raise Refused(f"{to} holds no copy of {database.name}; its copies are on {', '.join(database.copies)}")
        database = await self._as_routed(database)
        if to == database.active:
            raise Refused(f"{database.name} is active on {to} already")
        under_way = await self._executor.opening.open_move(database.name)
        if under_way is not None:
            raise Refused(is_under_way(database.name))
        planned = await self._planned(database, to)
        _refuse_forced((planned,), only_planned=only_planned)
        decision = await self._decision(StepName.SWITCH_OVER, database.active, force=force)
        intention = intention_of(database.active, (planned,), decision)
        if dry_run or not intention.allowed:
            return intention
        begun = await self._executor.opening.move(
            database.name,
            held=self._held(),
            because=said_by(actor, f"moves {database.name}", reason),
            to=planned.target if to is not None else None,
            actor=actor,
            joins=False,
            only_planned=only_planned,
        )
        if begun is None:
            raise Refused(is_under_way(database.name))
        return replace(intention, operations=(begun.id,))

    async def drain(
        self, server: str, *, actor: str, reason: str, dry_run: bool, force: bool, only_planned: bool = False
    ) -> MoveIntention:
        """
        Move every active copy away from a server, and keep its copies from becoming active.

        Raises:
            Refused: It holds no copy, is being emptied already, or a move of it would have to be forced by now although
                it is wanted *only_planned*.
            TemporaryFailure: This manager does not lead, or the map could not be read.
        """
        self._refuse_where_nothing_goes_on()
        self._refuse_without_copies(server)
        if await self._executor.opening.open_drain(server) is not None:
            raise Refused(is_being_emptied(server))
        await self._read_map()
        databases = self._world.organization().active_on(server)
        moves: tuple[PlannedMove, ...] = ()
        for database in databases:
            moves = (*moves, await self._planned(database, None, beside=moves))
        _refuse_forced(moves, only_planned=only_planned)
        decision = await self._decision(StepName.MOVE_DATABASES, server, force=force)
        intention = intention_of(server, moves, decision)
        if not databases:
            because = f"{server} holds no active copy, and its copies may not become active from now on"
            intention = replace(intention, allowed=True, because=because)
        elif any(move.target is not None for move in moves):
            intention = replace(intention, allowed=decision.may)  # what can move moves; what cannot is named
        if dry_run or not intention.allowed:
            return intention
        held = self._held()
        block = await self._block(server, actor=actor, reason=reason or "drained")
        if not databases:
            return intention
        because = said_by(actor, f"empties {server}", reason)
        begun = await self._executor.opening.drain(
            server, held=held, because=because, actor=actor, force=force, only_planned=only_planned
        )
        if begun is None:  # somebody else was quicker by this moment
            await self._world.release(block.id, actor)
            raise Refused(is_being_emptied(server))
        return replace(intention, operations=(begun.id,))

    async def undrain(
        self, server: str, *, actor: str, reason: str, dry_run: bool, move_back: bool, only_planned: bool = False
    ) -> MoveIntention:
        """
        Let a server's copies become active again; with *move_back* those that prefer it come back, one by one.

        Raises:
            Refused: It holds no copy, a recovery keeps it empty until it is well, or a move back would have to be
                forced by now although it is wanted *only_planned*.
            TemporaryFailure: This manager does not lead, or the map, which says what comes back, could not be read; or
                not everything could be done, and the text says what was.
        """
        if move_back:
            self._refuse_where_nothing_goes_on()
        self._refuse_without_copies(server)
        held = None if dry_run else self._held()
        own = blocks_on(self._world, server)
        if any(hold.owner == OURSELVES for hold in own) and await self._is_recovered(server):
            raise Refused(
                f"a recovery of {server} keeps it empty and allows activation when it is well; end that first, see:"
                " mailward recoveries --unfinished"
            )
        back = await self._to_move_back(server) if move_back else ()
        moves = tuple([await self._planned_back(database, server, own) for database in back])
        _refuse_forced(moves, only_planned=only_planned)
        blocked = "; ".join(hold.by_whom for hold in own)
        allowed = f"allowed to become active, which was blocked by {blocked}" if own else "not blocked by anybody"
        intention = MoveIntention(
            server=server,
            moves=moves,
            answers=(),
            allowed=True,
            because="; ".join((f"the copies on {server} are {allowed}", *why_staying(moves))),
            unblocks=tuple(hold.by_whom for hold in own),
        )
        if held is None:
            return intention
        for hold in own:
            with suppress(NotFound, Refused):  # it has ended by itself while the moves were planned
                await self._world.release(hold.id, actor)
        begin = partial(self._begun_back, held=held, actor=actor, reason=reason, only_planned=only_planned)
        try:
            numbers = [await begin(move) for move in moves]
        except MailwardError as failure:
            raise TemporaryFailure(
                f"the copies on {server} may become active again, but not everything was moved back: {failure}"
            ) from failure
        overtaken = {
            move.database
            for move, number in zip(moves, numbers, strict=True)
            if move.target is not None and number is None
        }
        return replace(
            intention,
            moves=tuple(overtaken_by_another(move) if move.database in overtaken else move for move in moves),
            operations=tuple(number for number in numbers if number is not None),
        )

    async def _to_move_back(self, server: str) -> tuple[Database, ...]:
        await self._read_map()
        databases = self._world.organization().databases.values()
        return tuple(one for one in databases if one.copies[0] == server != one.active)

    async def _planned_back(self, database: Database, server: str, unblocked: Sequence[Hold]) -> PlannedMove:
        if await self._executor.opening.open_move(database.name) is None:
            return await self._planned(database, server, unblocked=unblocked)
        return overtaken_by_another(
            PlannedMove(database=database.name, source=database.active, target=None, because="")
        )

    async def _begun_back(
        self, move: PlannedMove, *, held: Held, actor: str, reason: str, only_planned: bool
    ) -> int | None:
        """The number of the move; None where it stays, or where another one was begun at this moment."""
        if move.target is None:
            return None
        begun = await self._executor.opening.move(
            move.database,
            held=held,
            because=said_by(actor, f"moves {move.database} back to {move.target}", reason),
            to=move.target,
            actor=actor,
            joins=False,
            only_planned=only_planned,
        )
        return begun.id if begun is not None else None

    async def _is_recovered(self, server: str) -> bool:
        open_ones = await self._record.operations.open()
        return any(one.kind is OperationKind.MAILBOX_SERVER and one.server == server for one in open_ones)

    async def _planned(
        self, database: Database, to: str | None, *, unblocked: Sequence[Hold] = (), beside: Sequence[PlannedMove] = ()
    ) -> PlannedMove:
        """The move as it would be begun now, *beside* others; *unblocked* are holds that will be gone by then."""
        looks = self._executor.move_looks
        source = await looks.source(database)
        ignoring = tuple(hold.id for hold in unblocked)
        choice = await looks.choose(database, source, to, ignoring=ignoring, beside=beside)
        steps = (as_step(chosen(database, source, choice)),)
        command: tuple[str, ...] = ()
        if move_of(steps) is not None:
            try:
                command = self._executor.facts.deed(StepName.SWITCH_OVER, database.active, steps).command()
            except MailwardError as failure:
                return PlannedMove(
                    database=database.name,
                    source=database.active,
                    target=None,
                    because=str(failure),
                    source_because=how_it_is_left(database, source),
                )
        return PlannedMove(
            database=database.name,
            source=database.active,
            target=choice.target,
            because=f"{choice.because} ({database.active}: {source.because})",
            source_because=how_it_is_left(database, source),
            is_forced=choice.target is not None and not source.is_planned,
            choices=choice.choices,
            command=command,
        )

    async def _decision(self, step: StepName, server: str, *, force: bool) -> Decision:
        wanted = Wanted(step=step, server=server, by_hand=True, forced=force)
        operation = self._executor.opening.drain_of(server, force=force)
        steps = (as_step({"move": ANY_MOVE}),) if step is StepName.SWITCH_OVER else ()
        return decide(wanted, await self._executor.acting.circumstances(wanted, operation, steps))

    async def _block(self, server: str, *, actor: str, reason: str) -> Hold:
        """A person's own block: no recovery of ours takes it back."""
        hold = Hold(
            kind=HoldKind.ACTIVATION,
            subject=server,
            value=BLOCKED,
            owner=actor,
            reason=reason,
            since=self._world.clock.now(),
        )
        return await self._world.hold(hold, actor)

    async def _read_map(self) -> None:
        trouble = await self._world.read_routing()
        if trouble is not None:
            raise TemporaryFailure(f"the map could not be read: {trouble}")

    async def _as_routed(self, database: Database) -> Database:
        await self._read_map()
        return self._world.organization().database_named(database.name)

    def _refuse_where_nothing_goes_on(self) -> None:
        if self._world.settings().mode is Mode.OBSERVE:
            raise Refused("recovery.mode is observe, in which nothing that is begun goes on; set recommend or more")

    def _refuse_without_copies(self, server: str) -> None:
        databases = self._world.organization().databases.values()
        if not any(server in (*database.copies, database.active) for database in databases):
            raise Refused(f"{server} holds no copy of any mailbox database")

    def _held(self) -> Held:
        held = self._leading.held
        if held is None:
            raise TemporaryFailure("this manager does not hold the lease that allows it to act; nothing was done")
        return held


def _refuse_forced(moves: Sequence[PlannedMove], *, only_planned: bool) -> None:
    """Whoever agreed to planned moves did not agree to leave the last mail behind."""
    forced = next((move for move in moves if move.is_forced), None)
    if only_planned and forced is not None:
        raise Refused(
            f"{forced.database} would have to be moved by force now, which is not what was agreed to: {forced.source}:"
            f" {forced.source_because}"
        )
