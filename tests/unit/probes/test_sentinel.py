import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model.organization import ImapEndpoint, Security
from mailward.network.tcp_network import TcpNetwork
from mailward.probes.sentinel import ImapSentinel
from mailward.testing.script import Script
from mailward.testing.scripted_server import ScriptedServer

SOON = timedelta(milliseconds=5)


async def watch(world, *, answer_within=timedelta(seconds=30)):
    async with asyncio.timeout(60):
        return await ImapSentinel(world.equipment, every=SOON, answer_within=answer_within).watch(world.target)


def logged_in():
    return (
        Script()
        .starts_tls()
        .says("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi")
        .answers("AUTHENTICATE", ok="[CAPABILITY IMAP4rev1] in")
    )


async def test_a_session_that_ends_is_told_with_its_reason(world):
    world.serve(logged_in().answers("NOOP").answers("NOOP").hears("NOOP").says("* BYE Server shutting down.").closes())

    assert "Server shutting down." in await watch(world)
    assert 0 == world.network.open_streams


async def test_a_noop_that_is_not_answered_is_silence(world):
    world.serve(logged_in().answers("NOOP").hears("NOOP").stalls())

    assert "NOOP was not answered within 0.5 s" in await watch(world, answer_within=timedelta(milliseconds=500))


async def test_a_login_that_fails_is_told_too(make_world):
    world = make_world(refuses={"AUTHENTICATE": "NO [UNAVAILABLE] Temporary authentication failure."})

    assert "auth: NO [UNAVAILABLE] Temporary authentication failure." == await watch(world)


async def test_it_goes_on_as_long_as_answers_come_and_ends_when_cancelled(make_world):
    world = make_world(security=Security.PLAIN, tls="")
    async with ScriptedServer(world.server).listening() as served:
        endpoint = ImapEndpoint(host=served.host, port=served.port, security=Security.PLAIN, allow_plaintext_auth=True)
        sentinel = ImapSentinel(replace(world.equipment, network=TcpNetwork()), every=SOON)
        task = asyncio.create_task(sentinel.watch(world.against(endpoint=endpoint)))
        async with asyncio.timeout(30):
            while world.server.heard.count("NOOP") < 5:
                await asyncio.sleep(0.001)
        assert not task.done()

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_server_that_hangs_up_between_two_noops_is_noticed_at_once(make_world):
    script = Script().says("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi").answers("AUTHENTICATE").closes()
    world = make_world()
    async with ScriptedServer(script).listening() as served:
        endpoint = ImapEndpoint(host=served.host, port=served.port, security=Security.PLAIN, allow_plaintext_auth=True)
        sentinel = ImapSentinel(replace(world.equipment, network=TcpNetwork()), every=timedelta(minutes=1))
        async with asyncio.timeout(30):
            because = await sentinel.watch(world.against(endpoint=endpoint))

    assert "ended the session" in because
