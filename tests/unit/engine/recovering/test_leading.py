"""Who may act: a manager that is unsure whether it leads does not."""

import asyncio
from datetime import timedelta

import pytest

from mailward.engine.recovering import leading as leading_module
from mailward.engine.recovering.leading import LASTS, TRUSTED, Leading
from mailward.model.errors import TemporaryFailure
from mailward.testing.memory_store import MemoryLease
from mailward.testing.platform import SetClock


class Bench:
    def __init__(self) -> None:
        self.clock = SetClock()
        self.lease = MemoryLease(clock=self.clock)
        self.told: list[tuple[str, bool]] = []

    def a_manager(self, name: str, lease: object = None) -> Leading:
        return Leading(lease or self.lease, owner=name, on_change=lambda leads, _: self.told.append((name, leads)))


@pytest.fixture
async def bench() -> Bench:
    return Bench()


class Unreachable:
    """A lease in a store that is away."""

    async def take(self, *_: object, **__: object) -> None:
        raise TemporaryFailure("away")

    renew = release = take


async def test_the_first_leads_and_the_second_waits(bench):
    one, two = bench.a_manager("one"), bench.a_manager("two")

    await one.renew()
    await two.renew()

    assert one.held is not None
    assert two.held is None
    assert [("one", True)] == bench.told


async def test_whoever_does_not_renew_loses_it_and_the_next_has_a_higher_fence(bench):
    one, two = bench.a_manager("one"), bench.a_manager("two")
    await one.renew()
    first = one.held.fence

    bench.clock.advance(LASTS)
    await two.renew()
    await one.renew()

    assert one.held is None
    assert two.held.fence == first + 1
    assert [("one", True), ("two", True), ("one", False)] == bench.told


async def test_it_is_given_back_at_the_end(bench):
    one, two = bench.a_manager("one"), bench.a_manager("two")
    await one.renew()

    await one.release()
    await two.renew()

    assert one.held is None
    assert two.held is not None


async def test_a_store_that_is_away_takes_nothing_and_is_no_news(bench):
    lost = bench.a_manager("lost", Unreachable())

    await lost.renew()

    assert lost.held is None
    assert [] == bench.told


async def test_by_its_own_clock_it_stops_before_anybody_else_may_begin(bench):
    """The trust is counted from before the question was asked, and ends one second before the lease does."""
    assert TRUSTED <= LASTS - timedelta(seconds=1)
    loop, one = asyncio.get_running_loop(), bench.a_manager("one")
    before = loop.time()
    await one.renew()

    assert one._trusted_until <= before + TRUSTED.total_seconds() + 0.05


async def test_renewing_goes_on_by_itself_until_it_is_cancelled(bench):
    one = bench.a_manager("one")
    task = asyncio.create_task(one.run())
    async with asyncio.timeout(30):
        while one.held is None:
            await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert leading_module.RENEW_EVERY < TRUSTED / 2
