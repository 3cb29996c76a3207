"""
Doing socket operations when the kernel is ready for them, by a deadline, on any event loop.

An operation is tried again at each readiness until it returns, raises, or its time is over. It is tried from the loop's
own callback, so that nothing of a slow drip is ever buffered and no loop iteration is spent on waking a task in vain.
The reader stays registered between operations: a conversation is mostly waiting for the next answer.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


class Expired(Exception):
    """The time for an operation is over."""


class Readiness:
    """Waits for one socket, for one operation at a time."""

    def __init__(self, descriptor: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._attempt: Callable[[], Any] | None = None
        self._waiter: asyncio.Future[Any] | None = None
        self._reads = False
        self._writes = False

    async def run(self, attempt: Callable[[], _T], *, timeout: float, at_once: bool = True) -> _T:
        """
        Return what *attempt* returns, as soon as it no longer would block.

        Args:
            attempt: Raises BlockingIOError or SSLWantReadError while there is nothing to read, SSLWantWriteError while
                there is no room to write.
            timeout: Seconds until `Expired`.
            at_once: Whether to try before anything is ready; False where it would only find nothing to read.

        Raises:
            Expired: The time is over.
        """
        if at_once:
            try:
                return attempt()
            except (BlockingIOError, ssl.SSLWantReadError):
                self._want(read=True)
            except ssl.SSLWantWriteError:
                self._want(write=True)
        else:
            self._want(read=True)
        waiter: asyncio.Future[_T] = self._loop.create_future()
        self._attempt, self._waiter = attempt, waiter
        timer = self._loop.call_later(max(timeout, 0), self._expire, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._attempt = self._waiter = None

    def stop(self) -> None:
        """Forget the socket; to be called before it is closed or wrapped."""
        self._want()

    def _want(self, *, read: bool = False, write: bool = False) -> None:
        """Wait for this and nothing else: what is ready but not wanted would wake us without end."""
        if self._reads and not read:
            self._loop.remove_reader(self._descriptor)
        elif read and not self._reads:
            self._loop.add_reader(self._descriptor, self._ready)
        if self._writes and not write:
            self._loop.remove_writer(self._descriptor)
        elif write and not self._writes:
            self._loop.add_writer(self._descriptor, self._ready)
        self._reads, self._writes = read, write

    def _ready(self) -> None:
        waiter, attempt = self._waiter, self._attempt
        if waiter is None or attempt is None or waiter.done():
            self.stop()  # nobody asks: do not spin on what lies there
            return
        try:
            waiter.set_result(attempt())
        except (BlockingIOError, ssl.SSLWantReadError):
            self._want(read=True)
        except ssl.SSLWantWriteError:
            self._want(write=True)
        except (OSError, ValueError) as error:
            waiter.set_exception(error)

    def _expire(self, waiter: "asyncio.Future[Any]") -> None:
        if not waiter.done():
            waiter.set_exception(Expired())
