"""The part of the fake manager that moves databases: a move begins at once, and each look takes it a step on."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from mailward.model.copies import CopyChoice, CopyState, DatabaseCopy, PlannedMove
from mailward.model.errors import NotFound, Refused
from mailward.model.holds import BLOCKED, Hold, HoldKind
from mailward.model.recovery import (
    ActionClass,
    Answer,
    Mode,
    Operation,
    OperationKind,
    OperationStatus,
    Step,
    StepOutcome,
)
from mailward.ports.manager import MoveIntention, RecoveryStory
from mailward.testing.manager_protocol_logs import FakeProtocolLogs
from mailward.testing.move_course import course


class FakeMoves(FakeProtocolLogs):
    """Copies over canned rows, which moves change; no time passes but by looking."""

    def __init__(self, *, copies: Sequence[DatabaseCopy] = (), **others: Any) -> None:
        """Take the copies there are; *others* are those of FakeProtocolLogs."""
        super().__init__(**others)
        self.copied = list(copies)
        self.move_trouble: str | None = None
        """Why the next move fails."""
        self.source_because = "it answers, and the database can be read there"
        self.must_force = False
        """Whether the server that is left is not well, so that every move is a forced one."""
        """How the server is that a move leaves."""
        self.unfolding: dict[int, list[RecoveryStory]] = {}
        """How each move goes on: one story a look, the last one over."""

    async def recovery(self, number: int) -> RecoveryStory:
        """The story of that number; one that unfolds is a step further on."""
        ahead = self.unfolding.get(number)
        if ahead and self.silent_because is None:
            story = self.stories[number] = ahead.pop(0)
            for step in story.steps:
                self._switch(step)
        return await super().recovery(number)

    async def hold(self, hold: Hold, *, actor: str) -> Hold:
        """As ever; activation is blocked only of copies there are."""
        server, _, database = hold.subject.partition("/")
        if hold.kind is HoldKind.ACTIVATION:
            self._answer()
            self._holding(self._known(server), database or None)
        return await super().hold(hold, actor=actor)

    async def copies(self, *, server: str | None = None, database: str | None = None) -> tuple[DatabaseCopy, ...]:
        """The rows that match, with what blocks them."""
        self._answer()
        wanted, of = self._server(server), None if database is None else self._database(database)
        return tuple(
            self._with_block(row) for row in self.copied if wanted in (None, row.server) and of in (None, row.database)
        )

    async def move_database(
        self,
        database: str,
        *,
        to: str | None = None,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """Begin to move one database; refused to where no copy is, where it is already, and while it is being moved."""
        self._answer()
        name, target = self._database(database), self._server(to)
        if target is not None:
            self._holding(target, name)
        source = self._active(name).server
        if target == source:
            raise Refused(f"{name} is active on {source} already")
        if any(name in operation.databases for operation in self._moving()):
            raise Refused(f"another move of {name} is under way; see: mailward recoveries --unfinished")
        planned = (self._planned(name, target),)
        self._agreed(planned, only_planned=only_planned)
        intention = self._move_intention(source, planned, force=force)
        return self._begun(intention, "move", actor, reason) if intention.allowed and not dry_run else intention

    async def drain(
        self,
        server: str,
        *,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """Block activation, and begin to move away what is active there."""
        self._answer()
        name = self._known(server)
        active = [row for row in self._holding(name, None) if row.state.is_active]
        if any(operation.server == name for operation in self._moving()):
            raise Refused(f"{name} is being emptied already; see: mailward recoveries --unfinished")
        moves = tuple(self._planned(row.database, None) for row in active)
        self._agreed(moves, only_planned=only_planned)
        intention = self._move_intention(name, moves, force=force)
        if not intention.allowed or dry_run:
            return intention
        held = Hold(
            kind=HoldKind.ACTIVATION,
            subject=name,
            value=BLOCKED,
            owner=actor,
            reason=reason or "it is drained",
            since=self.now,
        )
        await self.hold(held, actor=actor)
        return self._begun(intention, "drain", actor, reason)

    async def undrain(
        self,
        server: str,
        *,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        move_back: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """Allow activation, and begin to move back what prefers that server."""
        self._answer()
        name = self._known(server)
        own = [row for row in self._holding(name, None) if row.preference == 1 and not row.state.is_active]
        blocks = [hold for hold in self.held if hold.kind is HoldKind.ACTIVATION and hold.subject == name]
        back = tuple(self._planned(row.database, name, passing=blocks) for row in own) if move_back else ()
        self._agreed(back, only_planned=only_planned)
        asked = self._move_intention(name, back, force=False)
        in_force = [hold for hold in blocks if hold.is_in_force(self.now)]
        intention = replace(
            asked,
            allowed=asked.allowed or all(answer.answer is Answer.PASSES for answer in asked.answers),
            unblocks=tuple(hold.by_whom for hold in in_force),
        )
        if not intention.allowed or dry_run:
            return intention
        for hold in in_force:
            await self.release(hold.id, actor=actor)
        self.orders.append((actor, "undrain", name, reason))
        begun = [self._unfolding(name, (move,), actor, reason) for move in back if move.target is not None]
        return replace(intention, operations=tuple(begun))

    def _move_intention(self, server: str, moves: tuple[PlannedMove, ...], *, force: bool) -> MoveIntention:
        asked = self._intention(server, (), force=force)
        nowhere = bool(moves) and all(move.target is None for move in moves)
        because = moves[0].because if asked.allowed and nowhere else asked.because
        return MoveIntention(
            server=server,
            moves=moves,
            answers=asked.answers,
            allowed=asked.allowed and not nowhere,
            because=because,
        )

    def _moving(self) -> list[Operation]:
        """The moves that have not unfolded to their end."""
        return [self.stories[number].operation for number, ahead in self.unfolding.items() if ahead]

    def _agreed(self, moves: Sequence[PlannedMove], *, only_planned: bool) -> None:
        forced = next((move for move in moves if move.is_forced), None)
        if only_planned and forced is not None:
            raise Refused(f"{forced.database} would have to be moved by force now: {forced.source_because}")

    def _begun(self, intention: MoveIntention, order: str, actor: str, reason: str) -> MoveIntention:
        """Record the order, and let unfold what there is to move; no operation where there is nothing."""
        self.orders.append((actor, order, intention.server, reason))
        if not intention.moves:
            return intention
        return replace(intention, operations=(self._unfolding(intention.server, intention.moves, actor, reason),))

    def _unfolding(self, server: str, moves: tuple[PlannedMove, ...], actor: str, reason: str) -> int:
        """Begin an operation that makes *moves*; its number."""
        number = max(self.stories, default=0) + len(self.orders)
        begun = Operation(
            id=number,
            kind=OperationKind.BY_HAND,
            target=server,
            server=server,
            mode=Mode.ACT,
            status=OperationStatus.RUNNING,
            because=f"{actor} asked for it",
            started_at=self.now,
            actor=actor,
            databases=tuple(move.database for move in moves),
            data={"reason": reason},
        )
        self.stories[number] = RecoveryStory(operation=begun)
        self.unfolding[number] = list(course(begun, moves, self.move_trouble))
        return number

    def _planned(self, database: str, wanted: str | None, passing: Sequence[Hold] = ()) -> PlannedMove:
        """The move of a database to *wanted* or the first copy that can; *passing* holds are about to end."""
        source = self._active(database).server
        others = [row for row in self.copied if row.database == database and row.server != source]
        choices = [self._choice(self._with_block(row, passing)) for row in others]
        able = (one.server for one in choices if one.is_eligible and wanted in (None, one.server))
        target = next(able, None)
        choices.sort(key=lambda choice: (choice.server != target, not choice.is_eligible))
        if target is not None:
            return PlannedMove(
                database=database,
                source=source,
                target=target,
                because=f"{target}: {choices[0].because}",
                source_because=self.source_because,
                is_forced=self.must_force,
                choices=tuple(choices),
                command=("mailmap", "switch", database, source, target),
            )
        told = "; ".join(f"{choice.server}: {choice.because}" for choice in choices)
        because = f"no copy can become active: {told}" if choices else "there is no second copy"
        return PlannedMove(
            database=database,
            source=source,
            target=None,
            because=because,
            source_because=self.source_because,
            choices=tuple(choices),
        )

    def _choice(self, row: DatabaseCopy) -> CopyChoice:
        if row.activation_blocked is not None:
            because = f"its activation is blocked: {row.activation_blocked}"
            return CopyChoice(server=row.server, is_eligible=False, because=because)
        if not row.state.may_become_active:
            because = f"it is {row.state.value}: {row.because}"
            return CopyChoice(server=row.server, is_eligible=False, because=because)
        because = f"the copy is {row.state.value}, preference {row.preference}"
        return CopyChoice(server=row.server, is_eligible=True, because=because)

    def _switch(self, step: Step) -> None:
        """Make the copy active that a step moved its database to."""
        if step.outcome is not StepOutcome.DONE or step.action is not ActionClass.MOVE:
            return
        _, _, database, source, target = step.command
        states = {source: CopyState.HEALTHY, target: CopyState.MOUNTED}
        self.copied = [
            replace(row, state=states[row.server], because=step.because)
            if row.database == database and row.server in states
            else row
            for row in self.copied
        ]

    def _with_block(self, row: DatabaseCopy, passing: Sequence[Hold] = ()) -> DatabaseCopy:
        blocks = (hold for hold in self.held if hold not in passing and hold.is_in_force(self.now))
        block = next((hold for hold in blocks if hold.blocks_activation(row.server, row.database)), None)
        return row if block is None else replace(row, activation_blocked=block.by_whom)

    def _active(self, database: str) -> DatabaseCopy:
        return next(row for row in self.copied if row.database == database and row.state.is_active)

    def _holding(self, server: str, database: str | None) -> list[DatabaseCopy]:
        """The rows of a server, or its row of one database; refused where there is none."""
        name = None if database is None else self._database(database)
        found = [row for row in self.copied if row.server == server and name in (None, row.database)]
        if not found:
            raise Refused(f"{server} holds no copy of {name or 'any mailbox database'}")
        return found

    def _database(self, name: str) -> str:
        known = {row.database.lower(): row.database for row in self.copied}
        if name.lower() in known:
            return known[name.lower()]
        nearest = get_close_matches(name.lower(), sorted(known), n=1, cutoff=0.5)
        hint = f"; did you mean {known[nearest[0]]!r}?" if nearest else ""
        raise NotFound(f"there is no database {name!r}{hint}")

    def _names(self) -> set[str]:
        return {*super()._names(), *(row.server for row in self.copied)}
