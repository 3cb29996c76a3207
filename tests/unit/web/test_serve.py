"""The socket: ours to bind, closed to the world, never in the way of another manager."""

import asyncio
import os
import socket
import stat
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mailward.model.errors import ConfigError, Refused
from mailward.testing.manager_values import example_manager
from mailward.web.api import build_api
from mailward.web.serve import CONNECTIONS_MAX, bind, serve


@pytest.fixture
def directory():
    with TemporaryDirectory(prefix="mw") as name:
        yield Path(name)


@pytest.fixture
async def served(directory):
    """The socket of an API that is being served."""
    path = directory / "api.sock"
    serving = asyncio.ensure_future(serve(build_api(example_manager()), bind(path)))
    yield path
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def first_line(path: Path, page: str) -> bytes:
    """The first line of the answer; empty when the connection is ended without one."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(f"GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        await close(writer)


@asynccontextmanager
async def crowd(path: Path, *, of: int):
    """So many connections, each a reader and a writer."""
    connections = [await asyncio.open_unix_connection(path) for _ in range(of)]
    try:
        yield connections
    finally:
        for _, writer in connections:
            await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def test_the_world_may_not_open_it_whatever_the_umask(directory):
    before = os.umask(0)
    try:
        with bind(directory / "api.sock"):
            assert 0o660 == stat.S_IMODE((directory / "api.sock").stat().st_mode)
    finally:
        os.umask(before)


def test_nothing_but_the_socket_is_left_in_the_directory(directory):
    with bind(directory / "api.sock"):
        assert ["api.sock"] == [path.name for path in directory.iterdir()]


def test_what_a_dead_manager_left_is_replaced(directory):
    path = directory / "api.sock"
    bind(path).close()

    with bind(path), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))


def test_a_living_manager_is_not_pushed_aside(directory):
    with bind(directory / "api.sock"), pytest.raises(Refused, match="another manager"):
        bind(directory / "api.sock")


def test_a_file_in_the_way_stays(directory):
    path = directory / "api.sock"
    path.write_text("precious")

    with pytest.raises(ConfigError, match="no socket"):
        bind(path)

    assert "precious" == path.read_text()


def test_a_directory_that_is_not_there_is_named(directory):
    with pytest.raises(ConfigError, match="nowhere"):
        bind(directory / "nowhere" / "api.sock")


def test_a_path_longer_than_a_socket_can_have_is_refused_with_the_limit(directory):
    with pytest.raises(ConfigError, match="103 bytes"):
        bind(directory / ("a" * 104))


async def test_serving_ends_when_it_is_cancelled_even_with_a_reader_on_the_stream(directory):
    path = directory / "api.sock"
    serving = asyncio.ensure_future(serve(build_api(example_manager()), bind(path)))
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"HTTP/1.1 200 OK\r\n" == await reader.readline()

    serving.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait_for(serving, 30)
    await asyncio.wait_for(reader.read(), 30)
    writer.close()

    assert serving.cancelled()


async def test_a_header_without_end_is_cut_off(directory):
    path = directory / "api.sock"
    serving = asyncio.ensure_future(serve(build_api(example_manager()), bind(path)))
    reader, writer = await asyncio.open_unix_connection(path)
    with suppress(ConnectionError):
        writer.write(b"GET /livez HTTP/1.1\r\nX: " + b"a" * 100_000)
        await writer.drain()
    received = b""
    with suppress(ConnectionError):
        received = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)

    assert b"200 OK" not in received


async def test_a_crowd_of_idle_connections_keeps_no_load_balancer_from_its_answer(served):
    async with crowd(served, of=CONNECTIONS_MAX) as connections:
        answers = [await first_line(served, "/health/proxy1") for _ in range(3)]

        assert [b"HTTP/1.1 200 OK\r\n"] * 3 == answers
        assert b"" == await connections[0][0].read(), "the one that was silent for longest was ended"


async def test_a_connection_more_than_can_be_served_is_ended_without_an_answer_that_could_be_misread(served):
    async with crowd(served, of=CONNECTIONS_MAX) as connections:
        for reader, writer in connections:
            writer.write(b"GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP/1.1 200 OK\r\n" == await reader.readline()

        assert b"" == await first_line(served, "/health/proxy1")
