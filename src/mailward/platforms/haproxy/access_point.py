"""
AccessPointControl by HAProxy's runtime socket: "haproxy:SOCKET" with the name of the backend.

Taking out is `state maint` and then `shutdown sessions`, not `state drain`: a proxy is taken out because it does not
serve, and a session left on it is a user who waits; ended, the mail program connects again and meets another proxy.
Maintenance also stops what drain lets through (stick tables, `option persist`), and is what `show stat` shows clearly,
also while HAProxy's own check finds the proxy down.

HAProxy does not say who ordered a maintenance. `members` tells that one was ordered; whether it may be taken back is
for the caller to decide, who knows what it ordered itself. A reload of HAProxy forgets every order, unless its state
is kept in a server-state file.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.haproxy.runtime_socket import DONE, RuntimeSocket, excerpt
from mailward.platforms.haproxy.statistics import ServerRow, member, servers_of
from mailward.ports.access_point_control import PUT_BACK, TAKE_OUT, Member, Membership

_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
"""HAProxy's own rule for names; it leaves no room for the `;` and line end that would begin another command."""
_NAME_MAX = 200
_PAUSE_S = 0.05
_LINES: Mapping[str, tuple[str, ...]] = {
    TAKE_OUT: ("set server {} state maint", "shutdown sessions server {}"),
    PUT_BACK: ("set server {} state ready",),
}


class HAProxyAccessPoint:
    """The servers of one backend of one HAProxy."""

    def __init__(
        self,
        socket: Path,
        backend: str,
        names: Mapping[str, str],
        *,
        answer_seconds: float = 5.0,
        settling_seconds: float = 5.0,
    ) -> None:
        """
        Nothing is asked yet.

        Args:
            socket: The runtime socket, `level admin`.
            backend: The backend whose servers the proxies are.
            names: Name of the proxy here -> its name there; one that is not in it has the same name there.
            answer_seconds: How long one answer may take.
            settling_seconds: How long an order may take to show in the statistics, and the sessions to end.
        """
        self._runtime = RuntimeSocket(socket, seconds=answer_seconds)
        self._backend = backend
        self._names = dict(names)
        self._settling = settling_seconds

    async def members(self) -> tuple[Member, ...]:
        """
        The servers of the backend, and those that should be there and are not (UNKNOWN).

        Raises:
            TemporaryFailure: HAProxy cannot be asked.
            Refused: There is no such backend, or we may not see it.
        """
        rows = await self._rows()
        ours = {name: server for server, name in self._names.items()}
        found = [member(ours.get(name, name), row) for name, row in rows.items()]
        missing = [
            Member(server=server, membership=Membership.UNKNOWN, because=self._no_such(name))
            for server, name in self._names.items()
            if name not in rows
        ]
        return (*found, *missing)

    async def take_out(self, server: str) -> None:
        """
        Put *server* into maintenance and end its sessions; returns when HAProxy shows both.

        Raises:
            Refused: HAProxy says no.
            TemporaryFailure: HAProxy cannot be asked, or does not show it in time; it may be out.
        """
        await self._order(TAKE_OUT, server)
        row = await self._settled(server, lambda row: row.is_in_maintenance and not row.sessions)
        if not row.is_in_maintenance:
            raise TemporaryFailure(f"HAProxy took the order, but shows {server} as {row.status}: somebody put it back?")
        if row.sessions:
            raise TemporaryFailure(
                f"{server} is out, but {row.sessions} of its sessions have not ended after {self._settling:g} s"
            )

    async def put_back(self, server: str) -> None:
        """
        Make *server* ready again; returns when HAProxy holds it neither in maintenance nor draining.

        HAProxy's own check may still find it down; then it is sent clients as soon as that check succeeds.

        Raises:
            Refused: HAProxy says no, or something that is not ours keeps it out: a weight of 0, a tracked server.
            TemporaryFailure: HAProxy cannot be asked; it may be back.
        """
        await self._order(PUT_BACK, server)
        row = await self._settled(server, lambda row: not (row.is_in_maintenance or row.is_draining))
        if row.is_in_maintenance or row.is_draining:
            raise Refused(f"{server} is not back: {member(server, row).because}, which `state ready` does not end")

    def command(self, deed: str, server: str) -> tuple[str, ...]:
        """
        The lines that `take_out` or `put_back` sends to the socket, one after the other.

        Raises:
            Refused: There is no such deed, or a name that HAProxy cannot have; nothing was sent.
        """
        if deed not in _LINES:
            raise Refused(f"an access point can {' or '.join(_LINES)}, not {deed!r}")
        where = f"{_checked(self._backend)}/{_checked(self._there(server))}"
        return tuple(line.format(where) for line in _LINES[deed])

    async def _order(self, deed: str, server: str) -> None:
        for number, line in enumerate(self.command(deed, server)):
            answer = await self._runtime.ask(line)
            if answer == DONE:
                continue
            sentence = f"HAProxy answered {line!r} with: {excerpt(answer)}"
            # A refusal promises that nothing was changed, which is true of the first line only.
            raise TemporaryFailure(f"{sentence}; the lines before it were done") if number else Refused(sentence)

    async def _settled(self, server: str, is_settled: Callable[[ServerRow], bool]) -> ServerRow:
        """The row of *server* as soon as it is settled, or as it is when the time is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settling
        while True:
            row = await self._row(server)
            if is_settled(row) or loop.time() >= deadline:
                return row
            await asyncio.sleep(_PAUSE_S)

    async def _row(self, server: str) -> ServerRow:
        rows, name = await self._rows(), self._there(server)
        if name not in rows:
            raise Refused(self._no_such(name))
        return rows[name]

    async def _rows(self) -> Mapping[str, ServerRow]:
        answer = await self._runtime.ask(f"show stat {_checked(self._backend)} 4 -1")
        return {row.name: row for row in servers_of(self._backend, answer)}

    def _there(self, server: str) -> str:
        return self._names.get(server, server)

    def _no_such(self, name: str) -> str:
        return f"HAProxy has no server {name!r} in the backend {self._backend!r}"


def _checked(name: str) -> str:
    if len(name) > _NAME_MAX or not _NAME.fullmatch(name):
        raise Refused(f"{name[:_NAME_MAX]!r} cannot be a name in HAProxy: letters, digits and _ . : - are")
    return name
