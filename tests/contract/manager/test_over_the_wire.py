"""What only the way over API, socket and client can get wrong."""

import asyncio
import os
import subprocess
import sys

import pytest

from mailward.client.errors import NoManager
from mailward.client.manager import ManagerClient
from mailward.model.errors import PermanentFailure, TemporaryFailure
from mailward.testing.manager_values import EVENTS

ASK_AS = """
import os, sys
from pathlib import Path
from mailward.client.manager import ManagerClient
from mailward.model.errors import MailwardError
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    print(ManagerClient(Path(sys.argv[1])).status().organization)
except MailwardError as error:
    print(error)
"""


async def test_following_without_a_point_begins_now(socket_path):
    path, fake = socket_path
    events = ManagerClient(path).follow()
    assert await asyncio.to_thread(next, events, "end") is None  # the stream is open

    recorded = await fake.record(EVENTS[1])

    assert recorded == await asyncio.to_thread(next, events, "end")
    await fake.stop()
    assert "end" == await asyncio.to_thread(next, events, "end")


async def test_where_nobody_listens_there_is_no_manager(short_directory):
    with pytest.raises(NoManager, match="mailward run"):
        ManagerClient(short_directory / "api.sock").status()


async def test_a_manager_that_faults_is_a_permanent_failure_without_a_trace(socket_path, caplog):
    path, fake = socket_path
    fake.status_now = None

    with pytest.raises(PermanentFailure, match="its log says why") as caught:
        await asyncio.to_thread(ManagerClient(path).status)

    assert "Traceback" not in str(caught.value)


async def test_who_asks_is_who_is_recorded(socket_path):
    path, fake = socket_path

    await asyncio.to_thread(ManagerClient(path).reload)

    assert 1 == len(fake.reloaded_by)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("mode", [0o660, 0o666])
async def test_another_user_is_refused_by_the_socket_and_even_when_it_is_open_to_the_world(socket_path, mode):
    path, _ = socket_path
    path.parent.chmod(0o755)
    path.chmod(mode)

    command = [sys.executable, "-c", ASK_AS, str(path)]
    asked = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=20)

    assert "a member of the group 'mailward'" in asked.stdout
    assert "Example" not in asked.stdout


async def test_a_manager_that_dies_while_followed_is_a_temporary_failure(short_directory):
    path = short_directory / "api.sock"

    async def answer_and_die(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n: hello\n\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer_and_die, path)
    async with server:
        events = ManagerClient(path).follow(after=1)
        assert await asyncio.to_thread(next, events, "end") is None
        with pytest.raises(TemporaryFailure, match="broke"):
            await asyncio.to_thread(next, events, "end")


async def test_something_else_behind_the_socket_is_told_from_a_manager(short_directory):
    path = short_directory / "api.sock"

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, path)
    async with server:
        with pytest.raises(PermanentFailure, match="no mailward manager"):
            await asyncio.to_thread(ManagerClient(path).status)
