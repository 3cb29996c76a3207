"""
A server of our own making on a real loopback port, with TLS where the script says so.

Over it go scripts (obedient and hostile) and the small `ObedientServer`. What it was asked to do after the client has
gone is forgotten; `listening()` leaves no task, socket or thread behind.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from typing import cast

from mailward.testing.server_tls import ServerTls
from mailward.testing.steps import Close, Flood, Reset, Say, Server, Session, Stall, StartTls, Step, Wait

_LINGER_NOT = struct.pack("ii", 1, 0)


class ScriptedServer:
    """
    Serves one `Server` (such as a `Script`) on 127.0.0.1.

    Args:
        server: What to serve.
        tls: The context for the script's `starts_tls()`.
        host: The address to listen on.
    """

    def __init__(self, server: Server, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.server = server
        self.host = host
        self.port = 0
        self.connections = 0
        """How many there have been."""
        self.sent_bytes = 0
        """What clients took of us, before TLS."""
        self.first_bytes: list[bytes] = []
        """What each connection heard first: a PROXY header, for instance."""
        self.clients: list[tuple[str, int]] = []
        """Where they came from."""
        self._tls = tls
        self.open: set[_Connection] = set()
        """The connections that have not ended."""

    @contextlib.asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator["ScriptedServer"]:
        """Serve for as long as the context lasts."""
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(self._connection, self.host, port)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            for connection in list(self.open):
                await connection.end()
            await listener.wait_closed()

    def _connection(self) -> "_Connection":
        return _Connection(self, self.server.session(), self._tls)


class _Connection(asyncio.Protocol):
    def __init__(self, owner: ScriptedServer, session: Session, context: ssl.SSLContext | None) -> None:
        self._owner = owner
        self._session = session
        self._context = context
        self._tls: ServerTls | None = None
        self._awaits_handshake = False
        self._held = b""
        self._established = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._todo: asyncio.Queue[Step] = asyncio.Queue()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._has_heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._owner.connections += 1
        self._owner.clients.append(transport.get_extra_info("peername")[:2])
        self._owner.open.add(self)
        self._add(self._session.opening(self._add))
        self._task = asyncio.get_running_loop().create_task(self._play())

    def data_received(self, data: bytes) -> None:
        if not self._has_heard:
            self._has_heard = True
            self._owner.first_bytes.append(data)
        if self._awaits_handshake:
            self._held += data  # the script is not there yet
        elif self._tls is not None:
            self._hear_secretly(self._tls, data)
        else:
            self._add(self._session.hear(data))

    def connection_lost(self, _exc: Exception | None) -> None:
        self._owner.open.discard(self)
        self._session.gone()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    async def end(self) -> None:
        """Break off whatever is going on."""
        if self._transport is not None:
            self._transport.abort()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _hear_secretly(self, tls: ServerTls, data: bytes) -> None:
        assert self._transport is not None
        try:
            said = tls.feed(data)
        except ssl.SSLError:
            self._transport.write(tls.to_send())
            self._transport.close()
            return
        self._transport.write(tls.to_send())
        if tls.is_established:
            self._established.set()
        if said:
            self._add(self._session.hear(said))

    def _add(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._awaits_handshake |= isinstance(step, StartTls)
            self._todo.put_nowait(step)

    async def _play(self) -> None:
        while True:
            await self._do(await self._todo.get())

    async def _do(self, step: Step) -> None:
        transport = self._transport
        assert transport is not None
        match step:
            case Say(data):
                await self._write(transport, data)
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Stall():
                await asyncio.Event().wait()
            case Flood(data):
                while not transport.is_closing():
                    await self._write(transport, data)
                    await asyncio.sleep(0)
            case StartTls():
                await self._start_tls()
            case Close():
                transport.close()
            case Reset():
                plain = transport.get_extra_info("socket")
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                transport.abort()

    async def _write(self, transport: asyncio.Transport, data: bytes) -> None:
        await self._may_write.wait()
        transport.write(self._tls.say(data) if self._tls else data)
        self._owner.sent_bytes += len(data)

    async def _start_tls(self) -> None:
        assert self._context is not None, "the script starts TLS, but the server was given no context"
        self._tls = ServerTls(self._context)
        self._awaits_handshake = False
        held, self._held = self._held, b""
        if held:
            self._hear_secretly(self._tls, held)
        await self._established.wait()
