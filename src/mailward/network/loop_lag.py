"""
How late the event loop is: the part of a phase's time that is our own fault.

A timer rings every 50 ms; by how much it rings late is the lag. It runs while somebody asks and stops by itself.
"""

import asyncio
from collections import deque
from datetime import timedelta

PERIOD = 0.05
_REMEMBERED = 1.0
_IDLE_AFTER = 10.0


class LoopLag:
    """Measures the running loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = 0.0
        self._asked = 0.0
        self._seen: deque[tuple[float, float]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Measure from now on, for as long as somebody goes on asking."""
        loop = asyncio.get_running_loop()
        self._asked = loop.time()
        if self._timer is not None and self._loop is loop:
            return
        self._loop = loop
        self._seen.clear()
        self._set(loop)

    def worst(self) -> timedelta:
        """The worst lag of the last second, a timer that is late at this moment included."""
        self.watch()
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._forget(now)
        worst = max((lag for _, lag in self._seen), default=0.0)
        return timedelta(seconds=max(worst, now - self._due, 0.0))

    def _set(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + PERIOD
        self._timer = loop.call_at(self._due, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._seen.append((now, now - self._due))
        self._forget(now)
        if now - self._asked > _IDLE_AFTER:
            self._timer = None
            return
        self._set(loop)

    def _forget(self, now: float) -> None:
        while self._seen and self._seen[0][0] < now - _REMEMBERED:
            self._seen.popleft()
