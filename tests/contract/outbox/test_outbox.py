"""What every Outbox keeps; an implementation joins by adding itself to `outbox`."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model.alerting import Alert, AlertStatus, Notice, Urgency
from mailward.model.event import Event, EventKind
from mailward.ports.outbox import Outbox
from mailward.ports.store import Retention, Store
from mailward.storage.outbox import SqliteOutbox
from mailward.storage.sqlite import SqliteStore
from mailward.testing.memory_outbox import MemoryOutbox
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import NOON, SetClock

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path, clock) -> AsyncIterator[Store]:
    made: Store = MemoryStore(clock=clock) if request.param == "memory" else SqliteStore(tmp_path / "db", clock=clock)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def told() -> list[None]:
    return []


@pytest.fixture
async def outbox(store, told) -> Outbox:
    if isinstance(store, SqliteStore):
        return SqliteOutbox(store.database, stored=lambda: told.append(None))
    return MemoryOutbox(store, stored=lambda: told.append(None))


def an_alert(key: str = "mailbox server/be1", status: AlertStatus = AlertStatus.FIRING, **changes: object) -> Alert:
    fields: dict[str, object] = {
        "key": key,
        "status": status,
        "urgency": Urgency.CRITICAL,
        "title": "be1 does not serve IMAP",
        "text": "Its self test fails.",
        "starts_at": NOON,
        "labels": {"server": "be1"},
    }
    return Alert(**{**fields, **changes})  # type: ignore[arg-type]


def a_notice(identity: str = "be1/1", **changes: object) -> Notice:
    fields: dict[str, object] = {
        "channel": "post",
        "identity": identity,
        "alert": an_alert(),
        "created_at": NOON,
        "next_try": NOON,
    }
    return Notice(**{**fields, **changes})  # type: ignore[arg-type]


def an_event(because: str) -> Event:
    return Event(at=NOON, kind=EventKind.ALERT_CHANGED, subject="be1", because=because)


async def queue(outbox: Outbox, *identities: str, **changes: object) -> tuple[Notice, ...]:
    return await outbox.save_alerts([], [a_notice(identity, **changes) for identity in identities])


async def claimed(outbox: Outbox, *, now=NOON, until=NOON + MINUTE, limit=20) -> list[str]:
    return [notice.identity for notice in await outbox.claim(now=now, until=until, limit=limit)]


async def test_notices_are_queued_with_their_alerts_and_events(outbox, store, told):
    (queued,) = await outbox.save_alerts([an_alert()], [a_notice()], [an_event("it fires")])

    assert a_notice(id=queued.id) == queued
    assert queued.id > 0
    assert (queued,) == await outbox.waiting() == await outbox.history()
    assert (an_alert(),) == await outbox.alerts()
    assert (["it fires"], 1) == ([event.because for event in await store.events()], len(told))


async def test_a_notice_is_never_queued_twice_whoever_asks(outbox, store):
    (first,) = await queue(outbox, "be1/1")

    second = await outbox.save_alerts([], [a_notice("be1/1", channel="hook"), a_notice("be1/2"), a_notice("be1/2")])

    assert ["be1/2"] == [notice.identity for notice in second]
    assert ["be1/1", "be1/2"] == [notice.identity for notice in await outbox.waiting()]
    await outbox.finish(replace(first, sent_at=NOON))
    assert () == await queue(outbox, "be1/1"), "not after it was sent either"


async def test_of_many_that_queue_the_same_notice_at_once_one_does(outbox):
    queued = await asyncio.gather(*(queue(outbox, "be1/1") for _ in range(5)))

    assert 1 == sum(len(each) for each in queued)


async def test_an_alert_is_replaced_by_its_key(outbox):
    await outbox.save_alerts([an_alert(), an_alert("store/DB1")], [])
    await outbox.save_alerts([an_alert(urgency=Urgency.WARNING)], [])

    assert [("mailbox server/be1", Urgency.WARNING), ("store/DB1", Urgency.CRITICAL)] == [
        (alert.key, alert.urgency) for alert in await outbox.alerts()
    ]


@pytest.mark.parametrize("ends_at", [NOON, None])
async def test_a_resolved_alert_is_known_for_a_day(outbox, clock, ends_at):
    await outbox.save_alerts([an_alert(), an_alert("store/DB1")], [])
    await outbox.save_alerts([an_alert(status=AlertStatus.RESOLVED, ends_at=ends_at)], [])
    clock.advance(DAY)
    assert 2 == len(await outbox.alerts())

    clock.advance(timedelta(milliseconds=1))

    assert ["store/DB1"] == [alert.key for alert in await outbox.alerts()]


async def test_an_alert_that_fires_again_is_known_again(outbox, clock):
    await outbox.save_alerts([an_alert(status=AlertStatus.RESOLVED, ends_at=NOON)], [])
    await outbox.save_alerts([an_alert()], [])
    clock.advance(2 * DAY)

    assert (an_alert(),) == await outbox.alerts()


async def test_what_is_due_is_claimed_the_longest_due_first(outbox):
    await queue(outbox, "later", next_try=NOON + MINUTE)
    await queue(outbox, "second", "third", next_try=NOON)
    await queue(outbox, "first", next_try=NOON - MINUTE)

    assert ["first", "second"] == await claimed(outbox, until=NOON + DAY, limit=2)
    assert ["third"] == await claimed(outbox, until=NOON + DAY)
    assert [] == await claimed(outbox, now=NOON + MINUTE - timedelta(milliseconds=1), until=NOON + DAY)
    assert ["later"] == await claimed(outbox, now=NOON + MINUTE, until=NOON + DAY)


async def test_a_claim_tells_until_when(outbox):
    await queue(outbox, "a")

    (notice,) = await outbox.claim(now=NOON, until=NOON + MINUTE)

    assert NOON + MINUTE == notice.claimed_until
    assert (notice,) == await outbox.waiting()


async def test_of_two_that_claim_at_once_each_notice_goes_to_one(outbox):
    await queue(outbox, *(f"n{number}" for number in range(20)))

    taken = await asyncio.gather(*(claimed(outbox, limit=10) for _ in range(4)))

    assert [f"n{number}" for number in range(20)] == sorted(
        (name for names in taken for name in names), key=lambda name: int(name[1:])
    )


async def test_a_claim_that_ran_out_is_taken_by_the_next(outbox):
    await queue(outbox, "a")
    await claimed(outbox)

    assert [] == await claimed(outbox, now=NOON + MINUTE - timedelta(milliseconds=1), until=NOON + 2 * MINUTE)
    assert ["a"] == await claimed(outbox, now=NOON + MINUTE, until=NOON + 2 * MINUTE)


@pytest.mark.parametrize("how", ["sent_at", "gave_up_at"])
async def test_what_was_sent_or_given_up_is_over(outbox, how):
    await queue(outbox, "a")
    (notice,) = await outbox.claim(now=NOON, until=NOON + MINUTE)
    finished = replace(notice, attempts=1, **{how: NOON})

    await outbox.finish(finished)

    assert () == await outbox.waiting()
    assert [] == await claimed(outbox, now=NOON + DAY, until=NOON + 2 * DAY)
    assert (replace(finished, claimed_until=None),) == await outbox.history()


async def test_what_failed_is_due_again_at_its_next_try_and_says_why(outbox):
    await queue(outbox, "a")
    (notice,) = await outbox.claim(now=NOON, until=NOON + MINUTE)

    await outbox.finish(
        replace(notice, attempts=1, next_try=NOON + timedelta(seconds=10), last_error="421 try again later")
    )

    (waiting,) = await outbox.waiting()
    assert (None, 1, "421 try again later") == (waiting.claimed_until, waiting.attempts, waiting.last_error)
    assert [] == await claimed(outbox, now=NOON + timedelta(seconds=9))
    assert ["a"] == await claimed(outbox, now=NOON + timedelta(seconds=10), until=NOON + 2 * MINUTE)


async def test_who_lost_its_claim_cannot_end_anothers(outbox):
    await queue(outbox, "a")
    (slow,) = await outbox.claim(now=NOON, until=NOON + MINUTE)
    (quick,) = await outbox.claim(now=NOON + MINUTE, until=NOON + 2 * MINUTE)

    await outbox.finish(replace(slow, attempts=1, last_error="too slow"))

    assert (quick,) == await outbox.waiting()


async def test_what_was_sent_stays_sent_whoever_else_failed_with_it(outbox):
    await queue(outbox, "a")
    (slow,) = await outbox.claim(now=NOON, until=NOON + MINUTE)
    (quick,) = await outbox.claim(now=NOON + MINUTE, until=NOON + 2 * MINUTE)

    await outbox.finish(replace(slow, sent_at=NOON + MINUTE))
    await outbox.finish(replace(quick, attempts=1, next_try=NOON + 2 * MINUTE, last_error="refused"))

    assert () == await outbox.waiting()
    assert [NOON + MINUTE] == [notice.sent_at for notice in await outbox.history()]


async def test_a_notice_that_is_not_there_is_passed_over(outbox):
    (queued,) = await queue(outbox, "a")

    await outbox.finish(replace(queued, id=queued.id + 1, sent_at=NOON))
    await outbox.finish(replace(queued, identity="of another database", sent_at=NOON))

    assert (queued,) == await outbox.waiting()


async def test_history_is_newest_first(outbox):
    await queue(outbox, "a", "b", "c")

    assert ["c", "b"] == [notice.identity for notice in await outbox.history(limit=2)]


async def test_nothing_to_store_is_no_error(outbox, told):
    assert () == await outbox.save_alerts([], [])
    assert () == await outbox.alerts()
    assert [] == told


async def test_what_is_over_is_kept_for_a_year_and_what_waits_for_ever(outbox, store):
    sent, given_up, _ = await queue(outbox, "sent", "given up", "waits")
    await outbox.finish(replace(sent, sent_at=NOON))
    await outbox.finish(replace(given_up, gave_up_at=NOON))
    await outbox.save_alerts([an_alert("old", AlertStatus.RESOLVED, ends_at=NOON), an_alert("fires")], [])
    year = Retention().operations

    assert 0 == await store.tidy(now=NOON + year, retention=Retention())
    assert 3 == await store.tidy(now=NOON + year + MINUTE, retention=Retention())

    assert ["waits"] == [notice.identity for notice in await outbox.history()]
    assert ["fires"] == [alert.key for alert in await outbox.alerts()]


async def test_an_alert_is_found_by_its_key_long_after_it_was_resolved(outbox):
    resolved = an_alert(status=AlertStatus.RESOLVED, ends_at=NOON - timedelta(days=30))
    await outbox.save_alerts([resolved, an_alert("store/DB1")], [])

    assert resolved == await outbox.alert(resolved.key)
    assert an_alert("store/DB1") == await outbox.alert("store/DB1")
    assert await outbox.alert("store") is None


async def test_the_notices_of_one_alert_are_found_the_newest_first(outbox):
    await queue(outbox, "store/DB1|1|post", "store/DB10|1|post", "store/DB1|2|post", "store/DB1/x|1|post")

    found = await outbox.notices_of("store/DB1")

    assert ["store/DB1|2|post", "store/DB1|1|post"] == [notice.identity for notice in found]
    assert ["store/DB1|2|post"] == [notice.identity for notice in await outbox.notices_of("store/DB1", limit=1)]
    assert () == await outbox.notices_of("store")
