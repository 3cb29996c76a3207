"""What only a file can do to a recovery: be locked, full, shared, replaced, or left by a process that died."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.recovery import (
    ActionClass,
    Answer,
    Deed,
    Gate,
    GateAnswer,
    Mode,
    Operation,
    OperationKind,
    OperationStatus,
    Step,
    StepName,
)
from mailward.ports.lease import Held
from mailward.ports.operations import LEASE
from mailward.storage.lease import SqliteLease
from mailward.storage.operation_rows import operation_query
from mailward.storage.operations import SqliteOperations
from mailward.storage.sqlite import SqliteStore
from mailward.testing.platform import NOON, SetClock

DAY = timedelta(days=1)
EVENT = Event(at=NOON, kind=EventKind.RECOVERY_STARTED, subject="be1", because="it broke")
PASSED = GateAnswer(gate=Gate.THROTTLE, answer=Answer.PASSES, because="nothing was done lately")


class Manager:
    """A store, its recoveries and its lease, as one process has them."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path, clock=SetClock(), busy_timeout=timedelta(milliseconds=50))
        self.operations = SqliteOperations(self.store.database)
        self.lease = SqliteLease(self.store.database)

    async def lead(self, owner: str = "a") -> Held:
        held = await self.lease.take(LEASE, owner, for_=timedelta(minutes=1))
        assert held is not None
        return held


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state" / "mailward.db"


@pytest.fixture
async def manager(path):
    made = Manager(path)
    await made.store.open()
    yield made
    await made.store.close()


def an_operation(target: str = "be1", **changes: object) -> Operation:
    fields: dict[str, object] = {
        "kind": OperationKind.MAILBOX_SERVER,
        "target": target,
        "server": target,
        "mode": Mode.ACT,
        "status": OperationStatus.RUNNING,
        "because": "the rule broke",
        "started_at": NOON,
    }
    return Operation(**{**fields, **changes})  # type: ignore[arg-type]


def a_step(operation: Operation, **changes: object) -> Step:
    fields: dict[str, object] = {
        "operation": operation.id,
        "seq": 1,
        "place": 1,
        "name": StepName.RESTART_SERVICE,
        "server": "be1",
        "started": NOON,
        "action": ActionClass.RESTART,
    }
    return Step(**{**fields, **changes})  # type: ignore[arg-type]


def passes(deeds: Sequence[Deed], now: datetime) -> GateAnswer:
    return PASSED


def once(deeds: Sequence[Deed], now: datetime) -> GateAnswer:
    return replace(PASSED, answer=Answer.WAITS) if deeds else PASSED


def calls(manager: Manager, operation: Operation, held: Held):
    """Every call that writes, each with something for every table."""
    operations, text = manager.operations, "x" * 200_000
    changed = replace(operation, because=text)
    return [
        lambda: operations.begin(an_operation("be9", because=text), [EVENT], held=held),
        lambda: operations.save(changed, held=held, steps=[a_step(operation)], answers=[PASSED], events=[EVENT]),
        lambda: operations.save(changed, held=None, events=[EVENT]),
        lambda: operations.intend(
            changed, a_step(operation), held=held, may=passes, window=DAY, answers=[PASSED], events=[EVENT]
        ),
    ]


async def stored(manager: Manager, operation: Operation) -> tuple[object, ...]:
    return (
        await manager.operations.operations(),
        await manager.operations.steps(operation.id),
        await manager.operations.answers(operation.id),
        await manager.store.events(),
    )


@pytest.mark.parametrize("place", range(4))
async def test_nothing_is_written_while_another_process_has_the_file_locked(manager, path, place):
    held = await manager.lead()
    operation = await manager.operations.begin(an_operation(), [], held=held)

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TemporaryFailure, match="is locked"):
            await calls(manager, operation, held)[place]()

    assert ((operation,), (), (), ()) == await stored(manager, operation)
    await calls(manager, operation, held)[place]()
    assert 1 == len(await manager.store.events())


@pytest.mark.parametrize("place", range(4))
async def test_nothing_is_written_while_the_disk_is_full(manager, place):
    held = await manager.lead()
    operation = await manager.operations.begin(an_operation(), [], held=held)
    pages = await manager.store.database.read(lambda db: db.exec_driver_sql("PRAGMA page_count").scalar_one())
    await manager.store.database.write(lambda db: db.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}"))

    with pytest.raises(TemporaryFailure, match="make room"):
        await calls(manager, operation, held)[place]()

    assert ((operation,), (), (), ()) == await stored(manager, operation)
    await manager.store.database.write(lambda db: db.exec_driver_sql("PRAGMA max_page_count = 100000"))
    await calls(manager, operation, held)[place]()
    assert 1 == len(await manager.store.events())


async def test_of_two_processes_one_begins(manager, path):
    held = await manager.lead()
    other = Manager(path)

    begun = [
        await each.operations.begin(an_operation(because=name), [EVENT], held=held)
        for each, name in ((manager, "one"), (other, "two"))
    ]

    assert ["one", None] == [operation and operation.because for operation in begun]
    assert 1 == len(await manager.store.events())
    await other.store.close()


async def test_of_two_processes_that_ask_the_same_throttle_one_acts(manager, path):
    held = await manager.lead()
    other = Manager(path)
    first = await manager.operations.begin(an_operation("be1"), [], held=held)
    second = await other.operations.begin(an_operation("be2"), [], held=held)

    async def intend(each: Manager, operation: Operation) -> Answer:
        while True:
            with suppress(TemporaryFailure):  # locked by the other
                return (
                    await each.operations.intend(operation, a_step(operation), held=held, may=once, window=DAY)
                ).answer

    answers = await asyncio.gather(intend(manager, first), intend(other, second))

    assert {Answer.PASSES, Answer.WAITS} == set(answers)
    assert 1 == len(await manager.operations.deeds(since=NOON))
    await other.store.close()


async def test_a_process_killed_while_it_writes_an_intent_has_written_none_of_it(path):
    code = f"""
import asyncio, os, pathlib, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_operations import DAY, EVENT, Manager, an_operation, a_step

def dies(deeds, now):
    os.kill(os.getpid(), 9)

async def main():
    manager = Manager(pathlib.Path({str(path)!r}))
    await manager.store.open()
    held = await manager.lead()
    operation = await manager.operations.begin(an_operation(), [], held=held)
    await manager.operations.intend(operation, a_step(operation), held=held, may=dies, window=DAY, events=[EVENT])
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert ended.returncode == -9

    manager = Manager(path)
    (operation,) = await manager.operations.open()

    assert ((operation,), (), (), ()) == await stored(manager, operation)
    await manager.store.close()


async def test_followers_are_told_also_when_who_stored_was_cancelled_meanwhile(manager):
    held = await manager.lead()
    operation = await manager.operations.begin(an_operation(), [], held=held)
    told, asked = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    operations = SqliteOperations(manager.store.database, stored=told.set)

    def slow(deeds: Sequence[Deed], now: datetime) -> GateAnswer:
        loop.call_soon_threadsafe(asked.set)
        return PASSED

    intending = asyncio.create_task(
        operations.intend(operation, a_step(operation), held=held, may=slow, window=DAY, events=[EVENT])
    )
    await asked.wait()
    intending.cancel()

    async with asyncio.timeout(10):
        await told.wait()
    assert 1 == len(await manager.store.events())


async def test_nobody_is_told_of_what_was_refused(manager):
    told: list[None] = []
    operations = SqliteOperations(manager.store.database, stored=lambda: told.append(None))
    held = await manager.lead()

    with pytest.raises(Refused):
        await operations.save(an_operation(id=5), held=held, events=[EVENT])

    assert [] == told


async def test_event_numbers_go_on_growing_over_a_replaced_file_whoever_appends(manager, path):
    held = await manager.lead()
    await manager.operations.begin(an_operation(), [EVENT, EVENT], held=held)
    path.unlink()
    with pytest.raises(TemporaryFailure):
        await manager.operations.open()
    held = await manager.lead()

    await manager.operations.begin(an_operation(), [EVENT], held=held)
    await manager.store.save_statuses([], [EVENT])

    assert [3, 4] == [event.id for event in await manager.store.events()]


async def test_an_operation_that_cannot_be_read_is_a_temporary_failure(manager):
    await manager.operations.begin(an_operation(), [], held=await manager.lead())
    await manager.store.database.write(lambda db: db.exec_driver_sql("UPDATE operation SET body = '{'"))

    with pytest.raises(TemporaryFailure, match="Operation that cannot be read"):
        await manager.operations.open()


@pytest.mark.parametrize("wanted", [{}, {"target": "be1"}, {"server": "be1"}, {"since": NOON}])
async def test_no_question_reads_a_whole_table_of_steps(manager, wanted):
    query = operation_query(**{"target": None, "server": None, "since": None, **wanted}).limit(5)
    asked = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))

    assert [] == [step for step in await plan(manager, asked) if step == "SCAN step"]


async def test_the_throttles_deeds_are_found_by_an_index(manager):
    statements: list[str] = []
    await manager.store.database.read(
        lambda db: db.connection.dbapi_connection.set_trace_callback(statements.append)  # type: ignore[union-attr]
    )
    await manager.operations.deeds(since=NOON)
    await manager.store.database.read(
        lambda db: db.connection.dbapi_connection.set_trace_callback(None)  # type: ignore[union-attr]
    )
    (asked,) = [statement for statement in statements if "FROM step" in statement]

    assert [] == [step for step in await plan(manager, asked) if "SCAN" in step]


async def plan(manager: Manager, asked: str) -> list[str]:
    return await manager.store.database.read(
        lambda db: [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")]
    )
