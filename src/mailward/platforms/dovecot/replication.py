"""Replication of a Dovecot mailbox server: its own replicator (2.3), and `doveadm sync`."""

import asyncio
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from mailward.model.copies import MailboxSync, SyncReport
from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.dovecot.doveadm import Doveadm

_ASK_S = 10.0
_SECONDS_A_MAILBOX = 5.0
"""Patience for one mailbox, beside what the whole takes to begin; most take some 20 ms (measured)."""
_BEGIN_S = 20.0
_AT_ONCE = 2
"""Processes that synchronise at the same time: dsync works both servers' disks."""
_MAILBOXES_A_PROCESS = 100
_OF_MAILBOX = re.compile(r"doveadm\((?P<mailbox>[^)]+)\)\S*: (?:Fatal|Error): (?P<why>.*)")
_NEVER = "-"


class DovecotReplication:
    """Replication as one mailbox server carries it out."""

    def __init__(self, doveadm: Doveadm, peers: Mapping[str, str]) -> None:
        """
        Args:
            doveadm: Reaches this server's Dovecot.
            peers: Other servers by name -> where they are reached, such as "tcp:192.0.2.7:12345".
        """
        self._doveadm = doveadm
        self._peers = peers

    async def status(self) -> Mapping[str, MailboxSync]:
        """`replicator status '*'`."""
        rows = await self._doveadm.rows("replicator", "status", "*", seconds=_ASK_S)
        found = (_mailbox_sync(row) for row in rows)
        return {sync.mailbox: sync for sync in found}

    async def hasten(self, mailboxes: Sequence[str]) -> None:
        """`replicator replicate -p high` of each."""
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(mailbox: str) -> None:
            async with limit:
                finished = await self._doveadm.run("replicator", "replicate", "-p", "high", mailbox, seconds=_ASK_S)
            if finished.status != 0:
                raise TemporaryFailure(f"{mailbox} is not replicated: {' '.join(finished.errors.split())[:300]}")

        await asyncio.gather(*(one(mailbox) for mailbox in mailboxes))

    async def synchronise(self, mailboxes: Sequence[str], *, with_server: str) -> SyncReport:
        """
        `doveadm sync` of each mailbox, several in a process, two processes at a time.

        One that fails is told of and does not keep the others from being synchronised.
        """
        peer = self._peer(with_server)
        limit = asyncio.Semaphore(_AT_ONCE)

        async def part(names: Sequence[str]) -> SyncReport:
            async with limit:
                return await self._part(names, peer)

        reports = await asyncio.gather(*(part(names) for names in _in_parts(mailboxes)))
        return SyncReport(
            done=tuple(name for report in reports for name in report.done),
            failed=tuple(failure for report in reports for failure in report.failed),
        )

    def command(self, *, with_server: str) -> tuple[str, ...]:
        """The words for one mailbox."""
        return self._doveadm.words("sync", "-u", "MAILBOX", self._peer(with_server))

    async def _part(self, names: Sequence[str], peer: str) -> SyncReport:
        """Several in one process; where that did not go well, each by itself, so that one does not hide the others."""
        seconds = _BEGIN_S + _SECONDS_A_MAILBOX * len(names)
        if len(names) > 1:
            with tempfile.NamedTemporaryFile("w", prefix="mailward-sync-", encoding="utf-8") as file:
                file.write("".join(f"{name}\n" for name in names))
                file.flush()
                finished = await self._doveadm.run("sync", "-F", str(Path(file.name)), peer, seconds=seconds)
            if finished.status == 0:
                return SyncReport(done=tuple(names))
        done, failed = [], []
        for name in names:
            finished = await self._doveadm.run("sync", "-u", name, peer, seconds=_BEGIN_S)
            if finished.status == 0:
                done.append(name)
            else:
                failed.append((name, _why(finished.errors, finished.status)))
        return SyncReport(done=tuple(done), failed=tuple(failed))

    def _peer(self, server: str) -> str:
        try:
            return self._peers[server]
        except KeyError:
            key = f"servers.{server}.host.replication_address"
            raise Refused(f"it is not known where {server} is reached to synchronise: set {key}") from None


def _mailbox_sync(row: Mapping[str, object]) -> MailboxSync:
    try:
        return MailboxSync(
            mailbox=str(row["username"]),
            is_waiting=row["priority"] != "none",
            has_failed=row["failed"] != _NEVER,
            last_success=_ago(str(row["success sync"])),
        )
    except (KeyError, ValueError) as error:
        raise TemporaryFailure(f"the replicator's answer cannot be read: {dict(row)!r:.200}") from error


def _ago(text: str) -> timedelta | None:
    """HH:MM:SS, or "-" for never."""
    if text == _NEVER:
        return None
    hours, minutes, seconds = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))


def _why(errors: str, status: int) -> str:
    found = _OF_MAILBOX.search(errors)
    said = found["why"] if found else " ".join(errors.split())
    return said[:300] or f"doveadm ended with {status}"


def _in_parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(names), _MAILBOXES_A_PROCESS):
        yield names[begin : begin + _MAILBOXES_A_PROCESS]
