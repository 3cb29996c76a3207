"""
Names to addresses. The system's resolver blocks, so each lookup has a thread of its own.

A daemon thread, because a hung name service must keep neither other lookups nor the end of the program waiting; and
one for each name at a time, so that probing through such a hang does not pile up threads.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from mailward.model.probing import Cause
from mailward.network import failures
from mailward.ports.network import Address, NetworkFailure

#: As socket.getaddrinfo: (host, port, family, type) to entries whose last member is the socket address.
Lookup = Callable[[str, int, int, int], Sequence[Any]]


def system_lookup(host: str, port: int, family: int, kind: int) -> Sequence[Any]:
    """Ask the system's resolver, /etc/hosts and name service as it is configured."""
    return socket.getaddrinfo(host, port, family, kind)


class Resolver:
    """Looks names up."""

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup = lookup
        self._under_way: dict[tuple[str, int], asyncio.Future[Sequence[Any]]] = {}

    async def resolve(self, host: str, port: int, *, timeout: float) -> tuple[Address, ...]:
        """
        Return the addresses of *host* in the order of RFC 6724, as the system sorts them.

        Raises:
            NetworkFailure: NAME_UNKNOWN, NAME_SERVICE_FAILED or TIMEOUT.
        """
        bare = host.strip("[]")
        if is_numeric(bare):
            return (Address(host=bare, port=port),)
        answer = self._under_way.get((host, port))
        if answer is None or answer.get_loop() is not asyncio.get_running_loop():
            answer = self._ask(host, port)
        done, _ = await asyncio.wait((answer,), timeout=max(timeout, 0))
        if not done:
            raise NetworkFailure(Cause.TIMEOUT, f"the name service did not answer for {host} within {timeout:g} s")
        try:
            found = answer.result()
        except (OSError, ValueError) as error:
            raise NetworkFailure(*failures.of_lookup(error, host)) from error
        hosts = dict.fromkeys(str(entry[4][0]) for entry in found)
        return tuple(Address(host=each, port=port) for each in hosts)

    def _ask(self, host: str, port: int) -> "asyncio.Future[Sequence[Any]]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Any]] = loop.create_future()
        self._under_way[host, port] = answer

        def settle(found: Sequence[Any] | None, error: BaseException | None) -> None:
            self._under_way.pop((host, port), None)
            if answer.cancelled():
                return
            if error is not None:
                answer.set_exception(error)
                answer.exception()  # nobody may be waiting any more
            else:
                answer.set_result(found or ())

        def look_up() -> None:
            found: Sequence[Any] | None = None
            problem: BaseException | None = None
            try:
                found = self._lookup(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM)
            except (OSError, ValueError) as error:
                problem = error
            try:
                loop.call_soon_threadsafe(settle, found, problem)
            except RuntimeError:
                return  # the loop has ended meanwhile; nobody wants the answer

        threading.Thread(target=look_up, name=f"lookup {host}", daemon=True).start()
        return answer


def is_numeric(host: str) -> bool:
    """Whether *host* is an address already."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False
