"""
HAProxy's runtime socket: one line there, one answer back, one connection each (management guide of 2.6, 9.3).

Every answer ends with an empty line, so one that broke off is told from a whole one; an order that was done is answered
by the empty line alone, and everything else by a sentence. Measured with HAProxy 2.6.12.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

from mailward.model.errors import TemporaryFailure

_BYTES_MAX = 2_000_000
"""Far more than 5,000 servers of one backend need."""
_BYTES_AT_ONCE = 65_536
_SHOWN_MAX = 120
DONE = ""
"""What is left of the answer to an order that was done."""


class RuntimeSocket:
    """The runtime socket at *path*; an answer that takes longer than *seconds* is given up."""

    def __init__(self, path: Path, *, seconds: float = 5.0) -> None:
        """Nothing is asked yet."""
        self._path = path
        self._seconds = seconds

    async def ask(self, line: str) -> str:
        """
        Send one line and return the whole answer without the empty line that ends it.

        Raises:
            TemporaryFailure: Nobody is there, or the answer is late, too long, or breaks off; it may have been obeyed.
        """
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._exchange(line)
        except TimeoutError as error:
            raise TemporaryFailure(
                f"HAProxy at {self._path} did not answer {line!r} within {self._seconds:g} s"
            ) from error
        except OSError as error:
            raise TemporaryFailure(f"HAProxy does not answer at {self._path}: {error.strerror or error}") from error
        return self._whole(line, answer)

    async def _exchange(self, line: str) -> bytes:
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(line.encode("ascii") + b"\n")
            await writer.drain()
            received = bytearray()
            while chunk := await reader.read(_BYTES_AT_ONCE):
                received += chunk
                if len(received) > _BYTES_MAX:
                    raise TemporaryFailure(f"what answers {line!r} at {self._path} does not end: is that HAProxy?")
            return bytes(received)
        finally:
            writer.transport.abort()  # nothing is left to be said, and a peer that does not read must not hold us
            with suppress(OSError):
                await writer.wait_closed()

    def _whole(self, line: str, answer: bytes) -> str:
        text = answer.decode("utf-8", errors="replace")
        if text == "\n":
            return DONE
        if text.endswith("\n\n"):
            return text[:-2]
        if not text:
            raise TemporaryFailure(f"HAProxy at {self._path} hung up on {line!r} without an answer")
        raise TemporaryFailure(f"HAProxy's answer to {line!r} at {self._path} breaks off: {excerpt(text)!r}")


def excerpt(answer: str) -> str:
    """Return the first line of an answer that says something, shortened, without control characters."""
    first = next((line.strip() for line in answer.splitlines() if line.strip()), "")
    return "".join(letter if letter.isprintable() else "?" for letter in first[:_SHOWN_MAX])
