import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.holds import Hold, HoldKind
from mailward.storage.holds import SqliteHolds
from mailward.storage.sqlite import SqliteStore
from mailward.testing.platform import NOON, SetClock

EVENT = Event(at=NOON, kind=EventKind.HOLD_BEGAN, subject="be1", because="new disks")


def a_hold(reason: str = "new disks") -> Hold:
    return Hold(kind=HoldKind.MAINTENANCE, subject="be1", value="on", owner="ana", reason=reason, since=NOON)


async def test_holds_are_in_force_again_after_a_restart(tmp_path):
    store = SqliteStore(tmp_path / "db", clock=SetClock())
    await store.open()
    added = await SqliteHolds(store.database).add(a_hold())
    await store.close()

    again = SqliteStore(tmp_path / "db", clock=SetClock())
    await again.open()

    assert (added,) == await SqliteHolds(again.database).present(now=NOON)
    await again.close()


async def test_nothing_is_held_or_ended_while_another_process_has_the_file_locked(tmp_path):
    store = SqliteStore(tmp_path / "db", clock=SetClock(), busy_timeout=timedelta(milliseconds=50))
    await store.open()
    holds = SqliteHolds(store.database)
    added = await holds.add(a_hold())

    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TemporaryFailure, match="is locked"):
            await holds.add(a_hold("longer"), [EVENT])
        with pytest.raises(TemporaryFailure, match="is locked"):
            await holds.end(added.id, at=NOON, by="ana", events=[EVENT])

    assert (added,) == await holds.history()
    assert () == await store.events()
    await store.close()


async def test_a_hold_that_cannot_be_stored_leaves_the_one_it_would_replace(tmp_path):
    store = SqliteStore(tmp_path / "db", clock=SetClock())
    await store.open()
    holds = SqliteHolds(store.database)
    added = await holds.add(a_hold())
    unstorable = Event(at=NOON, kind=EventKind.HOLD_BEGAN, subject="be1", because="", data={"set": object()})

    with pytest.raises(TypeError):
        await holds.add(a_hold("longer"), [EVENT, unstorable])

    assert (added,) == await holds.present(now=NOON)
    await store.close()
