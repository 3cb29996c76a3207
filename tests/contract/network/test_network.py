"""The Network port, kept by real sockets and by the network in memory alike."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import trustme

from mailward.imap import Conversation, Login, RemoteProtocolError, Select, StartTls, Violation
from mailward.model.organization import ImapEndpoint, Security, TlsPolicy
from mailward.model.probing import Cause
from mailward.network import TcpNetwork
from mailward.ports.network import Address, Network, NetworkFailure, Stream
from mailward.testing.memory_network import ScriptedNetwork
from mailward.testing.obedient_server import ObedientServer
from mailward.testing.script import Script
from mailward.testing.scripted_server import ScriptedServer
from mailward.testing.steps import Server

SOON = 0.3
Serve = Callable[..., contextlib.AbstractAsyncContextManager["Site"]]


@dataclass
class Site:
    """A network with one server in it."""

    network: Network
    endpoint: ImapEndpoint

    async def stream(self) -> Stream:
        addresses = await self.network.resolve(self.endpoint, timeout=5)
        return await self.network.connect(self.endpoint, addresses, timeout=5)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return made, str(path)


@pytest.fixture(params=["sockets", "memory"])
def serve(request, authority) -> Serve:
    ca, ca_file = authority

    @contextlib.asynccontextmanager
    async def in_sockets(server: Server, *, security: Security, good: bool) -> AsyncIterator[Site]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost" if good else "elsewhere.example").configure_cert(context)
        async with ScriptedServer(server, tls=context).listening() as listening:
            endpoint = ImapEndpoint(
                host="127.0.0.1",
                port=listening.port,
                security=security,
                tls=TlsPolicy(ca_file=ca_file, expected_name="localhost"),
            )
            yield Site(TcpNetwork(), endpoint)

    @contextlib.asynccontextmanager
    async def in_memory(server: Server, *, security: Security, good: bool) -> AsyncIterator[Site]:
        failures = {} if good else {"127.0.0.1:993": (Cause.TLS_NAME, None)}
        network = ScriptedNetwork({"127.0.0.1:993": server}, tls_failures=failures)
        yield Site(network, ImapEndpoint(host="127.0.0.1", port=993, security=security))
        assert 0 == network.open_streams

    chosen = in_sockets if request.param == "sockets" else in_memory

    def start(server: Server, *, security: Security = Security.PLAIN, good: bool = True):
        return chosen(server, security=security, good=good)

    return start


@contextlib.asynccontextmanager
async def opened(site: Site) -> AsyncIterator[Stream]:
    stream = await site.stream()
    try:
        yield stream
    finally:
        await stream.close()


async def read_all(stream: Stream, *, timeout: float = 5) -> bytes:
    data = b""
    while piece := await stream.read(timeout=timeout):
        data += piece
    return data


async def test_a_stream_carries_bytes_both_ways_until_the_server_closes(serve):
    script = Script().says("* OK ready").hears("NOOP").says("{tag} OK done").closes()
    async with serve(script) as site, opened(site) as stream:
        assert b"* OK ready\r\n" == await stream.read(timeout=5)
        await stream.write(b"p1 NOOP\r\n", timeout=5)
        assert b"p1 OK done\r\n" == await read_all(stream)
        assert stream.peer.endswith(f":{site.endpoint.port}")
        assert stream.tls is None


async def test_the_end_of_the_stream_stays_the_end(serve):
    async with serve(Script().closes()) as site, opened(site) as stream:
        assert [b"", b""] == [await stream.read(timeout=5), await stream.read(timeout=5)]


async def test_a_silent_server_is_a_timeout(serve):
    async with serve(Script().stalls()) as site, opened(site) as stream:
        with pytest.raises(NetworkFailure) as caught:
            await stream.read(timeout=SOON)

    assert Cause.TIMEOUT == caught.value.cause


async def test_a_read_goes_on_after_a_timeout(serve):
    async with serve(Script().waits(0.2).says("* OK late")) as site, opened(site) as stream:
        with pytest.raises(NetworkFailure):
            await stream.read(timeout=0.05)
        assert b"* OK late\r\n" == await stream.read(timeout=5)


async def test_a_broken_connection_is_closed(serve):
    async with serve(Script().hears("NOOP").resets()) as site, opened(site) as stream:
        await stream.write(b"p1 NOOP\r\n", timeout=5)
        with pytest.raises(NetworkFailure) as caught:
            await stream.read(timeout=5)

    assert Cause.CLOSED == caught.value.cause


async def test_implicit_tls_is_a_phase_of_its_own(serve):
    script = Script().starts_tls().says("* OK ready").closes()
    async with serve(script, security=Security.TLS) as site, opened(site) as stream:
        await stream.start_tls(timeout=5)
        assert stream.tls is not None
        assert "TLSv1.3" == stream.tls.version
        assert b"* OK ready\r\n" == await read_all(stream)


async def test_starttls_encrypts_a_conversation_under_way(serve):
    script = Script().says("* OK ready").hears("STARTTLS").says("{tag} OK begin").starts_tls()
    script = script.hears("NOOP").says("{tag} OK done").closes()
    async with serve(script, security=Security.STARTTLS) as site, opened(site) as stream:
        await stream.read(timeout=5)
        await stream.write(b"p1 STARTTLS\r\n", timeout=5)
        await stream.read(timeout=5)
        await stream.start_tls(timeout=5)
        await stream.write(b"p2 NOOP\r\n", timeout=5)
        assert b"p2 OK done\r\n" == await read_all(stream)


async def test_a_certificate_of_another_name_is_refused(serve):
    script = Script().starts_tls().says("* OK ready")
    async with serve(script, security=Security.TLS, good=False) as site, opened(site) as stream:
        with pytest.raises(NetworkFailure) as caught:
            await stream.start_tls(timeout=5)

    assert Cause.TLS_NAME == caught.value.cause


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (Script().stalls(), Cause.TIMEOUT),
        (Script().closes(), Cause.CLOSED),
        (Script().says("* OK no TLS here").stalls(), Cause.TLS_FAILED),
    ],
)
async def test_a_handshake_that_fails_says_how(serve, script, cause):
    async with serve(script, security=Security.TLS) as site, opened(site) as stream:
        with pytest.raises(NetworkFailure) as caught:
            await stream.start_tls(timeout=10)

    assert cause == caught.value.cause


async def test_plain_bytes_before_the_handshake_of_starttls_are_a_violation(serve):
    script = Script().says("* OK ready").hears("STARTTLS").says("{tag} OK begin").waits(0.05).says("* EVIL").stalls()
    async with serve(script, security=Security.STARTTLS) as site, opened(site) as stream:
        talk = Conversation(security=Security.STARTTLS)
        talk.receive(await stream.read(timeout=5))
        talk.send(StartTls())
        await stream.write(talk.data_to_send(), timeout=5)
        talk.receive(await stream.read(timeout=5))
        await asyncio.sleep(0.2)
        with pytest.raises(NetworkFailure) as caught:
            await stream.start_tls(timeout=5)

    assert Cause.PROTOCOL_VIOLATION == caught.value.cause


async def test_plain_bytes_in_the_same_breath_as_the_ok_are_a_violation(serve):
    script = Script().says("* OK ready").hears("STARTTLS").sends(b"{tag} OK begin\r\n* EVIL\r\n").stalls()
    async with serve(script, security=Security.STARTTLS) as site, opened(site) as stream:
        talk = Conversation(security=Security.STARTTLS)
        talk.receive(await stream.read(timeout=5))
        talk.send(StartTls())
        await stream.write(talk.data_to_send(), timeout=5)
        with pytest.raises(RemoteProtocolError) as caught:
            talk.receive(await stream.read(timeout=5))

    assert Violation.INJECTION == caught.value.violation


async def test_a_port_nobody_listens_on_refuses_and_every_address_is_named(serve):
    async with serve(Script()) as site:
        nobody = [Address(host="127.0.0.1", port=1), Address(host="127.0.0.9", port=1)]
        with pytest.raises(NetworkFailure) as caught:
            await site.network.connect(site.endpoint, nobody, timeout=5)

    assert Cause.REFUSED == caught.value.cause
    assert ("127.0.0.1:1: connection refused", "127.0.0.9:1: connection refused") == caught.value.tried


async def test_the_first_address_that_answers_is_taken(serve):
    async with serve(Script().says("* OK ready")) as site:
        addresses = [Address(host="127.0.0.1", port=1), *await site.network.resolve(site.endpoint, timeout=5)]
        stream = await site.network.connect(site.endpoint, addresses, timeout=5)
        assert f"127.0.0.1:{site.endpoint.port}" == stream.peer
        await stream.close()


async def test_closing_twice_or_in_mid_stream_is_no_error(serve):
    async with serve(Script().floods(b"* OK x\r\n")) as site:
        stream = await site.stream()
        await stream.read(timeout=5)
        await stream.close()
        await stream.close()
        for use in (stream.read(timeout=1), stream.write(b"x", timeout=1)):
            with pytest.raises(NetworkFailure) as caught:
                await use
            assert Cause.CLOSED == caught.value.cause


async def test_an_obedient_server_serves_a_login_and_a_select(serve):
    server = ObedientServer({"u1": "sesame-open"})
    server.mailbox("u1").add(b"Subject: x\r\n\r\nhello")
    async with serve(server, security=Security.TLS) as site, opened(site) as stream:
        await stream.start_tls(timeout=5)
        talk = Conversation(security=Security.TLS)
        while talk.greeting is None:
            talk.receive(await stream.read(timeout=5))
        for command in (Login("u1", "sesame-open"), Select("INBOX")):
            talk.send(command)
            await stream.write(talk.data_to_send(), timeout=5)
            while talk.reply is None:
                talk.receive(await stream.read(timeout=5))
                await stream.write(talk.data_to_send(), timeout=5)
            assert talk.reply.ok

    assert 1 == talk.reply.mailbox.exists
    assert ["LOGIN", "SELECT"] == server.heard


async def test_the_lag_of_the_loop_is_told(serve):
    async with serve(Script()) as site:
        assert timedelta(0) <= site.network.loop_lag() < timedelta(seconds=60)
