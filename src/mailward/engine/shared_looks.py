"""One look for all who ask at the same time: however many ask, what is looked at is asked once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Seen = TypeVar("Seen")


class SharedLooks(Generic[Seen]):
    """A look costs its host a program or two; readers must not be able to start any number of them."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[Seen]] = {}

    async def look(self, at: str, looking: Callable[[], Coroutine[Any, Any, Seen]]) -> Seen:
        """
        Return what *looking* sees of *at*, or raise what it raises; one that is under way is waited for.

        Who asks and goes away does not end it for the others.
        """
        task = self._under_way.get(at)
        if task is None:
            task = asyncio.create_task(looking(), name=f"look at {at}")
            self._under_way[at] = task
            task.add_done_callback(lambda ended: self._end(at, ended))
        return await asyncio.shield(task)

    def _end(self, at: str, task: asyncio.Task[Seen]) -> None:
        del self._under_way[at]
        if not task.cancelled():
            task.exception()  # nobody may be waiting any more
