"""Events as server-sent events."""

import asyncio
import json

from mailward.model.wire import to_plain
from mailward.testing.manager_values import EVENTS
from mailward.web.stream import frame, frames


async def some(*events):
    for event in events:
        yield event


def test_a_message_carries_id_kind_and_one_line_of_data():
    lines = frame(EVENTS[1]).split("\n")

    assert ["id: 2", "event: monitor-changed"] == lines[:2]
    assert to_plain(EVENTS[1]) == json.loads(lines[2].removeprefix("data: "))
    assert ["", ""] == lines[3:]


async def test_the_stream_says_at_once_that_it_is_open_and_ends_with_the_events():
    received = [text async for text in frames(some(*EVENTS))]

    assert received[0].startswith(":")
    assert [frame(event) for event in EVENTS] == received[1:]


async def test_silence_is_filled_with_comments_and_loses_no_event():
    released = asyncio.Event()

    async def late():
        await released.wait()
        yield EVENTS[0]

    received = []
    async for text in frames(late(), keep_alive=0.001):
        received.append(text)
        if len(received) == 4:
            released.set()

    assert all(text.startswith(":") for text in received[:4])
    assert frame(EVENTS[0]) == received[-1]


async def test_a_reader_who_leaves_ends_the_following():
    ended = asyncio.Event()

    async def endless():
        try:
            while True:
                await asyncio.Event().wait()
                yield EVENTS[0]
        finally:
            ended.set()

    stream = frames(endless(), keep_alive=0.001)
    await anext(stream)
    await anext(stream)
    await stream.aclose()

    assert ended.is_set()
