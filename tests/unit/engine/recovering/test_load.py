"""The load procedure: re-read, restart under consent, observe; an emptied server by its own tests."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model import items
from mailward.model.evidence import ServiceState
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.organization import HostAccess
from mailward.model.probing import ProbeResult, ResultType
from mailward.model.recovery import Mode, OperationKind, OperationStatus, StepName, StepOutcome
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.recovery.procedures import is_about_load
from mailward.recovery.settings import RecoverySettings

from .conftest import House

MINUTE = timedelta(minutes=1)
KEY = MonitorKey(server="be1", health_set=items.IMAP, item=items.QUEUE_MONITOR, target="be1")
OVERLOADED = Verdict(
    tier=Tier.MAILBOX_SERVER, confidence=Confidence.PROBABLE, server="be1", because="be1: 900 requests wait"
)


class LoadedHouse(House):
    """A house whose servers count; be1 has more to do than it can until a test says otherwise."""

    def __post_init__(self):
        self.level = 900.0
        counting = {
            name: replace(server, platform="dovecot", host=HostAccess(doveadm="/etc/dovecot/dovecot.conf"))
            for name, server in self.organization.servers.items()
        }
        self.organization = replace(self.organization, servers=counting)
        super().__post_init__()
        self.load(AlertValue.UNHEALTHY, since=5 * MINUTE)

    def load(self, state, *, since=timedelta(0)):
        now = self.clock.now()
        self.statuses[KEY] = MonitorStatus(
            key=KEY,
            state=state,
            since=now - since,
            because="a test says so",
            broken_since=now - since if state.is_broken else None,
            verdict=OVERLOADED if state.is_broken else None,
            last_result_at=now,
        )

    def calm(self):
        self.level = 0.0
        self.load(AlertValue.HEALTHY)

    async def ask(self, key):
        if key.probe != items.QUEUE_CHECK:
            return await super().ask(key)
        return ProbeResult(
            probe=key.probe,
            health_set=items.IMAP,
            server=key.server,
            target=key.target,
            at=self.clock.now(),
            took=timedelta(0),
            result=ResultType.SUCCEEDED if self.level is not None else ResultType.NOT_APPLICABLE,
            level=self.level,
        )

    async def names(self):
        return [(step.name, step.outcome) for step in await self.steps()]


@pytest.fixture
async def house():
    return LoadedHouse()


def acting(house):
    """Every class of action, and the load procedure itself, may act."""
    house.settings = replace(house.settings, load=Mode.ACT, classes=dict.fromkeys(house.settings.classes, Mode.ACT))


async def test_a_restart_under_load_is_recommended_and_no_more(house):
    assert Mode.RECOMMEND is RecoverySettings().load
    house.settings = replace(house.settings, mode=Mode.RECOMMEND)

    await house.go_on()
    await house.wait(10 * MINUTE)

    operation = await house.operation()
    assert (OperationKind.LOAD, OperationStatus.WAITING) == (operation.kind, operation.status)
    assert [] == house.deeds()
    assert "recommended" in operation.because


def test_what_a_class_may_do_load_may_not():
    acts = RecoverySettings(mode=Mode.ACT)

    assert is_about_load(KEY)
    assert not is_about_load(replace(KEY, item=items.SELF_TEST_MONITOR))
    for action in acts.classes:
        assert Mode.RECOMMEND is acts.mode_of(action, under_load=True)
        assert acts.mode_of(action) is replace(acts, load=Mode.ACT).mode_of(action, under_load=True)


async def test_a_peak_that_passed_before_anything_was_done_is_transient(house):
    house.level = 3.0

    await house.go_on()

    assert OperationStatus.TRANSIENT is (await house.operation()).status
    assert [] == house.deeds()


async def test_without_data_it_is_not_known_and_nothing_is_done(house):
    acting(house)
    house.level = None

    await house.go_on()

    assert [] == house.deeds()
    (look, *_) = await house.steps()
    assert StepOutcome.UNKNOWN is look.outcome


async def test_restarted_it_is_observed_for_ten_minutes_before_it_is_called_healed(house):
    acting(house)
    await house.go_on()
    assert [("be1", "restart")] == house.deeds()

    house.calm()
    await house.go_on()
    for _ in range(9):
        await house.wait(MINUTE)
    assert OperationStatus.WAITING is (await house.operation()).status, "not before the window is over"
    await house.wait(MINUTE)

    assert OperationStatus.HEALED is (await house.operation()).status
    assert [
        (StepName.RE_PROBE, StepOutcome.DONE),
        (StepName.RESTART_SERVICE, StepOutcome.DONE),
        (StepName.OBSERVE, StepOutcome.DONE),
    ] == await house.names()
    assert (await house.steps())[-1].evidence["healthy"] is True


async def test_a_relapse_within_the_window_begins_it_anew(house):
    acting(house)
    await house.go_on()
    house.calm()
    for _ in range(5):
        await house.wait(MINUTE)
    house.load(AlertValue.DEGRADED)
    await house.wait(MINUTE)
    house.calm()
    for _ in range(8):
        await house.wait(MINUTE)

    assert OperationStatus.WAITING is (await house.operation()).status

    for _ in range(2):
        await house.wait(MINUTE)
    assert OperationStatus.HEALED is (await house.operation()).status


async def test_it_is_observed_twice_before_more_is_tried(house):
    acting(house)
    for _ in range(21):
        await house.wait(MINUTE)

    steps = await house.steps()
    observed = [step for step in steps if step.name is StepName.OBSERVE and step.outcome is StepOutcome.DONE]
    assert 2 == len(observed)
    assert 10 * MINUTE <= observed[1].started - observed[0].started
    assert StepName.MOVE_DATABASES in [name for name, _ in await house.names()]


async def test_another_manager_goes_on_with_an_observation(house):
    acting(house)
    await house.go_on()
    house.calm()
    for _ in range(6):
        await house.wait(MINUTE)
    successor = house.a_manager()
    house.clock.advance(MINUTE)
    await successor.leading.renew()
    house.recovering = successor
    for _ in range(5):
        await house.wait(MINUTE)

    assert OperationStatus.HEALED is (await house.operation()).status


async def test_one_whose_own_tests_fail_is_recovered_for_that_and_not_for_its_load(house):
    """A service that hangs has a queue as well; what only recommends a restart must not stand in the way of one."""
    acting(house)
    house.services["be1"].become(ServiceState.HUNG)
    house.is_well = lambda key: house._answers(key.server)
    house.monitor("be1", state=AlertValue.UNHEALTHY, broken_for=2 * MINUTE)

    await house.go_on()
    for _ in range(3):
        await house.wait(MINUTE)

    kinds = {one.kind: one.status for one in await house.operations.operations()}
    assert OperationKind.LOAD not in kinds or OperationStatus.HEALED is not kinds[OperationKind.LOAD]
    assert OperationStatus.HEALED is kinds[OperationKind.MAILBOX_SERVER]
    assert [("be1", "restart")] == house.deeds()


async def test_its_own_recovery_begins_although_that_of_its_load_waits_already(house):
    house.settings = replace(house.settings, load=Mode.RECOMMEND)
    house.load(AlertValue.DEGRADED)
    await house.go_on()
    assert OperationKind.LOAD is (await house.operation()).kind

    house.services["be1"].become(ServiceState.FAILED)
    house.recovering.on_exit("be1", await house.services["be1"].status())
    await house.go_on()

    assert [("be1", "start")] == house.deeds()
    ended = [(one.kind, one.status) for one in await house.operations.operations()]
    assert (OperationKind.MAILBOX_SERVER, OperationStatus.HEALED) in ended


async def test_a_load_that_waits_steps_aside_while_the_server_itself_fails(house):
    acting(house)
    house.load(AlertValue.DEGRADED)
    await house.go_on()
    key = house.monitor("be1", state=AlertValue.DEGRADED)
    house.load(AlertValue.UNHEALTHY, since=5 * MINUTE)
    house.stopped = "a test keeps the server's own recovery from acting"
    await house.wait(2 * MINUTE)

    load = next(one for one in await house.operations.operations() if one.kind is OperationKind.LOAD)
    assert "the own tests of be1 fail" in load.because
    del house.statuses[key]


async def test_a_proxy_is_restarted_and_never_emptied(house):
    acting(house)
    del house.statuses[KEY]
    key = replace(KEY, server="proxy1", target="proxy1")
    verdict = replace(OVERLOADED, tier=Tier.PROXY, server="proxy1")
    house.monitor("proxy2", items.PROXY_TEST_MONITOR)
    house.statuses[key] = MonitorStatus(
        key=key,
        state=AlertValue.UNHEALTHY,
        since=house.clock.now() - 5 * MINUTE,
        because="a test says so",
        broken_since=house.clock.now() - 5 * MINUTE,
        verdict=verdict,
        last_result_at=house.clock.now(),
    )

    for _ in range(25):
        await house.wait(MINUTE)

    assert ("proxy1", "restart") in house.deeds()
    steps = {step.name: step.outcome for step in await house.steps()}
    assert StepOutcome.SKIPPED is steps[StepName.MOVE_DATABASES]
