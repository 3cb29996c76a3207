import asyncio
import contextlib
import socket
import time
from datetime import timedelta

import pytest

from mailward.model.organization import ImapEndpoint, Security
from mailward.model.probing import Cause
from mailward.network import TcpNetwork
from mailward.network.loop_lag import LoopLag
from mailward.ports.network import NetworkFailure
from mailward.testing.script import Script
from mailward.testing.scripted_server import ScriptedServer


async def a_stream(server: ScriptedServer):
    target = ImapEndpoint(host=server.host, port=server.port, security=Security.PLAIN)
    network = TcpNetwork()
    return await network.connect(target, await network.resolve(target, timeout=5), timeout=5)


async def test_a_cancelled_read_can_be_followed_by_another():
    async with ScriptedServer(Script().hears().says("* OK hi")).listening() as server:
        stream = await a_stream(server)
        reading = asyncio.create_task(stream.read(timeout=5))
        await asyncio.sleep(0)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await stream.write(b"p1 NOOP\r\n", timeout=5)
        assert b"* OK hi\r\n" == await stream.read(timeout=5)
        await stream.close()


async def test_a_peer_that_takes_nothing_is_a_timeout():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = ImapEndpoint(host="127.0.0.1", port=listener.getsockname()[1], security=Security.PLAIN)
        network = TcpNetwork()
        stream = await network.connect(target, await network.resolve(target, timeout=5), timeout=5)
        with pytest.raises(NetworkFailure) as caught:
            await stream.write(b"x" * 50_000_000, timeout=0.2)
        await stream.close()

    assert Cause.TIMEOUT == caught.value.cause


async def test_a_large_write_goes_through_while_the_server_talks():
    script = Script().sends(b"* OK " + b"y" * 60_000 + b"\r\n").hears().says("done").closes()
    async with ScriptedServer(script).listening() as server:
        stream = await a_stream(server)
        await stream.write(b"p1 " + b"x" * 4_000_000 + b"\r\n", timeout=10)
        heard = b""
        while piece := await stream.read(timeout=5):
            heard += piece
        await stream.close()

    assert heard.endswith(b"y\r\ndone\r\n")


async def test_unread_data_does_not_keep_the_loop_spinning():
    async with ScriptedServer(Script().says("* OK hi").waits(0.02).says("* OK more")).listening() as server:
        stream = await a_stream(server)
        await stream.read(timeout=5)
        began = time.process_time()
        await asyncio.sleep(0.3)
        spent = time.process_time() - began
        await stream.close()

    assert spent < 0.1


async def test_a_blocked_loop_shows_as_lag():
    lag = LoopLag()
    lag.watch()
    await asyncio.sleep(0.06)
    time.sleep(0.3)

    assert lag.worst() > timedelta(seconds=0.2)


async def test_a_loop_with_nothing_to_do_shows_little_lag():
    lag = LoopLag()
    lag.watch()
    async with asyncio.timeout(30):  # what a busy machine keeps from this process is lag as well, for a second
        while True:
            await asyncio.sleep(0.12)
            if lag.worst() < timedelta(seconds=0.1):
                return
