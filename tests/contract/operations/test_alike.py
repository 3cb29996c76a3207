"""Whatever is asked of them, in whatever order, the double answers as the database does."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from mailward.model.errors import Refused
from mailward.model.event import Event, EventKind
from mailward.model.recovery import (
    ActionClass,
    Answer,
    Gate,
    GateAnswer,
    Mode,
    Operation,
    OperationKind,
    OperationStatus,
    Step,
    StepName,
    StepOutcome,
)
from mailward.ports.lease import Held
from mailward.ports.operations import LEASE, Operations
from mailward.ports.store import Retention, Store
from mailward.storage.lease import SqliteLease
from mailward.storage.operations import SqliteOperations
from mailward.storage.sqlite import SqliteStore
from mailward.testing.memory_operations import MemoryOperations
from mailward.testing.memory_store import MemoryLease, MemoryStore
from mailward.testing.platform import NOON, SetClock

MINUTE = timedelta(minutes=1)
YES = GateAnswer(gate=Gate.THROTTLE, answer=Answer.PASSES, because="yes")
NUMBERS = st.integers(1, 4)
SEQS = st.integers(1, 3)
ASKED = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(["be1", "be2"]), st.sampled_from(OperationStatus)),
    st.tuples(st.just("save"), NUMBERS, st.sampled_from(OperationStatus), SEQS, st.booleans()),
    st.tuples(st.just("end"), NUMBERS, SEQS),
    st.tuples(st.just("intend"), NUMBERS, SEQS, st.booleans()),
    st.tuples(st.just("pass"), st.sampled_from([-400 * 1440, -90, -1, 1, 3, 90, 400 * 1440])),
    st.tuples(st.just("lead"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("tidy")),
)


class Side:
    """One implementation, asked one thing after the other."""

    def __init__(self, store: Store, operations: Operations, lease: SqliteLease | MemoryLease, clock: SetClock) -> None:
        self.store, self.operations, self.lease, self.clock = store, operations, lease, clock
        self.held = Held(owner="nobody", fence=0, until=NOON)
        self.begun: list[int] = []

    async def do(self, asked: tuple[object, ...]) -> object:
        """What came of it: an answer, or that it was refused."""
        deed: Callable[..., Awaitable[object]] = getattr(self, f"_{asked[0]}")
        try:
            return await deed(*asked[1:])
        except Refused as refused:
            return "refused: " + re.sub(r"\d+", "N", str(refused).split(":")[0])

    async def all(self) -> object:
        """Everything that is stored, operations by the order they were begun in."""
        shown = await self.operations.operations()
        return (
            [(self._place(one.id), replace(one, id=0)) for one in shown],
            [self._place(one.id) for one in await self.operations.open()],
            [[replace(step, operation=0) for step in await self.operations.steps(one.id)] for one in shown],
            [[replace(a, operation=0) for a in await self.operations.answers(one.id)] for one in shown],
            [replace(d, operation=self._place(d.operation)) for d in await self.operations.deeds(since=NOON)],
            [(event.because, self._place(event.operation or 0)) for event in await self.store.events()],
        )

    def _place(self, number: int) -> int:
        return self.begun.index(number) + 1 if number in self.begun else 0

    def _number(self, place: int) -> int:
        return self.begun[place - 1] if place <= len(self.begun) else 0

    async def _begin(self, target: str, status: OperationStatus) -> object:
        begun = await self.operations.begin(an_operation(target, status), [an_event("begun")], held=self.held)
        if begun is not None:
            self.begun.append(begun.id)
        return begun is not None

    async def _save(self, place: int, status: OperationStatus, seq: int, leads: bool) -> None:
        known = an_operation("be1", status, number=self._number(place))
        found = await self.operations.operation(known.id)
        await self.operations.save(
            replace(known, target=found.target if found else "be1"),
            held=self.held if leads else None,
            steps=[a_step(known.id, seq, self.clock)],
            answers=[YES],
            events=[an_event("saved")],
        )

    async def _end(self, place: int, seq: int) -> None:
        number = self._number(place)
        found = await self.operations.operation(number)
        ended = replace(a_step(number, seq, self.clock), ended=self.clock.now(), outcome=StepOutcome.DONE)
        await self.operations.save(found or an_operation("be1", number=number), held=self.held, steps=[ended])

    async def _intend(self, place: int, seq: int, yes: bool) -> object:
        number = self._number(place)
        found = await self.operations.operation(number) or an_operation("be1", number=number)
        seen: list[object] = []

        def may(deeds, now) -> GateAnswer:
            seen.extend([now, *(replace(deed, operation=self._place(deed.operation)) for deed in deeds)])
            return YES if yes else replace(YES, answer=Answer.WAITS)

        step = a_step(number, seq, self.clock)
        answer = await self.operations.intend(
            found, step, held=self.held, may=may, window=timedelta(hours=1), events=[an_event("intended")]
        )
        return answer, seen

    async def _pass(self, minutes: int) -> None:
        self.clock.advance(minutes * MINUTE)

    async def _lead(self, owner: str) -> bool:
        taken = await self.lease.take(LEASE, owner, for_=2 * MINUTE)
        self.held = taken or self.held
        return taken is not None

    async def _tidy(self) -> None:
        while await self.store.tidy(
            now=self.clock.now(), retention=Retention(events=timedelta(days=36500)), slice_rows=3
        ):
            pass


def an_operation(target: str, status: OperationStatus = OperationStatus.RUNNING, number: int = 0) -> Operation:
    return Operation(
        kind=OperationKind.MAILBOX_SERVER,
        target=target,
        server=target,
        mode=Mode.ACT,
        status=status,
        because="the rule broke",
        started_at=NOON,
        id=number,
    )


def a_step(number: int, seq: int, clock: SetClock) -> Step:
    return Step(
        operation=number,
        seq=seq,
        place=0,
        name=StepName.RESTART_SERVICE,
        server="be1",
        started=clock.now(),
        action=ActionClass.RESTART,
    )


def an_event(because: str) -> Event:
    return Event(at=NOON, kind=EventKind.RECOVERY_STARTED, subject="be1", because=because)


@settings(max_examples=60, deadline=None)
@given(st.lists(ASKED, max_size=25))
def test_memory_and_sqlite_answer_alike_whatever_is_asked_of_them(asked):
    asyncio.run(compare([("lead", "a"), ("begin", "be1", OperationStatus.RUNNING), *asked]))


async def compare(asked: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as directory:
        clocks = SetClock(), SetClock()
        sqlite, memory = SqliteStore(Path(directory) / "db", clock=clocks[0]), MemoryStore(clock=clocks[1])
        lease = MemoryLease(clock=clocks[1])
        one = Side(sqlite, SqliteOperations(sqlite.database), SqliteLease(sqlite.database), clocks[0])
        other = Side(memory, MemoryOperations(memory, lease), lease, clocks[1])
        try:
            for what in asked:
                assert await one.do(what) == await other.do(what), what
            assert await one.all() == await other.all()
        finally:
            await sqlite.close()
