import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.storage.sqlite import SqliteStore
from mailward.testing.platform import SetClock


@pytest.fixture
async def store(tmp_path):
    made = SqliteStore(tmp_path / "db", clock=SetClock(), busy_timeout=timedelta(milliseconds=50))
    await made.open()
    yield made
    await made.close()


async def test_a_store_that_can_be_written_passes_and_nothing_is_left_of_the_trial(store):
    await store.check_writable()

    def look(db) -> tuple[int, int]:
        counted = db.exec_driver_sql("SELECT count(*) FROM transcript").scalar_one()
        return counted, db.exec_driver_sql("PRAGMA cache_size").scalar_one()

    assert (0, -2000) == await store.database.read(look)


async def test_the_trial_reaches_the_disk(store, tmp_path):
    log = tmp_path / "db-wal"
    before = log.stat().st_size

    await store.check_writable()

    assert log.stat().st_size > before + 200_000


async def test_a_disk_that_is_full_is_said_with_what_to_do(store):
    pages = await store.database.read(lambda db: db.exec_driver_sql("PRAGMA page_count").scalar_one())
    await store.database.write(lambda db: db.exec_driver_sql(f"PRAGMA max_page_count = {pages}"))

    with pytest.raises(TemporaryFailure, match="make room"):
        await store.check_writable()

    await store.database.write(lambda db: db.exec_driver_sql("PRAGMA max_page_count = 100000"))
    await store.check_writable()


async def test_a_file_another_process_has_locked_is_said(store, tmp_path):
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TemporaryFailure, match="is locked"):
            await store.check_writable()
