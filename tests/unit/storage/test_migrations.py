"""A database of an earlier version is brought up to date with all it holds."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from mailward.storage.migrations import APPLICATION_ID, STEPS
from mailward.storage.sqlite import SqliteStore
from mailward.storage.tables import metadata
from mailward.testing.platform import NOON, SetClock

_1970 = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("version", range(1, len(STEPS)))
async def test_an_older_database_is_brought_up_to_date_with_all_it_holds(tmp_path, version):
    path = tmp_path / "db"
    with closing(sqlite3.connect(path)) as old:
        for step in STEPS[:version]:
            for statement in step:
                old.execute(statement)
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute(f"PRAGMA user_version = {version}")
        body = '{"at":"2026-11-24T12:00:00.000Z","kind":"store-back","subject":"store","because":"it is back"}'
        old.execute("INSERT INTO event (at, kind, subject, body) VALUES (0, 'store-back', 'store', ?)", (body,))
        old.execute("INSERT INTO rollup VALUES ('ImapCTPProbe', 'proxy1', 'DB1', '', 0, 7, 1, 70, 20)")
        old.commit()

    store = SqliteStore(path, clock=SetClock())
    await store.open()

    assert [(1, NOON, "it is back")] == [(event.id, event.at, event.because) for event in await store.events()]
    (rollup,) = await store.rollups(probe="ImapCTPProbe", server="proxy1", target="DB1", since=_1970)
    assert (7, 1, timedelta(microseconds=20)) == (rollup.count, rollup.failures, rollup.took_max)
    await store.close()
    with closing(sqlite3.connect(path)) as new:
        assert (len(STEPS),) == new.execute("PRAGMA user_version").fetchone()


async def test_the_tables_are_those_the_code_reads(tmp_path):
    store = SqliteStore(tmp_path / "db", clock=SetClock())
    await store.open()

    def columns(db) -> dict[str, set[str]]:
        names = db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        ours = [name for name in names if not name.startswith("sqlite_")]
        return {name: {row[1] for row in db.exec_driver_sql(f"PRAGMA table_info({name})")} for name in ours}

    made = await store.database.read(columns)

    assert {table.name: set(table.columns.keys()) for table in metadata.sorted_tables} == made
    await store.close()
