"""What must never happen: a storm of restarts, or a needless one."""

import heapq
import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mailward.engine.assessment import Assessment
from mailward.model import items
from mailward.model.evidence import ServiceState
from mailward.model.holds import Component, HeldState, Hold, HoldKind, Requester
from mailward.model.monitoring import AlertValue
from mailward.model.organization import Organization, Role
from mailward.model.probing import Cause, Phase, ResultType
from mailward.monitors.samples import ProbeKey, Sample
from mailward.testing.platform import TameHostControl, TameService

from .conftest import ACT, House, a_server

U = AlertValue.UNHEALTHY
MINUTE = timedelta(minutes=1)


def a_large_house(servers: int) -> House:
    names = [f"be{number}" for number in range(servers)]
    house = House(
        organization=Organization(name="large", servers={name: a_server(name, Role.MAILBOX) for name in names})
    )
    house.services = {name: TameService() for name in names}
    house.hosts = {name: TameHostControl() for name in names}
    for name in names:
        house.monitor(name)
    return house


async def test_an_outage_of_two_fifths_of_500_servers_is_no_reason_to_restart_any():
    house = a_large_house(500)
    for number in range(200):
        house.services[f"be{number}"].become(ServiceState.HUNG)
        house.monitor(f"be{number}", state=U, broken_for=5 * MINUTE)

    await house.go_on()
    await house.wait(10 * MINUTE)

    assert [] == house.deeds()
    operations = await house.operations.operations(limit=1000)
    assert 200 == len(operations)
    assert all("blast radius" in operation.because for operation in operations)


async def test_one_hung_server_of_500_is_restarted():
    house = a_large_house(500)
    house.services["be7"].become(ServiceState.HUNG)
    house.monitor("be7", state=U, broken_for=5 * MINUTE)

    await house.go_on()

    assert [("be7", "restart")] == house.deeds()


@pytest.mark.parametrize(
    ("component", "deeds"),
    [(Component.RECOVERY_ACTIONS_ENABLED, [("be7", "restart")]), (Component.SERVER_WIDE_OFFLINE, [])],
)
async def test_servers_that_are_left_alone_are_not_taken_for_broken(component, deeds):
    house = a_large_house(10)
    house.services["be7"].become(ServiceState.HUNG)
    house.monitor("be7", state=U, broken_for=5 * MINUTE)
    house.holds += [inactive(f"be{number}", component, since=house.clock.now()) for number in range(5)]

    await house.go_on()

    assert deeds == house.deeds()


def inactive(server: str, component: Component, *, since: datetime) -> Hold:
    return Hold(
        kind=HoldKind.COMPONENT_STATE,
        subject=f"{server}/{component.value}",
        value=HeldState.INACTIVE.value,
        owner="eva",
        reason="mailward is tried on some servers first",
        since=since,
        requester=Requester.FUNCTIONAL,
    )


async def test_twenty_hung_servers_are_restarted_one_at_a_time():
    house = a_large_house(500)
    house.settings = replace(ACT, look_again=timedelta(seconds=1))
    begun, most = set(), 0
    for number in range(20):
        house.services[f"be{number}"].become(ServiceState.HUNG)
        house.monitor(f"be{number}", state=U, broken_for=5 * MINUTE)

    for _ in range(60):
        before = len(house.deeds())
        house.clock.advance(timedelta(seconds=2))
        await house.recovering.leading.renew()
        await house.recovering.turn()
        open_deeds = [deed for deed in await house.operations.deeds(since=house.clock.now()) if deed.ended is None]
        most = max(most, len(open_deeds))
        await house.recovering.settled()
        begun.add(len(house.deeds()) - before)

    assert 20 == len(house.deeds())
    assert most <= 1


#: One of each kind, at its own interval.
WATCHED = (
    ProbeKey(probe=items.SELF_TEST_PROBE, server="be1", target="be1"),
    ProbeKey(probe=items.DEEP_TEST_PROBE, server="be1", target="DB1"),
    ProbeKey(probe=items.PROXY_TEST_PROBE, server="proxy1", target="proxy1"),
    ProbeKey(probe=items.CTP_PROBE, server="proxy1", target="DB1"),
)


async def test_a_week_in_which_one_probe_in_a_hundred_fails_at_random_touches_nothing():
    house, chance = House(), random.Random(20261124)
    began, failures = house.clock.now(), 0
    assessment = Assessment(house.organization)
    assessment.use(house.coverage(), house.organization, now=began)
    intervals = {probe.key: probe.interval for probe in house.coverage().probes}
    house.is_well = lambda _: chance.random() >= 0.01
    due = [(began, number) for number in range(len(WATCHED))]
    while due[0][0] < began + timedelta(days=7):
        moment, number = heapq.heappop(due)
        key = WATCHED[number]
        house.clock.advance(max(timedelta(0), moment - house.clock.now()))
        failed = chance.random() < 0.01
        failures += failed
        assessed = assessment.observe(key, a_sample(house, failed, key), now=house.clock.now())
        assessment.let_pass(now=house.clock.now())
        heapq.heappush(due, (moment + (assessed.probe_after or intervals[key]), number))
        if any(status.broken_since is not None for status in assessment.statuses):
            house.statuses = {status.key: status for status in assessment.statuses}
            await house.go_on()

    assert failures > 500
    assert [] == house.deeds()
    assert () == await house.operations.deeds(since=began)


def a_sample(house: House, failed: bool, key) -> Sample:
    if not failed:
        return Sample(at=house.clock.now(), result=ResultType.SUCCEEDED)
    return Sample(
        at=house.clock.now(),
        result=ResultType.FAILED,
        cause=Cause.CLOSED,
        phase=Phase.GREETING,
        verdict=house.verdict_of(key),
    )
