"""Each implementation of ProtocolLog on a server with two health mailboxes; the files are written as Dovecot does."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailward.model.protocol_log import LoggedLine, LoggedSession, Speaker
from mailward.platforms.commands import DaemonStarter, Finished
from mailward.platforms.dovecot.protocol_log import DovecotProtocolLog
from mailward.platforms.local.system_clock import SystemClock
from mailward.ports.protocol_log import ProtocolLog
from mailward.testing.platform import SetClock
from mailward.testing.protocol_log import MemoryProtocolLog

USERS = ("health-db1", "health-mbx1")


class Doveconf:
    """Says what doveconf would of a Dovecot that logs below a directory, or of one that does not run."""

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory
        self.is_there = True

    async def run(self, argv, *, timeout, given=b""):
        if not self.is_there:
            return Finished(status=89, output="", errors="doveconf: Fatal: no such file")
        setting = "" if self.directory is None else f"  rawlog_dir = {self.directory}/%u\n"
        text = (
            f"# 2.3.19.1 (9b53102964): /srv/mbx1/dovecot.conf\nmail_uid = {os.geteuid()}\nmail_gid = {os.getegid()}\n"
        )
        return Finished(status=0, output=f"{text}protocol imap {{\n{setting}}}\n", errors="")


@dataclass
class Case:
    """A protocol log that is off."""

    log: ProtocolLog
    now: Callable[[], datetime]
    converse: Callable[[str], None]
    """A user logs in and has a conversation."""
    pass_time: Callable[[datetime], Awaitable[None]]
    """Wait until the log had to be off."""
    unavailable: ProtocolLog
    silent: ProtocolLog


@pytest.fixture(params=["memory", "dovecot"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    return _memory() if request.param == "memory" else _dovecot(tmp_path)


def _memory() -> Case:
    clock = SetClock()
    log, unavailable, silent = (MemoryProtocolLog("mbx1", USERS, clock=clock) for _ in range(3))
    unavailable.unavailable_because = "there is no rawlog_dir"
    silent.silent_because = "mbx1 does not answer"
    processes = iter(range(100, 1000))

    def converse(user: str) -> None:
        line = LoggedLine(server="mbx1", speaker=Speaker.CLIENT, text="a1 NOOP", at=clock.now())
        log.session(
            LoggedSession(
                user=user,
                because="so",
                mailbox_server="mbx1",
                process=next(processes),
                opened=clock.now(),
                lines=(line,),
            )
        )

    async def pass_time(moment: datetime) -> None:
        clock.advance(moment - clock.now())

    return Case(log, clock.now, converse, pass_time, unavailable, silent)


def _dovecot(tmp_path: Path) -> Case:
    clock, directory = SystemClock(), tmp_path / "rawlog"
    silent_doveconf = Doveconf(directory)
    silent_doveconf.is_there = False
    log, unavailable, silent = (
        DovecotProtocolLog(
            "mbx1",
            "/srv/mbx1/dovecot.conf",
            USERS,
            runner=doveconf,
            starter=DaemonStarter(),
            clock=clock,
            systemd=tmp_path / "no systemd",
        )
        for doveconf in (Doveconf(directory), Doveconf(None), silent_doveconf)
    )
    processes = iter(range(100, 1000))

    def converse(user: str) -> None:
        """As Dovecot does: without a directory nothing happens."""
        now = clock.now().astimezone(UTC)
        stem = directory / user / f"{now:%Y%m%d-%H%M%S}.{next(processes)}.1"
        if stem.parent.is_dir():
            Path(f"{stem}.in").write_text(f"{now.timestamp():.6f} a1 NOOP\r\n")
            Path(f"{stem}.out").write_text(f"{now.timestamp():.6f} L OK Logged in\r\n")

    async def pass_time(moment: datetime) -> None:
        deadline = moment + timedelta(seconds=20)
        while (await log.standing()).is_on:
            assert clock.now() < deadline, "it never went off"
            await asyncio.sleep(0.05)

    return Case(log, clock.now, converse, pass_time, unavailable, silent)
