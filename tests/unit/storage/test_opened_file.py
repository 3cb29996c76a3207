"""What happens when the store's file is taken away or another is put in its place while it is in use."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.probing import ProbeResult, ResultType
from mailward.storage.sqlite import SqliteStore
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
    )


@pytest.fixture
async def store(tmp_path):
    made = SqliteStore(tmp_path / "state" / "mailward.db", clock=SetClock())
    await made.open()
    yield made
    await made.close()


async def test_a_file_that_was_removed_is_told_and_a_new_one_begun(store, tmp_path):
    await store.add_results([a_result()])
    for path in (tmp_path / "state").iterdir():
        path.unlink()

    with pytest.raises(TemporaryFailure, match="was removed or replaced"):
        await store.add_results([a_result(1)])
    await store.add_results([a_result(2)])

    assert ["t2"] == [result.target for result in await store.results()]
    await store.close()
    assert ["t2"] == await targets_in(tmp_path / "state" / "mailward.db")


async def test_a_file_moved_away_holds_all_that_was_stored_and_its_place_is_clean(store, tmp_path):
    await store.add_results([a_result(number) for number in range(3)])
    path = tmp_path / "state" / "mailward.db"
    path.rename(tmp_path / "old")

    with pytest.raises(TemporaryFailure, match="was removed or replaced"):
        await store.results()

    assert await store.results() == ()
    assert ["t2", "t1", "t0"] == await targets_in(tmp_path / "old")


async def test_a_backup_put_in_place_is_used_as_it_was(store, tmp_path):
    backup = SqliteStore(tmp_path / "backup", clock=SetClock())
    await backup.open()
    await backup.add_results([a_result(7)])
    await backup.close()
    await store.add_results([a_result(number) for number in range(3)])
    (tmp_path / "backup").rename(tmp_path / "state" / "mailward.db")

    with pytest.raises(TemporaryFailure, match="was removed or replaced"):
        await store.add_results([a_result(8)])

    assert ["t7"] == [result.target for result in await store.results()]


async def test_event_numbers_go_on_growing_when_the_file_was_replaced(store, tmp_path):
    event = Event(at=NOON, kind=EventKind.STORE_BACK, subject="a", because="b")
    *_, last = await store.save_statuses([], [event, event])
    (tmp_path / "state" / "mailward.db").unlink()
    with pytest.raises(TemporaryFailure):
        await store.events()

    added = await store.save_statuses([], [event, event])

    assert [last.id + 1, last.id + 2] == [event.id for event in added]
    assert added == await store.events(after=last.id)


async def test_another_programs_database_put_in_place_is_a_temporary_failure(store, tmp_path):
    path = tmp_path / "state" / "mailward.db"
    with sqlite3.connect(tmp_path / "foreign") as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    raw.close()
    (tmp_path / "foreign").rename(path)

    with pytest.raises(TemporaryFailure, match="was removed or replaced"):
        await store.results()
    with pytest.raises(TemporaryFailure, match="of another program"):
        await store.results()
    path.unlink()

    assert await store.results() == ()


async def targets_in(path: Path) -> list[str]:
    store = SqliteStore(path, clock=SetClock())
    await store.open()
    found = [result.target for result in await store.results()]
    await store.close()
    return found
