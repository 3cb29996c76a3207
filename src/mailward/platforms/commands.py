"""
Running a program: a small port of this room, so that what a platform reads from a program can be tried without it.

Programs are started by argv, never through a shell; time and output are bounded.
"""

import asyncio
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import IO, Protocol

from mailward.model.errors import TemporaryFailure

_LARGEST_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """How a program ended, and what it said."""

    status: int
    output: str
    errors: str


class Runner(Protocol):
    """Runs programs."""

    async def run(self, argv: Sequence[str], *, timeout: float) -> Finished:
        """
        Run a program to its end.

        Raises:
            TemporaryFailure: It cannot be started, or took longer than *timeout* seconds and was killed.
        """
        ...


class LocalRunner:
    """Runs programs on this machine."""

    async def run(self, argv: Sequence[str], *, timeout: float) -> Finished:
        """
        Run a program to its end, without standard input.

        Raises:
            TemporaryFailure: It cannot be started, or took longer than *timeout* seconds and was killed.
        """
        async with _started(argv, output=PIPE, errors=PIPE) as process, _limited(argv, timeout):
            output, errors = await process.communicate()
        return _finished(process, output[:_LARGEST_BYTES], errors[:_LARGEST_BYTES])


class DaemonStarter:
    """
    Runs programs on this machine that leave a daemon behind.

    A daemon may keep its starter's output open for as long as it lives (`dovecot -c` does), so a pipe would never end:
    what is said goes to files without a name. The daemon gets a session of its own.
    """

    async def run(self, argv: Sequence[str], *, timeout: float) -> Finished:
        """
        Run a program to its own end, whatever it leaves behind.

        Raises:
            TemporaryFailure: It cannot be started, or took longer than *timeout* seconds and was killed.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            started = _started(argv, output=output, errors=errors, own_session=True)
            async with started as process, _limited(argv, timeout):
                await process.wait()
            return _finished(process, _beginning(output), _beginning(errors))


@asynccontextmanager
async def _started(
    argv: Sequence[str], *, output: int | IO[bytes], errors: int | IO[bytes], own_session: bool = False
) -> AsyncIterator[Process]:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=DEVNULL, stdout=output, stderr=errors, start_new_session=own_session
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TemporaryFailure(f"{argv[0]} cannot be started: {reason}") from error
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@asynccontextmanager
async def _limited(argv: Sequence[str], seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise TemporaryFailure(f"{' '.join(argv)} did not end within {seconds:g} s") from error


def _beginning(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_LARGEST_BYTES)


def _finished(process: Process, output: bytes, errors: bytes) -> Finished:
    return Finished(
        status=process.returncode or 0,
        output=output.decode(errors="replace"),
        errors=errors.decode(errors="replace"),
    )
