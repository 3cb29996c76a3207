"""TCP connections: one address after the other, from our own source address, with a PROXY header where wanted."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Callable, Sequence

from mailward.model.organization import ImapEndpoint
from mailward.model.probing import Cause
from mailward.network import failures
from mailward.network.proxy_protocol import header_for
from mailward.network.readiness import Expired, Readiness
from mailward.ports.network import Address, NetworkFailure

#: Where several addresses fail differently, the one that says most about the server wins.
_TELLING = (Cause.REFUSED, Cause.CLOSED, Cause.TIMEOUT, Cause.UNREACHABLE, Cause.PROBER_FAULT)
_BIND_ADDRESS_NO_PORT = 24  # Linux: choose the port at connect, so that one source serves many destinations


class Connected:
    """A connected socket, and what was tried before."""

    def __init__(self, connected: socket.socket, readiness: Readiness, address: Address, tried: Sequence[str]) -> None:
        self.socket = connected
        self.readiness = readiness
        self.address = address
        self.tried = tuple(tried)


async def connect_to_any(endpoint: ImapEndpoint, addresses: Sequence[Address], *, timeout: float) -> Connected:
    """
    Connect to the first of *addresses* that answers. Each gets an equal share of the time that is left.

    Raises:
        NetworkFailure: None did. The cause is the most telling one; `tried` names every address and its answer.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + timeout
    causes: list[Cause] = []
    tried: list[str] = []
    for position, address in enumerate(addresses):
        share = (ends - loop.time()) / (len(addresses) - position)
        try:
            connected, readiness = await _connect(endpoint, address, timeout=share)
        except Expired:
            causes.append(Cause.TIMEOUT)
            tried.append(f"{address}: no answer within {share:.3g} s")
        except OSError as error:
            cause, words = failures.of_connect(error)
            causes.append(cause)
            tried.append(f"{address}: {words}")
        else:
            return Connected(connected, readiness, address, tried)
    if not tried:
        raise NetworkFailure(Cause.NAME_UNKNOWN, f"there is no address for the name {endpoint.host}")
    raise NetworkFailure(min(causes, key=_TELLING.index), "; ".join(tried), tried=tried)


async def _connect(endpoint: ImapEndpoint, address: Address, *, timeout: float) -> tuple[socket.socket, Readiness]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    new = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    readiness = Readiness(new.fileno())
    try:
        new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.source_address:
            _bind(new, family, endpoint.source_address)
        await readiness.run(_attempt(new, address), timeout=timeout)
        if endpoint.proxy_protocol:
            new.send(header_for(new))  # 52 bytes at most into an empty buffer: taken whole
    except BaseException:
        readiness.stop()
        new.close()
        raise
    return new, readiness


def _bind(new: socket.socket, family: int, source: str) -> None:
    if (":" in source) != (family == socket.AF_INET6):
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    with contextlib.suppress(OSError):
        new.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
    new.bind((source, 0))


def _attempt(new: socket.socket, address: Address) -> Callable[[], None]:
    """Return what begins to connect when called first, and says how it went when called again."""
    host, _, zone = address.host.partition("%")
    scope = socket.if_nametoindex(zone) if zone and not zone.isdigit() else int(zone or 0)
    target = (host, address.port, 0, scope) if ":" in host else (host, address.port)
    has_begun = False

    def attempt() -> None:
        nonlocal has_begun
        if has_begun:
            code = new.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        else:
            has_begun = True
            code = new.connect_ex(target)
        if code in (errno.EINPROGRESS, errno.EAGAIN):
            raise ssl.SSLWantWriteError
        if code:
            raise OSError(code, os.strerror(code))

    return attempt
