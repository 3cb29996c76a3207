"""
What Dovecot's sessions on this machine are doing, by the titles of their processes.

With `verbose_proctitle = yes` an imap process is called "dovecot/imap [USER ADDRESS COMMAND…]" while it carries out
commands (measured with 2.3.19: the command stands there from its beginning, and is gone once it is answered). One that
serves several sessions, or whose client does not read what it asked for, says nothing of a command that hangs.
"""

import re
from collections.abc import Iterator

from mailward.model.counters import RunningCommand
from mailward.platforms.linux.processes import Process, children, cpu_ticks

_SESSION = re.compile(r"\S*/imap \[(?P<who>\S+) (?P<address>[0-9A-Fa-f.:]+)(?: (?P<doing>[^\]]*))?\]")
_CLIENT_DOES_NOT_READ = "bytes waiting"
_WAITS_FOR_NEWS = "IDLE"


def running_commands(master: int) -> tuple[RunningCommand, ...] | None:
    """The commands under way below that master; None where titles do not tell."""
    sessions = [process for process in children(master) if process.name == "imap"]
    told = [(process, match) for process in sessions if (match := _SESSION.fullmatch(process.title)) is not None]
    if sessions and not told:
        return None
    return tuple(_running(told))


def _running(told: list[tuple[Process, "re.Match[str]"]]) -> Iterator[RunningCommand]:
    for process, match in told:
        doing = match["doing"] or ""
        if not doing or doing.startswith(_WAITS_FOR_NEWS) or _CLIENT_DOES_NOT_READ in doing:
            continue
        ticks = cpu_ticks(process.pid)
        if ticks is not None:
            yield RunningCommand(pid=process.pid, name=doing, cpu_ticks=ticks)
