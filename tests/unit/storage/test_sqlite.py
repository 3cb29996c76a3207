import sqlite3
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from mailward.model.errors import ConfigError, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.probing import ProbeResult, ResultType
from mailward.ports.store import Retention
from mailward.storage.database import BUSY_TIMEOUT
from mailward.storage.event_rows import event_query
from mailward.storage.migrations import APPLICATION_ID, STEPS
from mailward.storage.result_rows import result_query
from mailward.storage.sqlite import SqliteStore
from mailward.testing.platform import NOON, SetClock


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


NO_FILTER = dict.fromkeys(("probe", "server", "target", "since", "failed"))
ALL_EVENTS = {"after": 0, "before": None, "kinds": (), "subject": None, "since": None, "newest_first": False}


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
        raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")

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

    with pytest.raises(ConfigError, match="cannot be made"):
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


async def test_another_process_that_writes_for_too_long_is_a_temporary_failure(tmp_path):
    store = SqliteStore(tmp_path / "db", clock=SetClock(), busy_timeout=timedelta(milliseconds=50))
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
from mailward.testing.platform import SetClock

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


async def test_waiting_for_another_process_takes_less_than_the_manager_has_to_end_in():
    assert timedelta(seconds=1) <= BUSY_TIMEOUT <= timedelta(seconds=2)


async def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    raw.close()
    before = path.read_bytes()

    with pytest.raises(ConfigError, match="of another program"):
        await SqliteStore(path, clock=SetClock()).open()

    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a?mode=memory", "a#b", "100%25", "file:x?mode=ro", ":memory:", "ä \udc80"])
async def test_a_path_names_exactly_that_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    store = SqliteStore(Path(name), clock=SetClock())
    await store.open()

    await store.add_results([a_result()])

    await store.close()
    assert [name] == [path.name for path in tmp_path.iterdir()]


async def test_damage_is_the_operators_at_opening_and_a_temporary_failure_while_running(store, tmp_path):
    path = tmp_path / "state" / "mailward.db"
    await store.add_results([a_result(number) for number in range(2000)])
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    await store.database.write(lambda db: db.exec_driver_sql("PRAGMA cache_size = 1"))
    with path.open("r+b") as file:
        file.write(b"Dear diary, " * (path.stat().st_size // 12))

    with pytest.raises(TemporaryFailure, match="is damaged"):
        await store.results(limit=2000)
    with pytest.raises(TemporaryFailure, match="is damaged"):
        await store.add_results([a_result()])
    with pytest.raises(ConfigError, match="is damaged"):
        await SqliteStore(path, clock=SetClock()).open()


async def test_a_row_that_cannot_be_read_is_a_temporary_failure(store):
    await store.add_results([a_result()])
    await store.database.write(lambda db: db.exec_driver_sql("UPDATE latest SET body = '{'"))

    with pytest.raises(TemporaryFailure, match="cannot be read"):
        await store.latest_results()


async def test_a_transcript_lives_on_without_its_result_and_goes_when_its_time_is_over(store):
    await store.add_results([a_result(transcript=("S: BYE",))])
    await store.database.write(lambda db: db.exec_driver_sql("DELETE FROM result"))

    async def kept() -> list[str]:
        return await store.database.read(lambda db: list(db.exec_driver_sql("SELECT lines FROM transcript").scalars()))

    assert ['["S: BYE"]'] == await kept()
    assert await store.tidy(now=NOON + timedelta(days=31), retention=Retention()) > 0
    assert [] == await kept()


@pytest.mark.parametrize(
    "query",
    [
        result_query(**{**NO_FILTER, **wanted})
        for wanted in (
            {},
            {"server": "s"},
            {"failed": True},
            {"probe": "p", "server": "s"},
            {"probe": "p", "server": "s", "target": "t"},
            {"server": "s", "since": NOON},
        )
    ]
    + [
        event_query(**{**ALL_EVENTS, **wanted})
        for wanted in (
            {},
            {"kinds": [EventKind.STORE_LOST]},
            {"kinds": [EventKind.STORE_LOST, EventKind.STORE_BACK], "newest_first": True},
            {"kinds": list(EventKind), "after": 5},
        )
    ],
)
async def test_no_question_a_person_asks_reads_or_sorts_a_whole_table(store, query):
    asked = str(query.limit(5).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))

    plan = await store.database.read(lambda db: [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")])

    assert [] == [step for step in plan if "TEMP B-TREE" in step or ("SCAN" in step and "INDEX" not in step)]


async def test_the_event_loop_has_next_to_no_work_with_ten_thousand_results(store):
    batch = [a_result(number) for number in range(10_000)]
    before = time.thread_time()

    await store.add_results(batch)
    found = await store.latest_results()

    assert time.thread_time() - before < 0.05
    assert 10_000 == len(found)
