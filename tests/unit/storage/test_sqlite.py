import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta

import pytest

from mailward.model.errors import ConfigError, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.probing import ProbeResult, ResultType
from mailward.storage import database
from mailward.storage.migrations import STEPS
from mailward.storage.sqlite import SqliteStore
from mailward.testing.set_clock import NOON, SetClock


def a_result(number: int = 0, transcript: tuple[str, ...] = ()) -> ProbeResult:
    return ProbeResult(
        probe="ImapSelfTestProbe",
        health_set="IMAP.Protocol",
        server="mbx1",
        target=f"t{number}",
        at=NOON,
        took=timedelta(0),
        result=ResultType.FAILED,
        transcript=transcript,
    )


@pytest.fixture
async def store(tmp_path):
    made = SqliteStore(tmp_path / "state" / "mailward.db", clock=SetClock())
    await made.open()
    yield made
    await made.close()


async def test_file_and_directory_are_their_owners_alone(store, tmp_path):
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "mailward.db").stat().st_mode) == 0o600


async def test_what_was_stored_is_there_after_opening_again(store, tmp_path):
    await store.add_results([a_result()])
    await store.close()

    again = SqliteStore(tmp_path / "state" / "mailward.db", clock=SetClock())
    await again.open()

    assert (a_result(),) == await again.results()
    await again.close()


async def test_a_schema_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "db"
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version = {len(STEPS) + 1}")

    with pytest.raises(ConfigError, match="written by a newer mailward"):
        await SqliteStore(path, clock=SetClock()).open()
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (len(STEPS) + 1,)
    raw.close()


async def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "db").write_bytes(b"Dear diary, " * 1000)

    with pytest.raises(ConfigError, match="move it away"):
        await SqliteStore(tmp_path / "db", clock=SetClock()).open()


async def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(TemporaryFailure, match="cannot be used"):
        await SqliteStore(tmp_path / "file" / "db", clock=SetClock()).open()


async def test_a_full_disk_stores_nothing_of_a_batch_and_says_what_to_do(store):
    await store.add_results([a_result()])
    await store.database.write(lambda db: db.exec_driver_sql("PRAGMA max_page_count = 30"))
    batch = [a_result(number, transcript=("S: " + "x" * 4000,)) for number in range(100)]

    with pytest.raises(TemporaryFailure, match="make room"):
        await store.add_results(batch)

    assert (a_result(),) == await store.results()
    await store.database.write(lambda db: db.exec_driver_sql("PRAGMA max_page_count = 100000"))
    await store.add_results(batch)
    assert len(await store.results(limit=1000)) == 101


async def test_another_process_that_writes_for_too_long_is_a_temporary_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    store = SqliteStore(tmp_path / "db", clock=SetClock())
    await store.open()
    other = sqlite3.connect(tmp_path / "db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(TemporaryFailure, match="locked"):
        await store.add_results([a_result()])
    assert await store.results() == (), "reading goes on meanwhile"
    other.execute("ROLLBACK")
    other.close()
    await store.add_results([a_result()])
    assert len(await store.results()) == 1
    await store.close()


async def test_a_process_killed_in_the_middle_of_writing_leaves_all_or_nothing(tmp_path):
    code = f"""
import asyncio, os, pathlib
from mailward.storage.sqlite import SqliteStore
from mailward.testing.set_clock import SetClock

async def main():
    store = SqliteStore(pathlib.Path({str(tmp_path / "db")!r}), clock=SetClock())
    await store.open()
    def half(db):
        db.exec_driver_sql("INSERT INTO canary VALUES ('half', '{{}}')")
        os.kill(os.getpid(), 9)
    await store.database.write(half)
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert ended.returncode == -9

    store = SqliteStore(tmp_path / "db", clock=SetClock())
    await store.open()

    assert {} == await store.canaries()
    await store.close()


async def test_a_state_without_its_event_is_never_stored(store):
    unstorable = Event(at=NOON, kind=EventKind.STORE_BACK, subject="x", because="y", data={"set": object()})

    with pytest.raises(TypeError):
        await store.save_statuses([], [Event(at=NOON, kind=EventKind.STORE_BACK, subject="a", because="b"), unstorable])

    assert await store.events() == ()


async def test_a_question_to_a_closed_store_is_a_temporary_failure(tmp_path):
    store = SqliteStore(tmp_path / "db", clock=SetClock())
    await store.open()
    await store.close()

    with pytest.raises(TemporaryFailure, match="closed"):
        await store.results()
