"""The live stream: that something changed, once a second at most."""

import asyncio
import json
from dataclasses import replace

from mailward.testing.manager_values import EVENTS
from mailward.web.pages.live import changes


class Happening:
    """Events as a test lets them happen."""

    def __init__(self):
        self.queue = asyncio.Queue()
        self.closed = False

    def happen(self, number):
        self.queue.put_nowait(replace(EVENTS[0], id=number))

    def end(self):
        self.queue.put_nowait(None)

    async def events(self):
        try:
            while (event := await self.queue.get()) is not None:
                yield event
        finally:
            self.closed = True


def read(message):
    kind, data, *_ = message.split("\n")
    return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))["newest"]


async def test_a_storm_of_events_is_one_message_and_what_comes_meanwhile_another():
    happening = Happening()
    stream = changes(happening.events(), apart=0.2)
    assert ("connected", 0) == read(await anext(stream))
    for number in range(1, 1001):
        happening.happen(number)

    first = read(await anext(stream))
    happening.happen(2000)
    began = asyncio.get_running_loop().time()
    second = read(await anext(stream))

    assert ("changed", 1000) == first
    assert ("changed", 2000) == second
    assert asyncio.get_running_loop().time() - began >= 0.19
    await stream.aclose()


async def test_silence_is_told_so_that_the_page_knows_it_is_connected():
    stream = changes(Happening().events(), keep_alive=0.01)
    await anext(stream)

    assert "unchanged" == read(await anext(stream))[0]
    await stream.aclose()


async def test_it_ends_with_the_manager():
    happening = Happening()
    stream = changes(happening.events(), apart=0)
    await anext(stream)
    happening.end()

    assert [] == [message async for message in stream]


async def test_a_reader_who_leaves_ends_the_listening():
    happening = Happening()
    stream = changes(happening.events(), apart=0)
    await anext(stream)
    happening.happen(1)
    await anext(stream)

    await stream.aclose()

    assert happening.closed
