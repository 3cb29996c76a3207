"""
Running a program: a small port of this room, so that what a platform reads from a program can be tried without it.

Programs are started by argv, never through a shell; time and output are bounded.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

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
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise TemporaryFailure(f"{argv[0]} cannot be started: {error.strerror or error}") from error
        try:
            async with asyncio.timeout(timeout):
                output, errors = await process.communicate()
        except TimeoutError as error:
            raise TemporaryFailure(f"{' '.join(argv)} did not end within {timeout:g} s") from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return Finished(
            status=process.returncode or 0,
            output=output[:_LARGEST_BYTES].decode(errors="replace"),
            errors=errors[:_LARGEST_BYTES].decode(errors="replace"),
        )
