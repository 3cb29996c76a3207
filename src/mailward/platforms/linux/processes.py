"""Processes as /proc shows them: which state, since when, who descends from whom; and the end of one, told by pidfd."""

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_PROC = Path("/proc")
#: The kernel's letters for a process that was stopped by a signal or a tracer.
_STOPPED = ("T", "t")
_IN_KERNEL = "D"
#: A healthy process waits in the kernel for a moment, a hung one goes on doing so.
_LOOKS = 4
_BETWEEN_LOOKS_S = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """One process at the moment it was looked at."""

    pid: int
    name: str
    state: str
    """The kernel's letter: R, S, D (waits in the kernel), T or t (stopped), Z (ended, not yet reaped)."""
    parent: int
    started_ticks: int
    """Clock ticks since boot; together with the pid it names a process for good."""

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.state not in ("Z", "X")

    @property
    def title(self) -> str:
        """Its command line as one string; empty once it is gone."""
        with suppress(OSError):
            return (
                (_PROC / str(self.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            )
        return ""


def look_at(pid: int) -> Process | None:
    """The process of that number, or None."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    opening, closing = text.index("("), text.rindex(")")
    fields = text[closing + 2 :].split()
    return Process(
        pid=pid,
        name=text[opening + 1 : closing],
        state=fields[0],
        parent=int(fields[1]),
        started_ticks=int(fields[19]),
    )


def cpu_ticks(pid: int) -> int | None:
    """Processor time a process has used so far, in clock ticks; None once it is gone (proc(5): utime and stime)."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[11]) + int(fields[12])


def children(parent: int) -> tuple[Process, ...]:
    """The living children of a process."""
    return tuple(process for process in _all() if process.parent == parent and process.is_alive)


def started_at(process: Process) -> datetime:
    """When it started, to about a second: the kernel counts from boot."""
    booted = datetime.fromtimestamp(0, UTC)
    for line in (_PROC / "stat").read_text().splitlines():
        if line.startswith("btime "):
            booted = datetime.fromtimestamp(int(line.split()[1]), UTC)
    return booted + timedelta(seconds=process.started_ticks / os.sysconf("SC_CLK_TCK"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stuck:
    """Processes that exist but do not run."""

    names: tuple[str, ...]
    in_kernel: bool
    """Whether they wait in the kernel (D state), where no signal reaches them."""

    @property
    def because(self) -> str:
        """The reason as a clause."""
        how = "waits in the kernel (D state)" if self.in_kernel else "was stopped by a signal"
        return f"{', '.join(self.names)} {how}"


async def find_stuck(suspects: Sequence[Process]) -> Stuck | None:
    """Which of these do not run, if any; what seems to wait in the kernel is looked at again for 0.2 s."""
    stopped = [process for process in suspects if process.state in _STOPPED]
    if stopped:
        return Stuck(names=_names(stopped), in_kernel=False)
    waiting = [process for process in suspects if process.state == _IN_KERNEL]
    for _ in range(_LOOKS):
        if not waiting:
            return None
        await asyncio.sleep(_BETWEEN_LOOKS_S)
        again = (look_at(process.pid) for process in waiting)
        waiting = [process for process in again if process is not None and process.state == _IN_KERNEL]
    return Stuck(names=_names(waiting), in_kernel=True) if waiting else None


async def wait_for_end(pid: int) -> None:
    """Return as soon as the process has ended; at once when there is none."""
    ended = asyncio.Event()
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with _watched(descriptor, ended):
        await ended.wait()


@contextmanager
def _watched(descriptor: int, ended: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    try:
        loop.add_reader(descriptor, ended.set)
        yield
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _names(processes: Iterable[Process]) -> tuple[str, ...]:
    return tuple(sorted({process.name for process in processes}))


def _all() -> Iterator[Process]:
    for entry in os.listdir(_PROC):  # noqa: PTH208 - names are enough here
        if entry.isdigit():
            process = look_at(int(entry))
            if process is not None:
                yield process
