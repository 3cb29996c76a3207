"""What people order about databases: move one, empty a server, let it have copies again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mailward.engine.recovering.moves.blocking import blocks_on
from mailward.engine.recovering.moves.stages import chosen
from mailward.engine.recovering.recovering import Recovering
from mailward.engine.recovering.standing import said_by
from mailward.engine.recovering.world import World
from mailward.model.copies import PlannedMove
from mailward.model.errors import MailwardError, Refused, TemporaryFailure
from mailward.model.event import OURSELVES
from mailward.model.holds import Hold, HoldKind
from mailward.model.organization import Database
from mailward.model.recovery import Mode, OperationKind, Step, StepName, StepOutcome
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
        self, database: Database, *, to: str | None, actor: str, reason: str, dry_run: bool, force: bool
    ) -> MoveIntention:
        """
        Move one database by hand.

        Raises:
            Refused: *to* holds no copy, the active copy is there already, or another move of it is under way.
            TemporaryFailure: This manager does not lead, or the map could not be read.
        """
        self._refuse_where_nothing_goes_on()
        if to is not None and to not in database.copies:
            raise Refused(f"{to} holds no copy of {database.name}; its copies are on {', '.join(database.copies)}")
        database = await self._as_routed(database)
        if to == database.active:
            raise Refused(f"{database.name} is active on {to} already")
        planned = await self._planned(database, to)
        decision = await self._decision(StepName.SWITCH_OVER, database.active, force=force)
        intention = _intention(database.active, (planned,), decision)
        if dry_run or not intention.allowed:
            return intention
        begun = await self._executor.opening.move(
            database.name,
            held=self._held(),
            because=said_by(actor, f"moves {database.name}", reason),
            to=planned.target if to is not None else None,
            actor=actor,
        )
        if begun is None or begun.actor != actor:
            raise Refused(f"another move of {database.name} is under way; see: mailward recoveries")
        return replace(intention, operations=(begun.id,))

    async def drain(self, server: str, *, actor: str, reason: str, dry_run: bool, force: bool) -> MoveIntention:
        """Move every active copy away from a server, and keep its copies from becoming active."""
        self._refuse_where_nothing_goes_on()
        await self._read_map()
        databases = self._world.organization().active_on(server)
        moves = tuple([await self._planned(database, None) for database in databases])
        decision = await self._decision(StepName.MOVE_DATABASES, server, force=force)
        intention = _intention(server, moves, decision)
        if not databases:
            intention = replace(intention, allowed=True, because=f"{server} holds no active copy")
        elif any(move.target is not None for move in moves):
            intention = replace(intention, allowed=decision.may)  # what can move moves; what cannot is named
        if dry_run or not intention.allowed:
            return intention
        held = self._held()
        await self._block(server, actor=actor, reason=reason or "drained")
        if not databases:
            return intention
        because = said_by(actor, f"empties {server}", reason)
        begun = await self._executor.opening.drain(server, held=held, because=because, actor=actor, force=force)
        if begun is None:
            raise Refused(f"{server} is being emptied already; see: mailward recoveries")
        return replace(intention, operations=(begun.id,))

    async def undrain(self, server: str, *, actor: str, reason: str, dry_run: bool, move_back: bool) -> MoveIntention:
        """Let a server's copies become active again; with *move_back* those that prefer it come back, one by one."""
        if not dry_run:
            self._held()
        await self._read_map()
        organization = self._world.organization()
        own = blocks_on(self._world, server)
        back = [
            database
            for database in organization.databases.values()
            if database.copies[0] == server and database.active != server
        ]
        moves = tuple([await self._planned(database, server, unblocked=own) for database in back]) if move_back else ()
        ours = [hold for hold in own if hold.owner == OURSELVES]
        if ours and await self._is_recovered(server):
            raise Refused(
                f"a recovery of {server} keeps it empty and allows activation when it is well; end that first, see:"
                " mailward recoveries"
            )
        blocked = "; ".join(hold.by_whom for hold in own)
        allowed = f"allowed to become active, which was blocked by {blocked}" if own else "not blocked by anybody"
        intention = MoveIntention(
            server=server, moves=moves, answers=(), allowed=True, because=f"the copies on {server} are {allowed}"
        )
        if dry_run:
            return intention
        for hold in own:
            await self._world.release(hold.id, actor)
        numbers: list[int] = []
        for database in back if move_back else ():
            begun = await self._executor.opening.move(
                database.name,
                held=self._held(),
                because=said_by(actor, f"moves {database.name} back to {server}", reason),
                to=server,
                actor=actor,
            )
            if begun is not None:
                numbers.append(begun.id)
        return replace(intention, operations=tuple(numbers))

    async def _is_recovered(self, server: str) -> bool:
        open_ones = await self._record.operations.open()
        return any(one.kind is OperationKind.MAILBOX_SERVER and one.server == server for one in open_ones)

    async def _planned(self, database: Database, to: str | None, unblocked: Sequence[Hold] = ()) -> PlannedMove:
        """The move as it would be begun now; *unblocked* are holds that will be gone by then."""
        looks = self._executor.move_looks
        source = await looks.source(database)
        choice = await looks.choose(database, source, to, ignoring=tuple(hold.id for hold in unblocked))
        steps = (_as_step(chosen(database, source, choice)),)
        command: tuple[str, ...] = ()
        if move_of(steps) is not None:
            try:
                command = self._executor.facts.deed(StepName.SWITCH_OVER, database.active, steps).command()
            except MailwardError as failure:
                return PlannedMove(database=database.name, source=database.active, target=None, because=str(failure))
        return PlannedMove(
            database=database.name,
            source=database.active,
            target=choice.target,
            because=f"{choice.because} ({source.because})",
            choices=choice.choices,
            command=command,
        )

    async def _decision(self, step: StepName, server: str, *, force: bool) -> Decision:
        wanted = Wanted(step=step, server=server, by_hand=True, forced=force)
        operation = self._executor.opening.drain_of(server, force=force)
        steps = (_as_step({"move": _ANY_MOVE}),) if step is StepName.SWITCH_OVER else ()
        return decide(wanted, await self._executor.acting.circumstances(wanted, operation, steps))

    async def _block(self, server: str, *, actor: str, reason: str) -> None:
        """A person's own block: no recovery of ours takes it back."""
        hold = Hold(
            kind=HoldKind.ACTIVATION,
            subject=server,
            value="blocked",
            owner=actor,
            reason=reason,
            since=self._world.clock.now(),
        )
        await self._world.hold(hold, actor)

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

    def _held(self) -> Held:
        held = self._leading.held
        if held is None:
            raise TemporaryFailure("this manager does not hold the lease that allows it to act; nothing was done")
        return held


_ANY_MOVE = {"database": "", "source": "", "target": "", "kind": "replicator"}


def _as_step(evidence: dict[str, object]) -> Step:
    """A choice in the form in which a move keeps it."""
    moment = datetime.min.replace(tzinfo=UTC)
    return Step(
        operation=0,
        seq=1,
        place=0,
        name=StepName.CHOOSE_COPY,
        server="",
        started=moment,
        ended=moment,
        outcome=StepOutcome.DONE,
        evidence=evidence,
    )


def _intention(server: str, moves: tuple[PlannedMove, ...], decision: Decision) -> MoveIntention:
    nowhere = [move for move in moves if move.target is None]
    because = "; ".join(f"{move.database}: {move.because}" for move in nowhere) or decision.because
    return MoveIntention(
        server=server,
        moves=moves,
        answers=decision.answers,
        allowed=decision.may and not nowhere,
        because=because,
    )
