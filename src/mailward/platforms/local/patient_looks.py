"""
Looking at files of this machine with patience.

Each look is a daemon thread of its own, at most one at each path at a time: a path on a hung file system costs one
thread, not one more for every look, and keeps mailward from nothing, ending included.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from threading import Thread
from typing import TypeVar

from mailward.model.errors import TemporaryFailure

#: How long one look may take before its file system counts as hung.
PATIENCE = timedelta(seconds=5)
_T = TypeVar("_T")


class PatientLooks:
    """Looks at paths of one server's host."""

    def __init__(self, whose: str, *, patience: timedelta = PATIENCE) -> None:
        """
        Args:
            whose: The server, named in errors.
            patience: How long one look may take before its file system counts as hung.
        """
        self._whose = whose
        self._patience = patience.total_seconds()
        self._looking: set[str] = set()

    async def look(self, path: str, look: Callable[[], _T]) -> _T:
        """
        Return what *look* finds at *path*.

        Raises:
            TemporaryFailure: The path cannot be read, or its file system does not answer.
        """
        if path in self._looking:
            raise TemporaryFailure(f"{path} on {self._whose} has not answered an earlier look yet")
        self._looking.add(path)

        def looked() -> _T:
            try:
                return look()
            finally:
                self._looking.discard(path)

        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.wrap_future(_in_own_thread(looked))
        except TimeoutError as error:
            raise TemporaryFailure(f"{path} on {self._whose} does not answer: its file system hangs") from error
        except OSError as error:
            raise TemporaryFailure(f"{path} on {self._whose}: {error.strerror or error}") from error


def _in_own_thread(look: Callable[[], _T]) -> "Future[_T]":
    """Run it in a daemon thread: one that hangs must neither use up a pool nor keep mailward from ending."""
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(look())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            if not future.cancelled():
                future.set_exception(error)

    Thread(target=run, daemon=True, name="look at a file system").start()
    return future
