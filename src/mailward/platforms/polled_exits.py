"""The end of a service where nothing tells of it: by looking again and again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from mailward.model.evidence import ServiceState, ServiceStatus


async def polled_exits(
    look: Callable[[], Awaitable[ServiceStatus]], *, every: timedelta
) -> AsyncIterator[ServiceStatus]:
    """
    Yield the status whenever the service has ended since the last look; at once when it is not running to begin with.

    One that ended and was started again between two looks is told as failed, where its process number shows it.

    Raises:
        TemporaryFailure: A look was not possible.
    """
    known: ServiceStatus | None = None
    while True:
        status = await look()
        if status.state.has_ended:
            if known is None or known.state is not status.state:
                yield status
        elif known is not None and known.pid is not None and status.pid not in (None, known.pid):
            because = f"process {known.pid} ended, and the service has been started again as {status.pid}"
            yield replace(status, state=ServiceState.FAILED, because=because, pid=None)
        known = status
        await asyncio.sleep(every.total_seconds())
