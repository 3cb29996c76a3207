from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from mailward.ports.lease import Lease
from mailward.storage.lease import SqliteLease
from mailward.storage.sqlite import SqliteStore
from mailward.testing.memory_store import MemoryLease
from mailward.testing.platform import NOON, SetClock

FIVE = timedelta(seconds=5)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["memory", "sqlite"])
async def lease(request, tmp_path, clock) -> AsyncIterator[Lease]:
    if request.param == "memory":
        yield MemoryLease(clock=clock)
        return
    store = SqliteStore(tmp_path / "db", clock=clock)
    await store.open()
    yield SqliteLease(store.database)
    await store.close()


async def test_one_holds_it_until_its_time_is_over(lease, clock):
    held = await lease.take("lead", "a", for_=FIVE)

    assert (held.owner, held.fence, held.until) == ("a", 1, NOON + FIVE)
    assert await lease.take("lead", "b", for_=FIVE) is None
    clock.advance(FIVE)
    taken = await lease.take("lead", "b", for_=FIVE)
    assert ("b", 2) == (taken.owner, taken.fence)


async def test_renewing_prolongs_it(lease, clock):
    held = await lease.take("lead", "a", for_=FIVE)
    clock.advance(timedelta(seconds=3))

    renewed = await lease.renew(held, "lead", for_=FIVE)

    assert NOON + timedelta(seconds=8) == renewed.until
    assert held.fence == renewed.fence


async def test_what_was_lost_cannot_be_renewed_even_by_the_same_owner(lease, clock):
    held = await lease.take("lead", "a", for_=FIVE)
    clock.advance(FIVE)
    assert await lease.renew(held, "lead", for_=FIVE) is None
    await lease.take("lead", "a", for_=FIVE)

    assert await lease.renew(held, "lead", for_=FIVE) is None


async def test_a_clock_going_backwards_never_shortens_it(lease, clock):
    held = await lease.take("lead", "a", for_=FIVE)
    clock.advance(-timedelta(hours=1))

    renewed = await lease.renew(held, "lead", for_=FIVE)

    assert NOON + FIVE == renewed.until
    assert await lease.take("lead", "b", for_=FIVE) is None


async def test_a_released_lease_is_free_and_the_next_fence_is_higher(lease):
    held = await lease.take("lead", "a", for_=FIVE)
    await lease.release(held, "lead")

    taken = await lease.take("lead", "b", for_=FIVE)

    assert taken.fence == 2
    await lease.release(held, "lead")
    assert await lease.take("lead", "c", for_=FIVE) is None, "a late release must not free another's lease"


async def test_leases_of_other_names_are_strangers(lease):
    await lease.take("lead", "a", for_=FIVE)

    assert (await lease.take("tidy", "b", for_=FIVE)).fence == 1
