"""The counters of a Dovecot: `doveadm stats dump`, `doveadm service status`, and the queues of its sockets."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from ipaddress import ip_address

from mailward.model.counters import CommandTotals, ProcessLimit, RequestQueue, RunningCommand
from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.dovecot.command_metrics import command_totals
from mailward.platforms.dovecot.doveadm import Doveadm, complaint, rows_of
from mailward.platforms.linux.listening_sockets import ListeningSocket
from mailward.ports.clock import Clock

_STATS, _STATUS = ("stats", "dump"), ("service", "status")
#: Parts of Dovecot without which nobody can log in or read: others may be full and nobody feels it.
_VITAL = ("imap-login", "imap", "auth")

ShowSockets = Callable[[], Awaitable[tuple[ListeningSocket, ...]]]
ShowRunning = Callable[[], Awaitable[tuple[RunningCommand, ...] | None]]


async def not_shown() -> None:
    """Commands under way are not seen, as on another machine."""


class DovecotCounters:
    """The counters of one Dovecot."""

    def __init__(
        self,
        doveadm: Doveadm,
        *,
        address: str,
        ports: Iterable[int],
        sockets: ShowSockets,
        running: ShowRunning = not_shown,
        clock: Clock,
    ) -> None:
        """
        Args:
            doveadm: Reaches it.
            address: Where it is said to serve IMAP, a name or a number.
            ports: The ports it may serve IMAP on.
            sockets: What listens on its machine.
            running: What its sessions are doing.
            clock: Says when it was looked at.
        """
        self._doveadm = doveadm
        self._address = address
        self._ports = frozenset(ports)
        self._sockets = sockets
        self._running = running
        self._clock = clock

    async def commands(self) -> CommandTotals:
        """
        `doveadm stats dump`, and the titles of the processes.

        Raises:
            TemporaryFailure: It does not answer.
            Refused: Its configuration has no metric of commands.
        """
        finished = await self._doveadm.run(*_STATS)
        if (why := complaint(finished)) is not None:
            raise TemporaryFailure(f"doveadm stats dump: {why}")
        return CommandTotals(
            at=self._clock.now(), finished=command_totals(finished.output), running=await self._running()
        )

    async def queue(self) -> RequestQueue:
        """
        The sockets of its IMAP ports, and `doveadm service status`.

        Raises:
            TemporaryFailure: It does not answer.
            Refused: Nothing listens where IMAP should be.
        """
        sockets, finished = await asyncio.gather(self._sockets(), self._doveadm.run(*_STATUS))
        own = _of_address([socket for socket in sockets if socket.port in self._ports], self._address)
        rows = rows_of(finished, self._doveadm.words(*_STATUS))
        if not own:
            ports = ", ".join(str(port) for port in sorted(self._ports))
            raise Refused(f"nothing listens at {self._address} on the ports {ports}")
        limits = tuple(_limit(row) for row in rows if row.get("name") in _VITAL)
        return RequestQueue(listening=tuple(socket.queue for socket in own), limits=limits)


def _of_address(sockets: list[ListeningSocket], address: str) -> list[ListeningSocket]:
    """
    Those bound to that address, else those bound to every address; a name may stand for any of them.

    Several Dovecots may share a machine, each with an address of its own.
    """
    exact = [socket for socket in sockets if socket.address == address]
    everywhere = [socket for socket in sockets if socket.is_everywhere]
    return exact or everywhere or ([] if _is_number(address) else sockets)


def _is_number(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True


def _limit(row: dict[str, object]) -> ProcessLimit:
    dropped = _number(row, "last_drop_warning")
    return ProcessLimit(
        service=str(row["name"]),
        used=_number(row, "process_count"),
        limit=_number(row, "process_limit"),
        waiting=row.get("listen_pending") == "y",
        dropped_at=datetime.fromtimestamp(dropped, UTC) if dropped else None,
    )


def _number(row: dict[str, object], name: str) -> int:
    text = str(row.get(name, ""))
    if not (text.isascii() and text.isdigit() and len(text) < 13):
        raise TemporaryFailure(f"doveadm service status: {name} of {row.get('name')} cannot be read")
    return int(text)
