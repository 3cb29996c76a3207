"""Looking at processes in /proc: who descends from whom, in which state, under which title."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """One line of the process table."""

    pid: int
    name: str
    state: str
    """The kernel's letter: R, S, D (waits in the kernel), T or t (stopped), Z (ended, not yet reaped)."""
    parent: int
    started_ticks: int
    """Clock ticks since boot; with the pid it names a process for good."""

    @property
    def title(self) -> str:
        """The command line as one string; empty once the process is gone."""
        with suppress(OSError):
            return (PROC / str(self.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return ""


def look_at(pid: int) -> Process | None:
    """The process of that number, or None."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
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


def all_processes() -> list[Process]:
    """Every process there is."""
    numbers = (int(entry) for entry in os.listdir(PROC) if entry.isdigit())  # noqa: PTH208 - names are enough here
    return [process for process in map(look_at, numbers) if process is not None]


def descendants(ancestor: int) -> list[Process]:
    """All living processes below *ancestor*, parents before their children."""
    children: dict[int, list[Process]] = {}
    for process in all_processes():
        if process.state != "Z":
            children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += (process.pid for process in below)
    return found


def working_below(directory: Path) -> list[Process]:
    """
    Every process whose working directory is *directory* or below it, as far as this user may look.

    It finds what is left of a lab whose supervisors were killed: Dovecot's processes wipe their environment and hide
    their arguments, but work in their instance's run directory.
    """
    top = str(directory)
    found = []
    for process in all_processes():
        with suppress(OSError):
            where = str((PROC / str(process.pid) / "cwd").readlink())
            if where == top or where.startswith(f"{top}/"):
                found.append(process)
    return found


def send(number: signal.Signals, processes: Iterable[Process]) -> None:
    """Send a signal to those of the processes that are still the same ones."""
    for process in processes:
        known = look_at(process.pid)
        if known is not None and known.started_ticks == process.started_ticks:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, number)
