"""Recoveries in memory; they pass the same contract as SQLite's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.model.errors import LeaseLost, Refused
from mailward.model.event import Event
from mailward.model.recovery import Answer, Deed, GateAnswer, Operation, Step
from mailward.model.wire import to_plain
from mailward.ports.lease import Held
from mailward.ports.operations import LEASE, May
from mailward.testing.memory_store import MemoryLease, MemoryStore


class MemoryOperations:
    """Operations, steps and answers kept in a `MemoryStore`; another one on the same store is a restarted manager."""

    def __init__(self, store: MemoryStore, lease: MemoryLease, *, stored: Callable[[], None] = lambda: None) -> None:
        """Share the store, and look at the lease its clock measures; *stored* is called when events were stored."""
        self._store = store
        self._lease = lease
        self._stored = stored

    async def begin(self, operation: Operation, events: Sequence[Event], *, held: Held) -> Operation | None:
        """Open an operation and return it with its id; None when its target has one that is not over."""
        self._look(held)
        _refuse_unstorable(operation, *events)
        if not operation.status.is_over and any(
            known.target == operation.target for known in self._store.operations.values() if not known.status.is_over
        ):
            return None
        begun = replace(operation, id=self._store.next_number())
        self._store.operations[begun.id] = begun
        self._append(events, begun.id)
        return begun

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
        self._look(held)
        known = self._known(operation, steps)
        if held is None and known.status.is_over:
            raise Refused(f"operation {operation.id} is over already: nothing was changed")
        self._put(operation, steps, answers, events)

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
        self._look(held)
        if self._known(operation, [step]).status.is_over:
            raise Refused(f"operation {operation.id} is over: step {step.seq} is not taken")
        if (operation.id, step.seq) in self._store.intended:
            raise Refused(f"step {step.seq} of operation {operation.id} was begun before: nothing is repeated blindly")
        now = self._store.clock.now()
        verdict = may(self._deeds(now - window), now)
        if verdict.answer is Answer.PASSES:
            given = [replace(answer, seq=answer.seq or step.seq) for answer in (*answers, verdict)]
            self._put(operation, [step], given, events)
            self._store.intended.add((operation.id, step.seq))
        return verdict

    async def open(self) -> tuple[Operation, ...]:
        """Every operation that is not over, the oldest first."""
        self._store.reach()
        return tuple(operation for operation in self._store.operations.values() if not operation.status.is_over)

    async def operation(self, number: int) -> Operation | None:
        """One operation, or None."""
        self._store.reach()
        return self._store.operations.get(number)

    async def operations(
        self,
        *,
        target: str | None = None,
        server: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> tuple[Operation, ...]:
        """Operations, the newest first; *server* matches the operation's server and those its steps touched."""
        self._store.reach()
        touched = {step.operation for step in self._store.steps.values() if step.server == server}
        found = [
            operation
            for operation in self._store.operations.values()
            if target in (None, operation.target)
            and (server in (None, operation.server) or operation.id in touched)
            and (since is None or operation.started_at >= since)
        ]
        return tuple(reversed(found))[:limit]

    async def steps(self, operation: int) -> tuple[Step, ...]:
        """The steps of an operation in order."""
        self._store.reach()
        own = (step for step in self._store.steps.values() if step.operation == operation)
        return tuple(sorted(own, key=lambda step: step.seq))

    async def answers(self, operation: int) -> tuple[GateAnswer, ...]:
        """The answers of gates to its steps, in the order they were given."""
        self._store.reach()
        return tuple(answer for answer in self._store.answers if answer.operation == operation)

    async def deeds(self, *, since: datetime) -> tuple[Deed, ...]:
        """Deeds begun since then, the oldest first, and those that have not ended."""
        self._store.reach()
        return self._deeds(since)

    def _look(self, held: Held | None) -> None:
        self._store.reach()
        if held is not None and not self._lease.is_held(held, LEASE):
            raise LeaseLost(f"the lease is lost: {held.owner} (fence {held.fence}) no longer holds {LEASE!r}")

    def _known(self, operation: Operation, steps: Sequence[Step]) -> Operation:
        if operation.id not in self._store.operations:
            raise Refused(f"there is no operation {operation.id} in the store: nothing was changed")
        for step in steps:
            if step.operation != operation.id:
                raise Refused(f"step {step.seq} is of operation {step.operation}, not of {operation.id}")
        return self._store.operations[operation.id]

    def _put(
        self, operation: Operation, steps: Sequence[Step], answers: Sequence[GateAnswer], events: Sequence[Event]
    ) -> None:
        _refuse_unstorable(operation, *steps, *events)
        if not self._store.operations[operation.id].status.is_over:
            self._store.operations[operation.id] = operation
        self._store.steps.update(((step.operation, step.seq), step) for step in steps)
        self._store.answers += [replace(answer, operation=answer.operation or operation.id) for answer in answers]
        self._append(events, operation.id)

    def _deeds(self, since: datetime) -> tuple[Deed, ...]:
        found = [
            Deed(
                action=step.action,
                server=step.server,
                operation=step.operation,
                seq=step.seq,
                started=step.started,
                ended=step.ended,
                outcome=step.outcome,
            )
            for key, step in self._store.steps.items()
            if key in self._store.intended and step.action is not None and (step.started >= since or step.ended is None)
        ]
        return tuple(sorted(found, key=lambda deed: (deed.started, deed.operation, deed.seq)))

    def _append(self, events: Sequence[Event], number: int) -> None:
        self._store.append([replace(event, operation=number) if event.operation is None else event for event in events])
        if events:
            self._stored()


def _refuse_unstorable(*values: object) -> None:
    """A database could not hold it either: TypeError, and nothing is kept."""
    for value in values:
        to_plain(value)
