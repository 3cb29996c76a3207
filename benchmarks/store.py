"""
What storing costs: results a second through the store, against bare sqlite3 writing the same bytes in the same run.

The peer writes the very rows of the table of results (same columns, indexes, journal, size of batches) by `executemany`
and nothing else: no JSON to make, no latest results, no roll-ups. The ratio is the price of these, and of a thread.
Then the latest results of many targets are read at once, as a manager does when it starts: how long that takes, and how
long at most the event loop had to wait meanwhile. Then the intent of a deed is written after a year of deeds, and a
backup is made while results are stored.

    python benchmarks/store.py [--results 20000] [--targets 10000]
"""

import argparse
import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mailward.model.probing import Phase, PhaseOutcome, PhaseTiming, ProbeResult, ResultType
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
from mailward.platforms.local.system_clock import SystemClock
from mailward.ports.operations import LEASE
from mailward.storage.lease import SqliteLease
from mailward.storage.operations import SqliteOperations
from mailward.storage.sqlite import SqliteStore

BATCH = 500
DEEDS = 2000
"""More than an organization of a hundred servers does in a year that went badly."""
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AN_OPERATION = Operation(
    kind=OperationKind.MAILBOX_SERVER,
    target="mbx1",
    server="mbx1",
    mode=Mode.ACT,
    status=OperationStatus.RUNNING,
    because="the rule broke",
    started_at=NOON,
)
A_STEP = Step(
    operation=0,
    seq=0,
    place=0,
    name=StepName.RESTART_SERVICE,
    server="mbx1",
    started=NOON,
    action=ActionClass.RESTART,
    intent="restart the IMAP service of mbx1",
    command=("systemctl", "restart", "dovecot.service"),
)
PASSED = GateAnswer(gate=Gate.THROTTLE, answer=Answer.PASSES, because="nothing was done lately")
PHASES = (Phase.DNS, Phase.CONNECT, Phase.TLS, Phase.GREETING, Phase.AUTH, Phase.SELECT, Phase.FETCH, Phase.LOGOUT)
COLUMNS = "at, probe, server, target, failed, body, transcript"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=int, default=20_000)
    parser.add_argument("--targets", type=int, default=10_000)
    asked = parser.parse_args()
    with TemporaryDirectory() as directory:
        asyncio.run(measure(Path(directory), results=asked.results, targets=asked.targets))


async def measure(directory: Path, *, results: int, targets: int) -> None:
    """Write through the store, write the same rows bare, read the latest."""
    store = SqliteStore(directory / "store.db", clock=SystemClock())
    await store.open()
    batches = [[a_result(number + place, targets) for place in range(BATCH)] for number in range(0, results, BATCH)]

    began = time.perf_counter()
    for batch in batches:
        await store.add_results(batch)
    ours = time.perf_counter() - began
    bare = write_bare(directory / "store.db", directory / "bare.db")
    stored = len(batches) * BATCH
    print(f"add_results, batches of {BATCH}: {stored / ours:10,.0f} results/s")
    print(f"bare executemany, same rows:  {stored / bare:10,.0f} results/s")
    print(f"ratio of time:                {ours / bare:10.1f}")

    del batch
    batches.clear()  # a manager that starts holds none: with them the garbage collector alone takes twice as long
    began = time.perf_counter()
    reading = asyncio.ensure_future(store.latest_results())
    waited = await longest_wait(reading)
    took = time.perf_counter() - began
    print(
        f"latest of {len(await reading):,}: {took * 1000:.0f} ms; the event loop waited {waited * 1000:.0f} ms at most"
    )
    await measure_intents(store)
    await measure_backup(store, directory / "backup.db")
    await store.close()


async def measure_intents(store: SqliteStore) -> None:
    """What one intent costs, lease and throttles looked at in the same transaction, after `DEEDS` others."""
    operations, lease = SqliteOperations(store.database), SqliteLease(store.database)
    held = await lease.take(LEASE, "benchmark", for_=timedelta(hours=1))
    assert held is not None
    began = await operations.begin(AN_OPERATION, [], held=held)
    assert began is not None
    took = []
    for seq in range(DEEDS):
        step = replace(A_STEP, operation=began.id, seq=seq, started=NOON - timedelta(days=365) / DEEDS * (DEEDS - seq))
        before = time.perf_counter()
        await operations.intend(began, step, held=held, may=lambda *_: PASSED, window=timedelta(days=2))
        took.append(time.perf_counter() - before)
        await operations.save(began, held=held, steps=[replace(step, ended=NOON, outcome=StepOutcome.DONE)])
    first, last = (sorted(part)[len(part) // 2] * 1000 for part in (took[:100], took[-100:]))
    print(f"intend: {first:.1f} ms at first, {last:.1f} ms after {DEEDS:,} deeds (medians)")


async def measure_backup(store: SqliteStore, path: Path) -> None:
    """How long a backup takes, and how long at most a batch of results waits for its writing meanwhile."""
    began = time.perf_counter()
    making = asyncio.ensure_future(store.backup(str(path)))
    longest = 0.0
    while not making.done():
        before = time.perf_counter()
        await store.add_results([a_result(number, 1000) for number in range(50)])
        longest = max(longest, time.perf_counter() - before)
    took = time.perf_counter() - began
    print(
        f"backup of {await making / 1e6:.0f} MB: {took * 1000:.0f} ms; 50 results took {longest * 1000:.0f} ms at most"
    )


async def longest_wait(reading: "asyncio.Future[Any]") -> float:
    """How long one turn of the event loop took at most until *reading* was done, beyond the millisecond it slept."""
    longest = 0.0
    while not reading.done():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - began - 0.001)
    return longest


def write_bare(filled: Path, empty: Path) -> float:
    """Seconds to write the results of the *filled* store to an *empty* file."""
    with closing(sqlite3.connect(filled)) as source, closing(sqlite3.connect(empty, isolation_level=None)) as peer:
        rows: Sequence[Any] = source.execute(f"SELECT {COLUMNS} FROM result ORDER BY id").fetchall()
        peer.execute("PRAGMA journal_mode=WAL")
        peer.execute("PRAGMA synchronous=NORMAL")
        for (statement,) in source.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'result' ORDER BY rootpage"):
            peer.execute(statement)
        began = time.perf_counter()
        for place in range(0, len(rows), BATCH):
            peer.execute("BEGIN IMMEDIATE")
            peer.executemany(f"INSERT INTO result ({COLUMNS}) VALUES (?,?,?,?,?,?,?)", rows[place : place + BATCH])
            peer.execute("COMMIT")
        return time.perf_counter() - began


def a_result(number: int, targets: int) -> ProbeResult:
    """A healthy deep probe of one of *targets*; one in fifty has failed."""
    failed = number % 50 == 0
    took = timedelta(milliseconds=3, microseconds=number % 1000)
    return ProbeResult(
        probe="ImapDeepTestProbe",
        health_set="IMAP.Protocol",
        server=f"mbx{number % targets % 100}",
        target=f"DB{number % targets}",
        at=NOON + timedelta(milliseconds=30_000 / targets * number),
        took=took * len(PHASES),
        result=ResultType.FAILED if failed else ResultType.SUCCEEDED,
        phases=tuple(PhaseTiming(phase=phase, took=took, outcome=PhaseOutcome.OK) for phase in PHASES),
        address="192.0.2.7:993",
        tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
        capabilities=("IMAP4rev1", "IDLE", "UIDPLUS", "MOVE", "CONDSTORE", "ENABLE"),
        transcript=tuple(f"S: line {line} of a conversation" for line in range(20)) if failed else (),
    )


if __name__ == "__main__":
    main()
