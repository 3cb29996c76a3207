"""
What a channel needs from files, secrets and authorities, read in a thread of its own: a disk can hang.

Daemon threads, because a hung disk must keep neither the other channels nor the end of the program waiting; and one for
each channel at a time, so that trying again through such a hang does not pile up threads.
"""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from mailward.model.channels import Channel
from mailward.model.errors import PermanentFailure, TemporaryFailure

Found = TypeVar("Found")


class Reading:
    """Reads for one channel, within its time limit."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._under_way: asyncio.Future[Any] | None = None

    async def read(self, look: Callable[[], Found]) -> Found:
        """
        Return what *look* returns, or raise what it raises.

        Raises:
            TemporaryFailure: It takes longer than the channel's time limit, or an earlier one still does.
        """
        name, limit = self._channel.name, self._channel.timeout.total_seconds()
        hangs = (
            f"channel {name}: its secrets or ca_file could not be read within {limit:g} s; mend the disk they are on"
        )
        if self._under_way is not None and not self._under_way.done():
            raise TemporaryFailure(hangs)
        answer = in_a_thread(look, name=f"channel {name}")
        self._under_way = answer
        done, _ = await asyncio.wait((answer,), timeout=limit)
        if not done:
            raise TemporaryFailure(hangs)
        return answer.result()


def trusting(channel: Channel) -> ssl.SSLContext:
    """
    Read whom a channel trusts: `ca_file`, or the system's authorities.

    Raises:
        PermanentFailure: The file is missing, or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=channel.ca_file)
    except (OSError, ValueError) as error:
        words = f"channel {channel.name}: ca_file {channel.ca_file} cannot be used: {error}"
        raise PermanentFailure(words) from error


def in_a_thread(work: Callable[[], Found], *, name: str) -> "asyncio.Future[Found]":
    """Do *work* in a daemon thread; the future has what it returned or raised."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Found] = loop.create_future()

    def settle(settling: Callable[[], None]) -> None:
        if not answer.done():
            settling()
            answer.exception()  # nobody may be waiting any more

    def run() -> None:
        try:
            settling = partial(answer.set_result, work())
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, who sorts it
            settling = partial(answer.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, settling)

    threading.Thread(target=run, name=name, daemon=True).start()
    return answer
