"""The stages of a move that touch nothing: which copy, whether the moves are over, whether users are served there."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from mailward.engine.recovering.moves.blocking import block_activation
from mailward.engine.recovering.moves.looks import MoveLooks
from mailward.engine.recovering.noting import Noting
from mailward.engine.recovering.record import Record, with_data
from mailward.engine.recovering.standing import Turn
from mailward.engine.recovering.world import World
from mailward.failover.choosing import Choice
from mailward.failover.source import Source, SourceState
from mailward.model.copies import CopyKind
from mailward.model.organization import Database
from mailward.model.recovery import Operation, OperationKind, OperationStatus, StepName, StepOutcome
from mailward.recovery.moves import begun_by, move_of, not_begun

LOOK_AGAIN_AFTER = timedelta(milliseconds=200)
VERIFY_TRIES, VERIFY_AGAIN_AFTER_S = 3, 1.0
"""A user's way is looked at so often: the first login after the switch may still have been held."""


class MoveStages:
    """Takes them."""

    def __init__(self, world: World, record: Record, *, looks: MoveLooks, noting: Noting) -> None:
        """Look by *looks*, write down by *noting*."""
        self._world = world
        self._record = record
        self._looks = looks
        self._noting = noting
        self._one_at_a_time = asyncio.Lock()

    async def choose(self, turn: Turn) -> Operation:
        """
        Look at the source and choose the copy; the choice is kept for the rest of the move.

        Where servers have a limit one move chooses after the other, so that each counts what the others send there.
        """
        if self._world.moves().capacity is None:
            return await self._choose(turn)
        async with self._one_at_a_time:
            return await self._choose(turn)

    async def _choose(self, turn: Turn) -> Operation:
        name, wanted = turn.operation.data.get("database"), turn.operation.data.get("to")
        trouble = await self._world.read_routing()
        if trouble is not None:
            return await self._noting.note(turn, StepOutcome.FAILED, f"the map could not be read: {trouble}")
        database = self._world.organization().databases.get(str(name))
        if database is None:
            return await self._noting.note(
                turn, StepOutcome.FAILED, f"the configuration no longer names database {name}"
            )
        if wanted == database.active:
            because = f"{database.name} is on {wanted} already"
            return await self._noting.note(turn, StepOutcome.DONE, because, evidence={"healthy": True})
        source = await self._looks.source(database)
        against = _against(turn, database, source)
        if against is not None:
            return await self._noting.note(turn, StepOutcome.FAILED, against)
        choice = await self._looks.choose(database, source, str(wanted) if wanted is not None else None)
        if choice.target is not None and source.is_planned:
            await self._looks.try_delivery(database)
        evidence = chosen(database, source, choice)
        if choice.target is None:
            return await self._noting.note(turn, StepOutcome.FAILED, choice.because, evidence=evidence)
        if not source.is_planned and database.replication in (CopyKind.REPLICATOR, CopyKind.SYNC):
            because = f"{database.name} left it without being synchronised; it follows again before it may be active"
            await block_activation(self._world, f"{database.active}/{database.name}", because)
        turn = replace(turn, operation=with_data(turn.operation, target=choice.target))
        return await self._noting.note(turn, StepOutcome.DONE, choice.because, evidence=evidence)

    async def await_moves(self, turn: Turn) -> Operation:
        """Wait until every move that was begun is over, and add up what became of them."""
        moves = [await self._record.operations.operation(number) for number in begun_by(turn.steps)]
        left = [one for one in moves if one is not None and not one.status.is_over]
        if left:
            done = len(moves) - len(left)
            because = f"{done} of {_databases(len(moves))} moved; {left[0].target}: {left[0].because}"
            until = self._world.clock.now() + LOOK_AGAIN_AFTER
            return await self._noting.wait(turn.operation, because, until=until, held=turn.held)
        moved = [one for one in moves if one is not None and one.status is OperationStatus.HEALED]
        evidence: dict[str, object] = {"moved": [one.data.get("database") for one in moved]}
        if await self._any_fenced(moves):
            evidence["fenced"] = True
        failed = [one for one in moves if one is not None and one not in moved]
        stay = (*(f"{one.data.get('database')}: {one.because}" for one in failed), *not_begun(turn.steps))
        if stay:
            because = "; ".join(stay)
            return await self._noting.note(turn, StepOutcome.FAILED, f"not moved: {because}", evidence=evidence)
        if "/" in turn.operation.target and turn.operation.kind is OperationKind.MAILBOX_SERVER:
            evidence["healthy"] = True  # it was about this one database, whose users are served elsewhere now
        return await self._noting.note(turn, StepOutcome.DONE, f"{_databases(len(moved))} moved", evidence=evidence)

    async def verify(self, turn: Turn) -> Operation:
        """Users of the database are served by the target, through every proxy."""
        move = move_of(turn.steps)
        if move is None:
            return await self._noting.note(turn, StepOutcome.FAILED, "no copy was chosen")
        took_mail = self._looks.took_mail(move)
        healthy, because, found = await self._looks.verify(move, took_mail=took_mail)
        for _ in range(VERIFY_TRIES - 1):
            if healthy:
                break
            await self._world.sleep(VERIFY_AGAIN_AFTER_S)
            healthy, because, found = await self._looks.verify(move, took_mail=took_mail)
        evidence = {**found, "healthy": healthy}
        outcome = {True: StepOutcome.DONE, False: StepOutcome.FAILED, None: StepOutcome.UNKNOWN}[healthy]
        return await self._noting.note(turn, outcome, because, evidence=evidence)

    async def _any_fenced(self, moves: list[Operation | None]) -> bool:
        for one in moves:
            steps = await self._record.operations.steps(one.id) if one is not None else ()
            if any(step.name is StepName.FENCE and step.outcome is StepOutcome.DONE for step in steps):
                return True
        return False


def _databases(count: int) -> str:
    return "1 database is" if count == 1 else f"{count} databases are"


def _against(turn: Turn, database: Database, source: Source) -> str | None:
    """Why the database is not moved whatever its copies are; None: it may be."""
    meant = turn.operation.server
    if database.active != meant:
        return f"somebody has moved {database.name} from {meant} to {database.active} meanwhile"
    if turn.operation.data.get("only_planned") is True and not source.is_planned:
        return f"a planned move was agreed to, and it would have to be forced now: {source.because}"
    return source.because if source.state is SourceState.UNKNOWN else None


def chosen(database: Database, source: Source, choice: Choice) -> dict[str, object]:
    """What is kept of a choice: the move, how the source was, and why not the others."""
    evidence: dict[str, object] = {
        "source": f"{database.active}: {source.because}",
        "choices": [
            {"server": one.server, "is_eligible": one.is_eligible, "because": one.because} for one in choice.choices
        ],
    }
    if choice.target is not None and database.replication is not None:
        evidence["move"] = {
            "database": database.name,
            "source": database.active,
            "target": choice.target,
            "kind": database.replication.value,
            "is_planned": source.is_planned,
            "must_be_fenced": source.must_be_fenced,
            "answers": source.answers,
            "may_be_silent": source.is_silent,
        }
    return evidence
