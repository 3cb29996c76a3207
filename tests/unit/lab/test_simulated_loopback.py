"""The simulation over real sockets and real TLS, met by Python's own IMAP client and by an engine's probes."""

import asyncio
import imaplib
import ssl

import pytest

from mailward.lab.blueprint import Shape
from mailward.lab.simulated.drawing import password_of
from mailward.lab.simulated.loopback import on_loopback
from mailward.model import items
from mailward.model.errors import Refused
from mailward.model.probing import Cause


def read_as_a_user(simulation, server: str, user: str) -> tuple[str, bytes]:
    """Log in through *server*; return the kind of answer to SELECT and what ID names."""
    endpoint = simulation.organization.servers[server].imap
    context = ssl.create_default_context(cafile=endpoint.tls.ca_file)
    context.check_hostname = False
    with imaplib.IMAP4_SSL(endpoint.host, endpoint.port, ssl_context=context, timeout=5) as client:
        client.login(user, password_of(user))
        answer = client.select()[0]
        client.xatom("ID", "NIL")
        return answer, client.response("ID")[1][0]


async def test_a_user_gets_through_a_proxy_to_the_server_the_map_names(tmp_path):
    async with on_loopback(Shape.TWO_TIER, tmp_path) as simulation:
        answer, identity = await asyncio.to_thread(read_as_a_user, simulation, "proxy1", "health-db3")

    assert ("OK", b'("x-backend" "be2")') == (answer, identity)


async def probed(simulation, probe: str, server: str):
    """Run the first of these probes of *server*, as an engine would."""
    engine = simulation.engine()
    planned = next(p for p in engine.coverage.probes if (p.key.probe, p.key.server) == (probe, server))
    return await engine.parts.probes[probe].run(planned.turn_of(write=True))


async def test_every_probe_succeeds_over_tls(tmp_path):
    async with on_loopback(Shape.TWO_TIER, tmp_path) as simulation:
        deep = await probed(simulation, items.DEEP_TEST_PROBE, "be1")
        others = [
            await probed(simulation, items.SELF_TEST_PROBE, "be1"),
            await probed(simulation, items.PROXY_TEST_PROBE, "proxy2"),
            await probed(simulation, items.CTP_PROBE, "proxy2"),
        ]

    assert (True, True, None) == (deep.is_healthy, deep.wrote, deep.cause)
    assert deep.push_took is not None
    assert [True, True, True] == [result.is_healthy for result in others]
    assert others[-1].mailbox_server == "be1"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("service-failed@mail", Cause.REFUSED),
        ("certificate-expired@mail", Cause.TLS_EXPIRED),
        ("certificate-misnamed@mail", Cause.TLS_NAME),
        ("auth-broken@mail", Cause.AUTH_UNAVAILABLE),
    ],
)
async def test_a_fault_is_met_and_gone_when_healed(tmp_path, fault, cause):
    async with on_loopback(Shape.ONE_BOX, tmp_path) as simulation:
        simulation.break_(fault)
        met = await met_until(simulation, lambda result: result.cause is cause)
        simulation.heal()
        healed = await met_until(simulation, lambda result: result.is_healthy)

    assert (cause, None) == (met.cause, healed.cause)


async def met_until(simulation, is_there):
    """Probe until the listener has followed the state of its host."""
    async with asyncio.timeout(30):
        while not is_there(result := await probed(simulation, items.SELF_TEST_PROBE, "mail")):
            pass
    return result


async def test_no_packet_gets_lost_on_loopback(tmp_path):
    async with on_loopback(Shape.ONE_BOX, tmp_path) as simulation:
        with pytest.raises(Refused, match="no packet gets lost"):
            simulation.break_("network-cut@mail")
