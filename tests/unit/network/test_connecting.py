import errno
import socket
import threading
import time

import pytest

from mailward.model.organization import ImapEndpoint, Security
from mailward.model.probing import Cause
from mailward.network import TcpNetwork
from mailward.network.failures import of_connect, of_stream
from mailward.network.proxy_protocol import header
from mailward.ports.network import Address, NetworkFailure
from mailward.testing.script import Script
from mailward.testing.scripted_server import ScriptedServer


def endpoint(server: ScriptedServer, **settings) -> ImapEndpoint:
    return ImapEndpoint(host=server.host, port=server.port, security=Security.PLAIN, **settings)


@pytest.fixture
def deaf():
    """An address whose backlog is full, so that a connect gets no answer."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(3):
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(listener.getsockname())
    yield Address(host="127.0.0.1", port=listener.getsockname()[1])
    for each in (*waiting, listener):
        each.close()


async def test_the_source_address_is_ours_to_choose():
    async with ScriptedServer(Script().says("* OK hi")).listening() as server:
        target = endpoint(server, source_address="127.0.0.77")
        stream = await TcpNetwork().connect(target, [Address(host=server.host, port=server.port)], timeout=5)
        await stream.read(timeout=5)
        await stream.close()

    assert "127.0.0.77" == server.clients[0][0]


@pytest.mark.parametrize("source", ["192.0.2.1", "::1"])
async def test_a_source_address_we_do_not_have_is_our_own_fault(source):
    target = ImapEndpoint(host="127.0.0.1", source_address=source)
    with pytest.raises(NetworkFailure, match="source address") as caught:
        await TcpNetwork().connect(target, [Address(host="127.0.0.1", port=1)], timeout=5)

    assert Cause.PROBER_FAULT == caught.value.cause


async def test_the_proxy_header_comes_first_and_tells_the_truth():
    async with ScriptedServer(Script().hears().closes()).listening() as server:
        target = endpoint(server, proxy_protocol=True)
        stream = await TcpNetwork().connect(target, [Address(host=server.host, port=server.port)], timeout=5)
        await stream.write(b"p1 NOOP\r\n", timeout=5)
        await stream.read(timeout=5)
        await stream.close()

    assert server.first_bytes[0].startswith(header(server.clients[0], (server.host, server.port)))


def test_the_proxy_header_is_as_specified():
    assert b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x0a\x00\x00\x01\x30\x39\x03\xe1" == header(
        ("127.0.0.1", 12345), ("10.0.0.1", 993)
    )
    assert b"\x21\x21\x00\x24" == header(("::1", 1), ("::1", 2))[12:16]
    assert 52 == len(header(("::1", 1), ("::1", 2)))


async def test_an_address_that_does_not_answer_leaves_time_for_the_next(deaf):
    async with ScriptedServer(Script().says("* OK hi")).listening() as server:
        addresses = [deaf, Address(host=server.host, port=server.port)]
        stream = await TcpNetwork().connect(endpoint(server), addresses, timeout=0.6)
        await stream.close()

    assert (f"{deaf}: no answer within 0.3 s",) == stream.tried


async def test_addresses_that_do_not_answer_are_a_timeout_by_the_deadline(deaf):
    began = time.monotonic()
    with pytest.raises(NetworkFailure) as caught:
        await TcpNetwork().connect(ImapEndpoint(host="x"), [deaf, deaf], timeout=0.4)

    assert Cause.TIMEOUT == caught.value.cause
    assert 2 == len(caught.value.tried)
    assert time.monotonic() - began < 10  # the kernel would wait for minutes


async def test_where_addresses_fail_differently_the_most_telling_cause_wins(deaf):
    with pytest.raises(NetworkFailure) as caught:
        await TcpNetwork().connect(ImapEndpoint(host="x"), [deaf, Address(host="127.0.0.1", port=1)], timeout=0.4)

    assert Cause.REFUSED == caught.value.cause
    assert str(deaf) in caught.value.detail


async def test_ipv6_is_reached_like_ipv4():
    try:
        async with ScriptedServer(Script().says("* OK hi"), host="::1").listening() as server:
            target = endpoint(server)
            network = TcpNetwork()
            stream = await network.connect(target, await network.resolve(target, timeout=5), timeout=5)
            await stream.close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")

    assert f"[::1]:{server.port}" == stream.peer


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (errno.ECONNREFUSED, Cause.REFUSED),
        (errno.EHOSTUNREACH, Cause.UNREACHABLE),
        (errno.ENETUNREACH, Cause.UNREACHABLE),
        (errno.EINVAL, Cause.UNREACHABLE),
        (errno.ETIMEDOUT, Cause.TIMEOUT),
        (errno.ECONNRESET, Cause.CLOSED),
        (errno.EMFILE, Cause.PROBER_FAULT),
        (errno.EADDRNOTAVAIL, Cause.PROBER_FAULT),
    ],
)
def test_each_error_of_a_connect_has_its_cause(code, cause):
    assert cause == of_connect(OSError(code, "x"))[0]


@pytest.mark.parametrize(
    ("code", "cause"),
    [(errno.EPIPE, Cause.CLOSED), (errno.ETIMEDOUT, Cause.TIMEOUT), (errno.EHOSTUNREACH, Cause.UNREACHABLE)],
)
def test_each_error_of_a_stream_has_its_cause(code, cause):
    assert cause == of_stream(OSError(code, "x"))[0]


async def test_a_name_is_looked_up_once_however_many_ask():
    asked = []
    go_on = threading.Event()

    def lookup(host, port, family, kind):
        asked.append(host)
        go_on.wait(5)
        return [(0, 0, 0, "", (address, port)) for address in ("127.0.0.2", "127.0.0.3", "127.0.0.2")]

    network = TcpNetwork(lookup=lookup)
    target = ImapEndpoint(host="mail.example", port=993)
    for _ in range(2):
        with pytest.raises(NetworkFailure) as caught:
            await network.resolve(target, timeout=0.05)
    go_on.set()
    found = await network.resolve(target, timeout=5)

    assert Cause.TIMEOUT == caught.value.cause
    assert ["mail.example"] == asked
    assert ["127.0.0.2:993", "127.0.0.3:993"] == [str(address) for address in found]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Cause.NAME_UNKNOWN),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), Cause.NAME_SERVICE_FAILED),
        (UnicodeError("label too long"), Cause.NAME_UNKNOWN),
    ],
)
async def test_a_name_that_does_not_resolve_says_why(error, cause):
    def lookup(host, port, family, kind):
        raise error

    with pytest.raises(NetworkFailure, match=r"mail\.example") as caught:
        await TcpNetwork(lookup=lookup).resolve(ImapEndpoint(host="mail.example"), timeout=5)

    assert cause == caught.value.cause


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.9", "127.0.0.9:993"), ("::1", "[::1]:993"), ("[::1]", "[::1]:993")]
)
async def test_numeric_hosts_need_no_lookup(host, shown):
    def lookup(host, port, family, kind):
        raise AssertionError("looked up")

    found = await TcpNetwork(lookup=lookup).resolve(ImapEndpoint(host=host), timeout=5)

    assert [shown] == [str(address) for address in found]


async def test_no_address_at_all_is_an_unknown_name():
    with pytest.raises(NetworkFailure) as caught:
        await TcpNetwork().connect(ImapEndpoint(host="mail.example"), [], timeout=5)

    assert Cause.NAME_UNKNOWN == caught.value.cause
