import asyncio

from mailward.engine.shared_looks import SharedLooks
from mailward.model.errors import TemporaryFailure


class Host:
    """Answers when told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()
        self.failure: TemporaryFailure | None = None

    async def look(self) -> int:
        self.asked += 1
        number = self.asked
        await self.answers.wait()
        if self.failure is not None:
            raise self.failure
        return number


async def test_whoever_asks_while_a_look_is_under_way_gets_what_it_sees():
    host, looks = Host(), SharedLooks[int]()
    readers = [asyncio.create_task(looks.look("be1", host.look)) for _ in range(50)]
    await asyncio.sleep(0)
    host.answers.set()

    assert [1] * 50 == await asyncio.gather(*readers)
    assert 2 == await looks.look("be1", host.look), "a look that is over is not news any more"


async def test_different_servers_do_not_wait_for_each_other():
    slow, quick, looks = Host(), Host(), SharedLooks[int]()
    waiting = asyncio.create_task(looks.look("be1", slow.look))
    quick.answers.set()

    assert 1 == await looks.look("be2", quick.look)

    slow.answers.set()
    await waiting


async def test_a_reader_that_goes_away_does_not_take_the_look_from_the_others():
    host, looks = Host(), SharedLooks[int]()
    leaves, stays = (asyncio.create_task(looks.look("be1", host.look)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    host.answers.set()

    assert 1 == await stays
    assert leaves.cancelled()


async def test_a_look_that_fails_fails_for_all_who_waited_and_the_next_looks_again():
    host, looks = Host(), SharedLooks[int]()
    host.failure = TemporaryFailure("the host cannot be asked")
    host.answers.set()

    seen = await asyncio.gather(*(looks.look("be1", host.look) for _ in range(2)), return_exceptions=True)
    host.failure = None

    assert ["the host cannot be asked"] * 2 == [str(each) for each in seen]
    assert 2 == await looks.look("be1", host.look)
