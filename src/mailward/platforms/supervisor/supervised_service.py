"""
ServiceControl by the supervisor's socket: "supervisor:/path/control.sock".

One JSON object per line each way; `watch` goes on answering until we hang up.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState, ServiceStatus

_ASK_S = 5.0
#: A stop may take 3 s, a start 8 s; both have their own limits in the supervisor.
_DEED_S = 20.0
_STATES = {
    "running": ServiceState.RUNNING,
    "starting": ServiceState.RUNNING,
    "failed": ServiceState.FAILED,
    "stopped": ServiceState.STOPPED,
    "stopping": ServiceState.STOPPED,
    "hung": ServiceState.HUNG,
}
_ENDED = ("failed", "stopped")


class SupervisedService:
    """The service of the host whose supervisor listens on *door*."""

    def __init__(self, door: Path) -> None:
        """Nothing is asked yet."""
        self._door = door

    async def status(self) -> ServiceStatus:
        """
        Look at the service now.

        Raises:
            TemporaryFailure: The supervisor does not answer.
        """
        return _status(await self._ask("status", seconds=_ASK_S))

    async def exits(self) -> AsyncIterator[ServiceStatus]:
        """
        Yield the status as soon as the master has ended; at once when it is not running to begin with.

        Raises:
            TemporaryFailure: The supervisor is gone.
        """
        reader, writer = await self._connect()
        try:
            writer.write(_line("watch"))
            while True:
                answer = _read(await self._next(reader), self._door)
                if answer.get("state") in _ENDED:
                    yield _status(answer)
        finally:
            writer.close()

    async def start(self) -> None:
        """Start the service; returns when it listens."""
        await self._ask("start", seconds=_DEED_S)

    async def stop(self) -> None:
        """Stop the service on purpose, sessions included."""
        await self._ask("stop", seconds=_DEED_S)

    async def restart(self) -> None:
        """Stop and start the service."""
        await self._ask("restart", seconds=_DEED_S)

    async def reload(self) -> None:
        """Have the service read its configuration again."""
        await self._ask("reload", seconds=_DEED_S)

    async def _ask(self, verb: str, *, seconds: float) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await self._connect()
                try:
                    writer.write(_line(verb))
                    return _read(await self._next(reader), self._door)
                finally:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()
        except TimeoutError as error:
            raise TemporaryFailure(
                f"the supervisor at {self._door} did not answer to {verb!r} within {seconds:.0f} s"
            ) from error

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_unix_connection(self._door)
        except OSError as error:
            raise TemporaryFailure(f"no supervisor answers at {self._door}: {error.strerror or error}") from error

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        try:
            line = await reader.readline()
        except (OSError, ValueError) as error:
            raise TemporaryFailure(f"the supervisor at {self._door} hung up: {error}") from error
        if not line:
            raise TemporaryFailure(f"the supervisor at {self._door} hung up")
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


def _status(answer: Mapping[str, Any]) -> ServiceStatus:
    since = answer.get("since")
    return ServiceStatus(
        state=_STATES.get(str(answer.get("state")), ServiceState.UNKNOWN),
        because=str(answer.get("because", "")),
        since=datetime.fromtimestamp(since, UTC) if isinstance(since, int | float) else None,
        pid=answer.get("pid"),
        in_kernel=bool(answer.get("in_kernel", False)),
        starts=answer.get("starts"),
    )
