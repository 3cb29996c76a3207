"""Two processes on one file, and a file that is gone: what the outbox's contract cannot show in one store."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from mailward.model.alerting import Alert, AlertStatus, Notice, Urgency
from mailward.model.errors import TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.storage.outbox import SqliteOutbox
from mailward.storage.sqlite import SqliteStore
from mailward.testing.platform import NOON, SetClock

MINUTE = timedelta(minutes=1)
ALERT = Alert(
    key="mailbox server/be1",
    status=AlertStatus.FIRING,
    urgency=Urgency.CRITICAL,
    title="be1 is down",
    text="Its self test fails.",
    starts_at=NOON,
)
EVENT = Event(at=NOON, kind=EventKind.ALERT_CHANGED, subject="be1", because="it fires")


def a_notice(identity: str) -> Notice:
    return Notice(channel="post", identity=identity, alert=ALERT, created_at=NOON, next_try=NOON)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "db"


@pytest.fixture
async def stores(path):
    made = [SqliteStore(path, clock=SetClock(), busy_timeout=timedelta(milliseconds=50)) for _ in range(2)]
    for store in made:
        await store.open()
    yield made
    for store in made:
        await store.close()


async def test_of_two_processes_one_queues_and_one_claims(stores):
    one, other = (SqliteOutbox(store.database) for store in stores)

    queued = [await outbox.save_alerts([ALERT], [a_notice("a")]) for outbox in (one, other)]
    claimed = [await outbox.claim(now=NOON, until=NOON + MINUTE) for outbox in (other, one)]

    assert [1, 0] == [len(notices) for notices in queued]
    assert [1, 0] == [len(notices) for notices in claimed]


async def test_nothing_is_queued_or_claimed_while_another_process_has_the_file_locked(stores, path):
    outbox = SqliteOutbox(stores[0].database)
    (queued,) = await outbox.save_alerts([ALERT], [a_notice("a")])

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for call in (
            lambda: outbox.save_alerts([], [a_notice("b")], [EVENT]),
            lambda: outbox.claim(now=NOON, until=NOON + MINUTE),
            lambda: outbox.finish(queued),
        ):
            with pytest.raises(TemporaryFailure, match="is locked"):
                await call()

    assert (queued,) == await outbox.waiting()
    assert () == await stores[0].events()


async def test_notices_wait_over_a_restart(path):
    store = SqliteStore(path, clock=SetClock())
    await store.open()
    queued = await SqliteOutbox(store.database).save_alerts([ALERT], [a_notice("a"), a_notice("b")])
    await store.close()

    again = SqliteStore(path, clock=SetClock())
    await again.open()

    outbox = SqliteOutbox(again.database)
    assert queued == await outbox.waiting()
    assert (ALERT,) == await outbox.alerts()
    assert () == await outbox.save_alerts([], [a_notice("a")])
    await again.close()
