"""
Serves the API on a unix socket, and with the dashboard over TCP, inside the manager's own event loop.

We bind the unix socket ourselves, because uvicorn would make it world-writable; and we take no signals, because they
are the manager's.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from mailward.model.errors import ConfigError, Refused
from mailward.web.access import Peer, access_of_this_process, peer_of

_PATH_MAX = 107
"""Bytes of a unix socket's path on Linux: sun_path less its final NUL (unix(7))."""
_BACKLOG = 128
_HEADER_BYTES_MAX = 16 * 1024
CONNECTIONS_MAX = 256
_SHUTDOWN_SECONDS = 1
_log = logging.getLogger("mailward.web")


def bind(path: Path) -> socket.socket:
    """
    Return a listening socket at *path*, which only its owner and the group `mailward` may open (0660).

    It appears under its name only when its permissions are in place. A socket that a dead manager left is replaced.

    Raises:
        ConfigError: There can be no socket at *path*.
        Refused: Another manager answers there.
    """
    if len(os.fsencode(path)) > _PATH_MAX - len(".new"):
        raise ConfigError(f"the socket path {path} is too long: {_PATH_MAX - len('.new')} bytes are possible")
    if _answers(path):
        raise Refused(f"another manager is already answering at {path}; stop it first, or use another state directory")
    draft = path.with_name(path.name + ".new")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        draft.unlink(missing_ok=True)
        listener.bind(os.fspath(draft))
        draft.chmod(0o660)
        _give_to_viewers(draft)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        draft.replace(path)
    except OSError as error:
        listener.close()
        raise ConfigError(f"no socket can be made at {path}: {os.strerror(error.errno or errno.EIO)}") from error
    return listener


def bind_tcp(host: str, port: int) -> socket.socket:
    """
    Return a socket that listens on an IP address of this machine.

    Raises:
        ConfigError: There can be none: somebody else listens there, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        why = os.strerror(error.errno or errno.EIO)
        raise ConfigError(
            f"[web] listen: nothing can listen on {host} port {port}: {why}; end what listens there, or name another"
        ) from error
    return listener


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    tls: ssl.SSLContext | None = None,
    on_answering: Callable[[], None] = lambda: None,
) -> None:
    """
    Answer requests on *listener*, by TLS where there is a context for it, until cancelled; requests under way get a
    second to finish.

    *on_answering* is called once the first of them can be answered.
    """
    server = _Server(
        on_answering,
        uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ssl_context_factory=None if tls is None else lambda _config, _default: tls,
            h11_max_incomplete_event_size=_HEADER_BYTES_MAX,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        ),
    )
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which says when it has started."""

    def __init__(self, on_answering: Callable[[], None], config: uvicorn.Config) -> None:
        super().__init__(config)
        self._on_answering = on_answering

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_answering()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Connection(H11Protocol):
    """
    A connection that knows who is at its other end; the app finds it as `scope["state"]["peer"]`.

    One connection too many ends the one that has been silent for longest, or itself when all are at work. uvicorn's own
    limit would answer 503, which a load balancer at /health takes for the word of mailward on that server.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "peer": _peer(transport)}
        self.heard_at = self.loop.time()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        super().data_received(data)

    def _make_room(self) -> None:
        alive = [one for one in self.connections if isinstance(one, _Connection) and not one.transport.is_closing()]
        if len(alive) <= CONNECTIONS_MAX:
            return
        silent = [one for one in alive if one is not self and (one.cycle is None or one.cycle.response_complete)]
        _log.warning("more than %d connections to the API; one is ended", CONNECTIONS_MAX)
        min(silent, key=lambda one: one.heard_at, default=self).transport.abort()


def _peer(transport: asyncio.Transport) -> Peer | None:
    try:
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as connection:
            return peer_of(connection)
    except OSError:
        return None


def _answers(path: Path) -> bool:
    if path.exists() and not path.is_socket():
        raise ConfigError(f"{path} is in the way: it is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as attempt:
        attempt.settimeout(1)
        try:
            attempt.connect(os.fspath(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError as error:
            raise ConfigError(f"{path} is in the way: {error.strerror}") from error
        return True


def _give_to_viewers(path: Path) -> None:
    group = access_of_this_process().viewer_group
    if group is not None:
        with contextlib.suppress(PermissionError):  # we are no member of it: the socket stays ours alone
            os.chown(path, -1, group)
