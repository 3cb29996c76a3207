"""
Recoveries on SQLite: what may be written, decided and written in one transaction.

Lease and fence, whether the operation still stands, and the throttles' deeds are looked at within the very transaction
that writes a step's intent: so no other process, and no operator, can come in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, not_, select, text

from mailward.model.errors import Refused
from mailward.model.event import Event
from mailward.model.recovery import Answer, Deed, GateAnswer, Operation, Step
from mailward.ports.lease import Held
from mailward.ports.operations import LEASE, May
from mailward.storage.database import Database, nobody
from mailward.storage.documents import of_document
from mailward.storage.lease import refuse_lost
from mailward.storage.moments import from_ms
from mailward.storage.operation_rows import (
    add_answers,
    add_operation,
    change_operation,
    deeds_since,
    is_intended,
    is_over,
    operation_query,
    operations_found,
    put_steps,
)
from mailward.storage.tables import gate_answers, operations, steps


class SqliteOperations:
    """Operations, steps and gates' answers in the database of a store, by that store's clock."""

    def __init__(self, database: Database, *, stored: Callable[[], None] = nobody) -> None:
        """Share the store's database; *stored* is called on the event loop when events were stored with the rest."""
        self._database = database
        self._stored = stored

    async def begin(self, operation: Operation, events: Sequence[Event], *, held: Held) -> Operation | None:
        """Open an operation and return it with its id; None when its target has one that is not over."""
        told = tuple(events)

        def open_it(db: Connection) -> Operation | None:
            refuse_lost(db, held, LEASE)
            begun = add_operation(db, operation)
            if begun is not None:
                self._append(db, told, begun.id)
            return begun

        return await self._database.write(open_it, written=self._stored if told else None)

    async def save(
        self,
        operation: Operation,
        *,
        held: Held | None,
        steps: Sequence[Step] = (),
        answers: Sequence[GateAnswer] = (),
        events: Sequence[Event] = (),
    ) -> None:
        """Store how an operation stands, changed steps and gates' answers; what is over stays as it ended."""
        changed, given, told = tuple(steps), tuple(answers), tuple(events)

        def store(db: Connection) -> None:
            if held is not None:
                refuse_lost(db, held, LEASE)
            refuse_strangers(operation, over := is_over(db, operation.id), changed)
            if held is None and over:
                raise Refused(f"operation {operation.id} is over already: nothing was changed")
            change_operation(db, operation)
            put_steps(db, changed, intended=False)
            add_answers(db, addressed(given, operation.id))
            self._append(db, told, operation.id)

        await self._database.write(store, written=self._stored if told else None)

    async def intend(
        self,
        operation: Operation,
        step: Step,
        *,
        held: Held,
        may: May,
        window: timedelta,
        answers: Sequence[GateAnswer] = (),
        events: Sequence[Event] = (),
    ) -> GateAnswer:
        """Write the intent of a step that acts, if lease, operation and throttles allow it."""
        given, told = tuple(answers), tuple(events)

        def decide(db: Connection) -> GateAnswer:
            refuse_lost(db, held, LEASE)
            refuse_strangers(operation, over := is_over(db, operation.id), [step])
            if over:
                raise Refused(f"operation {operation.id} is over: step {step.seq} is not taken")
            if is_intended(db, step):
                raise Refused(
                    f"step {step.seq} of operation {operation.id} was begun before: look before it is repeated"
                )
            now = from_ms(db.execute(text("SELECT mailward_now()")).scalar_one())
            verdict = may(deeds_since(db, now - window), now)
            if verdict.answer is Answer.PASSES:
                change_operation(db, operation)
                put_steps(db, [step], intended=True)
                add_answers(db, addressed([*given, verdict], operation.id, step.seq))
                self._append(db, told, operation.id)
            return verdict

        return await self._database.write(decide, written=self._stored if told else None)

    async def open(self) -> tuple[Operation, ...]:
        """Every operation that is not over, the oldest first."""
        query = select(operations.c.id, operations.c.body).where(not_(operations.c.is_over)).order_by(operations.c.id)
        return await self._database.read(lambda db: operations_found(db, query))

    async def operation(self, number: int) -> Operation | None:
        """One operation, or None."""
        query = select(operations.c.id, operations.c.body).where(operations.c.id == number)
        found = await self._database.read(lambda db: operations_found(db, query))
        return found[0] if found else None

    async def operations(
        self,
        *,
        target: str | None = None,
        server: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> tuple[Operation, ...]:
        """Operations, the newest first; *server* matches the operation's server and those its steps touched."""
        query = operation_query(target=target, server=server, since=since).limit(limit)
        return await self._database.read(lambda db: operations_found(db, query))

    async def steps(self, operation: int) -> tuple[Step, ...]:
        """The steps of an operation in order."""
        query = select(steps.c.body).where(steps.c.operation == operation).order_by(steps.c.seq)
        return await self._database.read(
            lambda db: tuple(of_document(Step, body) for body in db.execute(query).scalars().all())
        )

    async def answers(self, operation: int) -> tuple[GateAnswer, ...]:
        """The answers of gates to its steps, in the order they were given."""
        query = select(gate_answers.c.body).where(gate_answers.c.operation == operation).order_by(gate_answers.c.id)
        return await self._database.read(
            lambda db: tuple(of_document(GateAnswer, body) for body in db.execute(query).scalars().all())
        )

    async def deeds(self, *, since: datetime) -> tuple[Deed, ...]:
        """Deeds begun since then, the oldest first, and those that have not ended."""
        return await self._database.read(lambda db: deeds_since(db, since))

    def _append(self, db: Connection, told: Sequence[Event], number: int) -> None:
        numbered = [replace(event, operation=number) if event.operation is None else event for event in told]
        self._database.event_numbers.append(db, numbered)


def refuse_strangers(operation: Operation, over: bool | None, changed: Sequence[Step]) -> None:
    """
    Refuse to change what was never begun, or steps of another operation.

    Raises:
        Refused: *over* is None, as no operation of that number is stored; or a step says it belongs to another.
    """
    if over is None:
        raise Refused(f"there is no operation {operation.id} in the store: nothing was changed")
    for step in changed:
        if step.operation != operation.id:
            raise Refused(
                f"step {step.seq} is of operation {step.operation}, not of {operation.id}: nothing was changed"
            )


def addressed(answers: Sequence[GateAnswer], operation: int, seq: int = 0) -> tuple[GateAnswer, ...]:
    """Answers that know whose they are; what an answer says itself goes first."""
    return tuple(replace(answer, operation=answer.operation or operation, seq=answer.seq or seq) for answer in answers)
