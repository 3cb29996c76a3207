"""
Events as they happen, as server-sent events (WHATWG HTML, section 9.2).

The event's id is the stream's id, so that a reader who lost the connection goes on with `Last-Event-ID` and misses
nothing. A comment goes out while nothing happens: a reader whose peer is gone notices by its absence.
"""

import asyncio
import json
from collections.abc import AsyncIterator

from mailward.model.event import Event
from mailward.model.wire import to_plain

KEEP_ALIVE_SECONDS = 10.0
_KEEP_ALIVE = ": nothing new\n\n"


def frame(event: Event) -> str:
    """Return *event* as one message of the stream."""
    data = json.dumps(to_plain(event), ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.id}\nevent: {event.kind.value}\ndata: {data}\n\n"


async def frames(events: AsyncIterator[Event], *, keep_alive: float = KEEP_ALIVE_SECONDS) -> AsyncIterator[str]:
    """Yield the stream's text until *events* end; *keep_alive* is in seconds."""
    yield ": events follow\n\n"  # the reader knows at once that it is connected
    following = asyncio.ensure_future(_next(events))
    try:
        while True:
            await asyncio.wait({following}, timeout=keep_alive)
            if not following.done():
                yield _KEEP_ALIVE
                continue
            event = following.result()
            if event is None:
                return
            yield frame(event)
            following = asyncio.ensure_future(_next(events))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)
