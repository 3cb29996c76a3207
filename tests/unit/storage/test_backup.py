import asyncio
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.probing import ProbeResult, ResultType
from mailward.storage.backup import copy_to
from mailward.storage.sqlite import SqliteStore
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import NOON, SetClock


def a_result(number: int = 0) -> ProbeResult:
    return ProbeResult(
        probe="ImapSelfTestProbe",
        health_set="IMAP.Protocol",
        server="mbx1",
        target=f"t{number}",
        at=NOON,
        took=timedelta(0),
        result=ResultType.FAILED,
        transcript=("S: " + "x" * 2000,),
    )


@pytest.fixture
async def store(tmp_path):
    made = SqliteStore(tmp_path / "state" / "mailward.db", clock=SetClock())
    await made.open()
    yield made
    await made.close()


async def results_in(path: Path) -> tuple[ProbeResult, ...]:
    store = SqliteStore(path, clock=SetClock())
    await store.open()
    found = await store.results(limit=100_000)
    await store.close()
    return found


async def test_a_backup_holds_all_that_was_stored_for_its_owner_alone(store, tmp_path):
    await store.add_results([a_result(number) for number in range(10)])

    size = await store.backup(str(tmp_path / "backup"))

    assert ["backup", "state"] == sorted(path.name for path in tmp_path.iterdir()), "one file, without companions"
    assert (size, 0o600) == ((tmp_path / "backup").stat().st_size, stat.S_IMODE((tmp_path / "backup").stat().st_mode))
    assert await store.results() == await results_in(tmp_path / "backup")


async def test_a_backup_put_in_the_stores_place_is_the_store(store, tmp_path):
    (event,) = await store.save_statuses([], [Event(at=NOON, kind=EventKind.STORE_BACK, subject="a", because="b")])
    await store.backup(str(tmp_path / "backup"))
    await store.close()
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    (tmp_path / "backup").rename(tmp_path / "state" / "mailward.db")

    restored = SqliteStore(tmp_path / "state" / "mailward.db", clock=SetClock())
    await restored.open()

    assert (event,) == await restored.events()
    await restored.check_writable()
    await restored.close()


async def test_probing_and_storing_go_on_while_a_backup_is_made_and_it_is_of_one_moment(store, tmp_path):
    for _ in range(20):
        await store.add_results([a_result(number) for number in range(500)])
    making = asyncio.create_task(store.backup(str(tmp_path / "backup")))
    stored_meanwhile = 0
    while not making.done():
        await store.add_results([a_result(number) for number in range(7)])
        stored_meanwhile += 1
    await making

    found = await results_in(tmp_path / "backup")
    assert stored_meanwhile > 0
    assert 10_000 <= len(found) <= 10_000 + 7 * stored_meanwhile
    assert 0 == (len(found) - 10_000) % 7, "no half of a batch"
    assert 10_000 + 7 * stored_meanwhile == len(await store.results(limit=100_000))


@pytest.mark.parametrize("there", ["file", "directory", "dangling link", "unfinished backup"])
async def test_what_exists_is_never_replaced(store, tmp_path, there):
    target = tmp_path / "backup"
    if there == "file":
        target.write_text("precious")
    elif there == "directory":
        target.mkdir()
    elif there == "dangling link":
        target.symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / "backup.part").write_text("precious")
    before = sorted((path.name, path.is_file() and path.read_text()) for path in tmp_path.glob("backup*"))

    with pytest.raises(Refused, match="exists"):
        await store.backup(str(target))

    assert before == sorted((path.name, path.is_file() and path.read_text()) for path in tmp_path.glob("backup*"))
    assert not (tmp_path / "elsewhere").exists()


async def test_a_file_that_comes_while_the_backup_is_made_is_not_replaced(store, tmp_path):
    path = tmp_path / "backup"

    class Comes(threading.Event):
        def is_set(self) -> bool:
            path.write_text("precious")
            return False

    with pytest.raises(Refused, match="exists"):
        await asyncio.to_thread(copy_to, store.database.path, path, Comes())

    assert ["precious"] == [found.read_text() for found in tmp_path.glob("backup*")]


async def test_a_relative_path_is_refused(store):
    with pytest.raises(Refused, match="no absolute path"):
        await store.backup("backup")


async def test_a_directory_that_is_not_there_is_said(store, tmp_path):
    with pytest.raises(Refused, match="cannot be written .No such file or directory"):
        await store.backup(str(tmp_path / "nowhere" / "backup"))


async def test_a_backup_that_is_stopped_leaves_nothing(store, tmp_path):
    await store.add_results([a_result(number) for number in range(2000)])
    stop = threading.Event()
    stop.set()

    with pytest.raises(TemporaryFailure, match="it was stopped"):
        await asyncio.to_thread(copy_to, store.database.path, tmp_path / "backup", stop)

    assert ["state"] == [path.name for path in tmp_path.iterdir()]


async def test_the_end_of_the_program_does_not_wait_for_a_backup_on_a_disk_that_hangs(store, tmp_path):
    await store.add_results([a_result(number) for number in range(2000)])
    making = asyncio.create_task(store.backup(str(tmp_path / "backup")))

    threads: list[threading.Thread] = []
    while not threads:
        await asyncio.sleep(0)
        threads = [thread for thread in threading.enumerate() if thread.name == "backup"]

    assert all(thread.daemon for thread in threads)
    await making


async def test_a_backup_nobody_waits_for_any_more_removes_what_it_wrote(store, tmp_path):
    await store.add_results([a_result(number) for number in range(5000)])
    making = asyncio.create_task(store.backup(str(tmp_path / "backup")))
    while not (tmp_path / "backup.part").exists():
        await asyncio.sleep(0)

    making.cancel()
    await asyncio.gather(making, return_exceptions=True)

    assert ["state"] == [path.name for path in tmp_path.iterdir()]


async def test_a_damaged_store_makes_no_backup_and_says_so(store, tmp_path):
    await store.add_results([a_result(number) for number in range(2000)])
    await store.close()
    path = tmp_path / "state" / "mailward.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"Dear diary, " * 5000)

    with pytest.raises(TemporaryFailure, match=r"mailward\.db is damaged"):
        await asyncio.to_thread(copy_to, path, tmp_path / "backup", threading.Event())

    assert not list(tmp_path.glob("backup*"))


async def test_a_store_that_is_closed_makes_no_backup(store, tmp_path):
    await store.close()

    with pytest.raises(TemporaryFailure, match="is closed"):
        await store.backup(str(tmp_path / "backup"))

    assert not (tmp_path / "backup").exists()


async def test_a_store_in_memory_has_nothing_to_copy(tmp_path):
    with pytest.raises(Refused, match="has no file"):
        await MemoryStore(clock=SetClock()).backup(str(tmp_path / "backup"))
