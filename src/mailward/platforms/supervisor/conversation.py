"""
The conversation with a supervisor: one JSON object per line each way on a unix socket.

The protocol is the docstring of the lab's supervisor.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mailward.model.errors import Refused, TemporaryFailure


class Supervisor:
    """The supervisor that listens on one socket."""

    def __init__(self, door: Path) -> None:
        """Nothing is asked yet."""
        self.door = door

    async def ask(self, verb: str, *, seconds: float) -> Mapping[str, Any]:
        """
        Return the answer to one request.

        Raises:
            TemporaryFailure: There is none in time, or it is nonsense; the request may have been carried out.
            Refused: The supervisor says no, in its own words.
        """
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await self._connect()
                try:
                    writer.write(_line(verb))
                    return _read(await self._next(reader), self.door)
                finally:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()
        except TimeoutError as error:
            raise TemporaryFailure(
                f"the supervisor at {self.door} did not answer to {verb!r} within {seconds:.0f} s"
            ) from error

    async def answers(self, verb: str) -> AsyncGenerator[Mapping[str, Any], None]:
        """
        Yield answer after answer to one request that goes on.

        Raises:
            TemporaryFailure: The supervisor is gone.
        """
        reader, writer = await self._connect()
        try:
            writer.write(_line(verb))
            while True:
                yield _read(await self._next(reader), self.door)
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_unix_connection(self.door)
        except OSError as error:
            raise TemporaryFailure(f"no supervisor answers at {self.door}: {error.strerror or error}") from error

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        try:
            line = await reader.readline()
        except (OSError, ValueError) as error:
            raise TemporaryFailure(f"the supervisor at {self.door} hung up: {error}") from error
        if not line:
            raise TemporaryFailure(f"the supervisor at {self.door} hung up")
        return line


def _line(verb: str) -> bytes:
    return json.dumps({"verb": verb}).encode() + b"\n"


def _read(line: bytes, door: Path) -> Mapping[str, Any]:
    try:
        answer = json.loads(line)
        is_done = answer["ok"]
    except (ValueError, TypeError, KeyError) as error:
        raise TemporaryFailure(f"the supervisor at {door} answers nonsense: {line[:80]!r}") from error
    if not is_done:
        raise Refused(str(answer.get("error", "the supervisor refused without a reason")))
    return dict(answer)
