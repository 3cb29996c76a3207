"""
The live stream of the dashboard: that something changed, never what; the page then asks for itself anew.

However much happens, a browser is told once a second at most.
"""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mailward.model.event import Event
from mailward.ports.manager import Manager
from mailward.web.requests import asked
from mailward.web.routes import Routes

APART_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 10.0


async def _live(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    newest = await manager.events(limit=1, newest_first=True)
    events = manager.follow(after=newest[0].id if newest else 0)
    return StreamingResponse(
        changes(events),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def changes(
    events: AsyncIterator[Event], *, apart: float = APART_SECONDS, keep_alive: float = KEEP_ALIVE_SECONDS
) -> AsyncIterator[str]:
    """
    Yield the stream's text until *events* end.

    Args:
        events: What happens.
        apart: Seconds from one message to the next, at least.
        keep_alive: Seconds after which a message says that nothing happened, so that the page knows it is connected.
    """
    happened = asyncio.Event()
    newest = 0

    async def listen() -> None:
        nonlocal newest
        async for event in events:
            newest = event.id
            happened.set()

    listening = asyncio.ensure_future(listen())
    try:
        yield _message("connected", newest)
        while not listening.done():
            news = asyncio.ensure_future(happened.wait())
            await asyncio.wait({news, listening}, timeout=keep_alive, return_when=asyncio.FIRST_COMPLETED)
            if not news.done():
                news.cancel()
                if listening.done():
                    return
                yield _message("unchanged", newest)
                continue
            happened.clear()
            yield _message("changed", newest)
            await asyncio.wait({listening}, timeout=apart)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def _message(kind: str, newest: int) -> str:
    return f"event: {kind}\ndata: {json.dumps({'newest': newest})}\n\n"


READS: Routes = {"/live": _live}
