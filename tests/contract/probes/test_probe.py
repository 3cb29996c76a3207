"""What every Probe keeps: a result by the deadline, whatever happens, and never an exception."""

from datetime import timedelta

import pytest

from mailward.model.organization import HealthMailbox, ImapEndpoint, SecretKind, SecretRef
from mailward.model.probing import Cause, Phase, ResultType
from mailward.model.target import ProbeTarget
from mailward.probes.customer_touch_point import ImapCTPProbe
from mailward.probes.deep_test import ImapDeepTestProbe
from mailward.probes.equipment import Equipment
from mailward.probes.proxy_test import ImapProxyTestProbe
from mailward.probes.self_test import ImapSelfTestProbe
from mailward.testing.memory_network import ScriptedNetwork
from mailward.testing.obedient_server import ObedientServer
from mailward.testing.platform import CountedChance, KnownSecrets, SetClock
from mailward.testing.probe import CannedProbe, fails

PROBES = [ImapSelfTestProbe, ImapProxyTestProbe, ImapDeepTestProbe, ImapCTPProbe]


def a_target(name, *, host="mail.example"):
    return ProbeTarget(
        probe=name,
        health_set="IMAP",
        server="be1",
        target="DB1",
        endpoint=ImapEndpoint(host=host),
        timeout=timedelta(seconds=3),
        account=HealthMailbox(user="health", password=SecretRef(kind=SecretKind.FILE, name="probe")),
        confirmation=True,
    )


@pytest.fixture(params=[*PROBES, CannedProbe])
def make_probe(request):
    def make(*, broken):
        if request.param is CannedProbe:
            probe = CannedProbe("ImapCTPProbe", SetClock())
            if broken:
                probe.answers("be1", fails(Cause.NAME_UNKNOWN, Phase.DNS))
            return probe
        servers = {} if broken else {"mail.example:993": ObedientServer({"health": "s3cret"})}
        return request.param(
            Equipment(
                network=ScriptedNetwork(servers),
                secrets=KnownSecrets({"probe": "s3cret"}),
                clock=SetClock(),
                chance=CountedChance(),
            )
        )

    return make


async def test_a_success_carries_whom_it_is_about(make_probe):
    probe = make_probe(broken=False)

    result = await probe.run(a_target(probe.name))

    assert (ResultType.SUCCEEDED, None, None) == (result.result, result.failed_phase, result.cause)
    assert (probe.name, "IMAP", "be1", "DB1", True, "health") == (
        result.probe,
        result.health_set,
        result.server,
        result.target,
        result.confirmation,
        result.account,
    )


async def test_a_failure_is_a_result(make_probe):
    probe = make_probe(broken=True)

    result = await probe.run(a_target(probe.name))

    assert (ResultType.FAILED, Phase.DNS, Cause.NAME_UNKNOWN) == (result.result, result.failed_phase, result.cause)
