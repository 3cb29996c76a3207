"""
Running a program: a small port of this room, so that what a platform reads from a program can be tried without it.

Programs are started by argv, never through a shell; time and output are bounded. Each has a session of its own, so
that with a program that is given up everything ends that it started; of our environment, which may hold secrets, it is
told only what is harmless.
"""

import asyncio
import os
import signal
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from mailward.model.errors import TemporaryFailure

_LARGEST_BYTES = 1_000_000
#: More than any deed should say; one that is merely talkative must not be killed half-way.
_LARGEST_FILE_BYTES = 50_000_000
_WEIGH_AGAIN_S = 0.2
_BLOCK = 65_536
_LONGEST_COMMAND = 2000
#: How long after a program's end its pipes may stay open: somebody else holds them, and says nothing that counts.
_LAST_WORDS_S = 0.2
_AFTER_KILL_S = 1.0
#: What a program is told of ours: where things are, and in which language. Anything else could be a secret.
_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR")
_LANGUAGES = "LC_"
#: ssh alone may ask an agent, for a key that has a passphrase.
_AGENT = "SSH_AUTH_SOCK"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """How a program ended, and what it said."""

    status: int
    output: str
    errors: str

    def said(self, *, or_output: bool = False) -> str:
        """
        Its complaint, to be told within a sentence; its exit status when it has none.

        Args:
            or_output: Whether what it printed will do as well; some programs print what is nobody's business.
        """
        return one_line(self.errors) or (one_line(self.output) if or_output else "") or f"exit status {self.status}"


def one_line(text: str, *, longest: int = 300) -> str:
    """A foreign text within a sentence of ours: one line, not long, of characters that can be shown and stored."""
    line = " ".join(text.split())[:longest]
    return "".join(character if character.isprintable() else "�" for character in line)


class Runner(Protocol):
    """Runs programs."""

    async def run(self, argv: Sequence[str], *, timeout: float) -> Finished:
        """
        Run a program to its end.

        Raises:
            TemporaryFailure: It cannot be started, or took longer than *timeout* seconds and was killed.
        """
        ...


class Feeder(Protocol):
    """Runs programs that are given something to read; each is a Runner as well."""

    async def run(self, argv: Sequence[str], *, timeout: float, given: bytes = b"") -> Finished:
        """
        Run a program to its end, with *given* as its standard input.

        Raises:
            TemporaryFailure: As Runner's.
        """
        ...


class LocalRunner:
    """Runs programs on this machine that look at something and leave nothing behind."""

    def __init__(self, *, largest: int = _LARGEST_BYTES) -> None:
        """*largest* is how many bytes a program may say."""
        self._largest = largest

    async def run(self, argv: Sequence[str], *, timeout: float, given: bytes = b"") -> Finished:
        """
        Run a program to its own end; what it leaves behind with its output open is killed.

        It reads *given* from a file without a name: nobody waits for a program that does not read, and `doveadm sync`
        reads its list from nothing else.

        Raises:
            TemporaryFailure: It cannot be started, took longer than *timeout* seconds or said too much; it was killed.
        """
        with _read_from(given) as lines, _pipe(self._largest) as output, _pipe(self._largest) as errors:
            started = _started(argv, given=lines, output=output.writing, errors=errors.writing)
            async with started as process, _limited(argv, timeout):
                pipes = (output, errors)
                for pipe in pipes:
                    pipe.listen(when_full=lambda: _kill(process))
                await process.wait()
                await asyncio.wait([pipe.ended for pipe in pipes], timeout=_LAST_WORDS_S)
                if not all(pipe.ended.done() for pipe in pipes):
                    _kill(process)
            if any(pipe.is_full for pipe in pipes):
                raise TemporaryFailure(f"{_shown(argv)} was ended: it said more than {self._largest} bytes")
            return _finished(process, bytes(output.said), bytes(errors.said))


class DaemonStarter:
    """
    Runs programs on this machine that leave a daemon behind.

    A daemon may keep its starter's output open for as long as it lives (`dovecot -c` does), so a pipe would never end:
    what is said goes to files without a name.
    """

    async def run(self, argv: Sequence[str], *, timeout: float) -> Finished:
        """
        Run a program to its own end, whatever it leaves behind.

        Raises:
            TemporaryFailure: It cannot be started, took longer than *timeout* seconds, or said far too much; it was
                killed.
        """
        with _file() as output, _file() as errors:
            async with _started(argv, output=output, errors=errors) as process, _limited(argv, timeout):
                while process.returncode is None:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_WEIGH_AGAIN_S):
                            await process.wait()
                    if any(os.fstat(file.fileno()).st_size > _LARGEST_FILE_BYTES for file in (output, errors)):
                        raise TemporaryFailure(f"{_shown(argv)} was ended: it fills the disk with what it says")
            return _finished(process, _beginning(output), _beginning(errors))


class _Pipe:
    """
    What a program says, up to a limit.

    Not asyncio's own pipe: `Process.wait` would wait for its end, and so for everybody who holds it.
    """

    def __init__(self, reading: int, writing: int, largest: int) -> None:
        self._largest = largest
        self.reading = reading
        self.writing = writing
        self.said = bytearray()
        self.is_full = False
        self.ended = asyncio.get_running_loop().create_future()
        os.set_blocking(reading, False)

    def listen(self, *, when_full: Callable[[], None]) -> None:
        """Take in what is said until its end; the program has its own copy of the writing end by now."""
        os.close(self.writing)
        self.writing = -1
        asyncio.get_running_loop().add_reader(self.reading, self._take_in, when_full)

    def close(self) -> None:
        """Listen no more."""
        asyncio.get_running_loop().remove_reader(self.reading)
        for descriptor in (self.reading, self.writing):
            if descriptor >= 0:
                os.close(descriptor)

    def _take_in(self, when_full: Callable[[], None]) -> None:
        try:
            block = os.read(self.reading, _BLOCK)
        except BlockingIOError:
            return
        self.said += block
        self.is_full = len(self.said) > self._largest
        if block and not self.is_full:
            return
        asyncio.get_running_loop().remove_reader(self.reading)
        self.ended.set_result(None)
        if self.is_full:
            when_full()


@contextmanager
def _pipe(largest: int) -> Iterator[_Pipe]:
    try:
        pipe = _Pipe(*os.pipe(), largest)
    except OSError as error:
        raise TemporaryFailure(f"no program can be started: {error.strerror}") from error
    try:
        yield pipe
    finally:
        pipe.close()


@asynccontextmanager
async def _started(
    argv: Sequence[str], *, output: int | IO[bytes], errors: int | IO[bytes], given: int | IO[bytes] = DEVNULL
) -> AsyncIterator[Process]:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=given, stdout=output, stderr=errors, start_new_session=True, env=_environment(argv[0])
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TemporaryFailure(f"{argv[0]} cannot be started: {reason}") from error
    try:
        yield process
    finally:
        if process.returncode is None:
            _kill(process)
            with suppress(TimeoutError):  # one that waits in the kernel does not even end now
                async with asyncio.timeout(_AFTER_KILL_S):
                    await process.wait()


def _environment(program: str) -> dict[str, str]:
    passed_on = (*_PASSED_ON, _AGENT) if Path(program).name == "ssh" else _PASSED_ON
    return {name: value for name, value in os.environ.items() if name in passed_on or name.startswith(_LANGUAGES)}


def _kill(process: Process) -> None:
    """End a program with everything it started, but what has left its session or belongs to somebody else."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@asynccontextmanager
async def _limited(argv: Sequence[str], seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise TemporaryFailure(f"{_shown(argv)} did not end within {seconds:g} s") from error


def _file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        reason = f"what it says cannot be kept in the directory for temporary files (TMPDIR): {error.strerror or error}"
        raise TemporaryFailure(f"no program can be started: {reason}") from error


@contextmanager
def _read_from(data: bytes) -> Iterator[int | IO[bytes]]:
    """A file that is on no disk: a full one is when help is needed (memfd_create(2))."""
    if not data:
        yield DEVNULL
        return
    try:
        number = os.memfd_create("given")
    except OSError as error:
        raise TemporaryFailure(f"no program can be started: {error.strerror or error}") from error
    with os.fdopen(number, "w+b") as file:
        file.write(data)
        file.seek(0)
        yield file


def _shown(argv: Sequence[str]) -> str:
    """A command within a sentence; of one that names hundreds of mailboxes its beginning."""
    return one_line(" ".join(argv), longest=_LONGEST_COMMAND)


def _beginning(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_LARGEST_BYTES)


def _finished(process: Process, output: bytes, errors: bytes) -> Finished:
    return Finished(
        status=process.returncode or 0,
        output=output.decode(errors="replace"),
        errors=errors.decode(errors="replace"),
    )
