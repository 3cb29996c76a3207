"""Replication of a Dovecot mailbox server: its own replicator (2.3), and `doveadm sync`."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from mailward.model.copies import MailboxSync, SyncReport
from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import Finished, one_line
from mailward.platforms.dovecot.doveadm import SYNC, Doveadm, complaint, in_parts, require_plain, rows_of
from mailward.platforms.reach.mailward_host import MOST_IN_TURN, wrong_with

_AT_ONCE = 2
"""Processes that synchronise at the same time: dsync works both servers' disks."""
_OF_MAILBOX = re.compile(r"doveadm\((?P<mailbox>[^)]+)\)\S*: (?:Fatal|Error): (?P<why>.*)")
_NEVER = "-"
_USAGE = 64
"""How doveadm ends when it does not know a command (EX_USAGE, sysexits(3))."""


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
        request = ("replicator", "status")
        finished = _from_replicator(await self._doveadm.run(*request))
        syncs = (_mailbox_sync(row) for row in rows_of(finished, self._doveadm.words(*request)))
        return {sync.mailbox: sync for sync in syncs}

    async def hasten(self, mailboxes: Sequence[str]) -> None:
        """`replicator replicate -p high` of each; one who cannot be named comes last."""
        for names in in_parts([name for name in mailboxes if not wrong_with(name)], MOST_IN_TURN):
            request = ("replicator", "replicate")
            finished = _from_replicator(await self._doveadm.run(*request, mailboxes=names))
            if (why := complaint(finished)) is not None:
                raise TemporaryFailure(f"not every mailbox is replicated sooner: {why}")
        require_plain(mailboxes)

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

        odd = tuple((name, f"its name {wrong}") for name in mailboxes if (wrong := wrong_with(name)))
        plain = [name for name in mailboxes if not wrong_with(name)]
        try:
            async with asyncio.TaskGroup() as together:
                parts = [together.create_task(part(names)) for names in in_parts(plain, MOST_IN_TURN)]
        except ExceptionGroup as failures:
            # the first is why the others were ended: nothing of them goes on behind the back of who is told
            raise failures.exceptions[0] from None
        reports = [one.result() for one in parts]
        return SyncReport(
            done=tuple(name for report in reports for name in report.done),
            failed=(*odd, *(failure for report in reports for failure in report.failed)),
        )

    def command(self, *, with_server: str) -> tuple[str, ...]:
        """The words for several mailboxes; they read the names."""
        return self._doveadm.words(SYNC, self._peer(with_server))

    async def _part(self, names: Sequence[str], peer: str) -> SyncReport:
        """
        Several in one process; where that did not go well, each by itself, so that one does not hide the others.

        Whatever it says is not well: it passes over a mailbox that does not exist with status 0 and a line ("User no
        longer exists, skipping", measured with 2.3.19); by itself that is a failure (status 67).
        """
        if len(names) > 1:
            finished = await self._doveadm.run(SYNC, peer, mailboxes=names)
            if finished.status == 0 and not finished.errors.strip():
                return SyncReport(done=tuple(names))
        done, failed = [], []
        for name in names:
            finished = await self._doveadm.run(SYNC, peer, mailboxes=(name,))
            if complaint(finished) is None:
                done.append(name)
            else:
                failed.append((name, _why(finished)))
        return SyncReport(done=tuple(done), failed=tuple(failed))

    def _peer(self, server: str) -> str:
        try:
            return self._peers[server]
        except KeyError:
            key = f"servers.{server}.host.replication_address"
            raise Refused(f"it is not known where {server} is reached to synchronise: set {key}") from None


def _from_replicator(finished: Finished) -> Finished:
    """
    Raises:
        Refused: There is no replicator; Dovecot 2.4 then shows how doveadm is used (rootless-and-2.4 §B).
    """
    if finished.status == _USAGE:
        raise Refused('this Dovecot has no replicator: set replication.kind to "sync"')
    return finished


def _mailbox_sync(row: Mapping[str, object]) -> MailboxSync:
    try:
        return MailboxSync(
            mailbox=str(row["username"]),
            is_waiting=row["priority"] != "none",
            has_failed=row["failed"] != _NEVER,
            last_success=_ago(str(row["success sync"])),
        )
    except (KeyError, ValueError, OverflowError) as error:
        raise TemporaryFailure(f"the replicator's answer cannot be read: {dict(row)!r:.200}") from error


def _ago(text: str) -> timedelta | None:
    """HH:MM:SS, or "-" for never."""
    if text == _NEVER:
        return None
    hours, minutes, seconds = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))


def _why(finished: Finished) -> str:
    """What doveadm says of the mailbox, without the mailbox."""
    found = _OF_MAILBOX.search(finished.errors)
    return one_line(found["why"]) if found else finished.said()
