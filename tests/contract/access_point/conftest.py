"""Each implementation of AccessPointControl with two proxies and clients; HAProxy is a real one."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.haproxy.access_point import HAProxyAccessPoint
from mailward.platforms.haproxy.runtime_socket import RuntimeSocket
from mailward.ports.access_point_control import AccessPointControl, Membership
from mailward.testing.access_point import TameAccessPoint

PROXIES = ("proxy1", "proxy2")
#: How HAProxy calls them: a name of its own, so that the translation is tried as well.
_THERE = {"proxy1": "imap_proxy:1", "proxy2": "imap_proxy:2"}
_FRONT, _BEHIND = "127.0.9.1", {"proxy1": "127.0.9.2", "proxy2": "127.0.9.3"}


@dataclass
class Behind:
    """An access point with two proxies, both in."""

    control: AccessPointControl
    connect: Callable[[], Awaitable[str]]
    """A client comes and stays; the proxy it met."""
    ended: Callable[[str, float], Awaitable[bool]]
    """Whether every client of that proxy has been sent away within so many seconds."""
    order: Callable[[str, Membership], Awaitable[None]]
    """Somebody else orders a proxy OUT or DRAINING."""
    unreachable: AccessPointControl
    """A control whose load balancer cannot be asked."""


@pytest.fixture(params=["haproxy", "tame"])
async def behind(request: pytest.FixtureRequest) -> AsyncIterator[Behind]:
    """One access point per implementation."""
    if request.param == "tame":
        yield _tame()
        return
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        pytest.skip("haproxy is not installed: apt-get install haproxy")
    directory = Path(tempfile.mkdtemp(prefix="mwa-"))
    try:
        async with _haproxy(program, directory) as found:
            yield found
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _tame() -> Behind:
    control, unreachable = TameAccessPoint(PROXIES), TameAccessPoint(PROXIES)
    unreachable.unreachable = "the test says so"

    async def connect() -> str:
        return control.connect()

    async def ended(server: str, _seconds: float) -> bool:
        return {one.server: one.sessions for one in await control.members()}[server] == 0

    async def order(server: str, membership: Membership) -> None:
        control.become(server, membership, was_ordered=True)

    return Behind(control, connect, ended, order, unreachable)


@asynccontextmanager
async def _haproxy(program: str, directory: Path) -> AsyncIterator[Behind]:
    async with AsyncExitStack() as stack:
        ports = {proxy: await _greeter(stack, proxy, address) for proxy, address in _BEHIND.items()}
        entrance = _free_port()
        (directory / "haproxy.cfg").write_text(_configuration(directory, entrance, ports))
        process = await asyncio.create_subprocess_exec(program, "-db", "-f", str(directory / "haproxy.cfg"))
        stack.push_async_callback(process.wait)
        stack.callback(_kill, process)
        door = directory / "haproxy.sock"
        control = HAProxyAccessPoint(door, "proxies", _THERE)
        await _until_both_are_in(control)
        clients: list[tuple[str, asyncio.StreamReader, asyncio.StreamWriter]] = []

        async def connect() -> str:
            reader, writer = await asyncio.open_connection(_FRONT, entrance)
            stack.callback(writer.transport.abort)
            greeting = (await reader.readline()).decode().strip()
            clients.append((greeting, reader, writer))
            return greeting

        async def ended(server: str, seconds: float) -> bool:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    ends = await asyncio.gather(*(reader.read() for name, reader, _ in clients if name == server))
                    return all(end == b"" for end in ends)
            return False

        async def order(server: str, membership: Membership) -> None:
            word = {Membership.OUT: "maint", Membership.DRAINING: "drain"}[membership]
            assert await RuntimeSocket(door).ask(f"set server proxies/{_THERE[server]} state {word}") == ""

        unreachable = HAProxyAccessPoint(directory / "nosuch.sock", "proxies", _THERE)
        yield Behind(control, connect, ended, order, unreachable)


async def _greeter(stack: AsyncExitStack, name: str, address: str) -> int:
    """A proxy that says its name and then stays silent."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name.encode() + b"\n")
        with suppress(OSError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, address, 0)
    stack.callback(server.close)
    return int(server.sockets[0].getsockname()[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_FRONT, 0))
        return int(probe.getsockname()[1])


def _configuration(directory: Path, entrance: int, ports: dict[str, int]) -> str:
    servers = "\n".join(f"  server {_THERE[proxy]} {_BEHIND[proxy]}:{port}" for proxy, port in ports.items())
    return f"""
global
  stats socket {directory}/haproxy.sock mode 600 level admin
  maxconn 100
defaults
  mode tcp
  timeout connect 2s
  timeout client 1m
  timeout server 1m
frontend imap
  bind {_FRONT}:{entrance}
  default_backend proxies
backend proxies
  balance leastconn
{servers}
backend others
  server imap_proxy:9 127.0.9.9:9
"""


async def _until_both_are_in(control: HAProxyAccessPoint) -> None:
    async with asyncio.timeout(10):
        while True:
            with suppress(TemporaryFailure):
                if {Membership.IN} == {one.membership for one in await control.members()}:
                    return
            await asyncio.sleep(0.02)


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
