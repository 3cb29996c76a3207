"""Where a deed could have been done twice, wrongly, or without its gates: each of these was found by trying."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.engine.recovering.acting import _throttle
from mailward.engine.recovering.ordering import Ordering
from mailward.engine.recovering.recovering import Recovering
from mailward.model import items
from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.event import EventKind
from mailward.model.evidence import ServiceState
from mailward.model.holds import Hold, HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import (
    ActionClass,
    Answer,
    Deed,
    Mode,
    Operation,
    OperationKind,
    OperationStatus,
    StepName,
    StepOutcome,
)
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.ports.access_point_control import Membership
from mailward.ports.manager import Intention
from mailward.ports.service_control import ServiceDeed
from mailward.recovery.wanted import Wanted

from .conftest import ACT, SECOND, House

MINUTE = timedelta(minutes=1)
U, D = AlertValue.UNHEALTHY, AlertValue.DEGRADED


def ordering(house: House) -> Ordering:
    return Ordering(house.recovering._world, house.recovering)


async def by_hand(house: House, step: StepName, *, force: bool = False) -> Intention:
    return await ordering(house).by_hand(step, "be1", actor="bob", reason="why", dry_run=False, force=force)


async def begun(house: House) -> None:
    """Wait until something is done to be1."""
    async with asyncio.timeout(30):
        while not house.services["be1"].deeds:
            await asyncio.sleep(0)


def a_bad_proxy(house: House, *, restartable: bool = True) -> None:
    """proxy1 stays broken whatever is done to its service; its server may be restarted with a yes."""
    servers = house.organization.servers
    house.organization = replace(
        house.organization, servers={**servers, "proxy1": replace(servers["proxy1"], restartable=restartable)}
    )
    house.monitor("proxy2", items.PROXY_TEST_MONITOR)
    house.monitor("proxy1", items.PROXY_TEST_MONITOR, U, broken_for=2 * MINUTE)
    house.is_well = lambda key: key.server != "proxy1"


async def wait(house: House, span: timedelta, times: int, manager: Recovering | None = None) -> None:
    for _ in range(times):
        await house.wait(span, manager)


async def test_a_yes_to_one_deed_is_no_yes_to_another(house):
    classes = {**ACT.classes, ActionClass.ACCESS_POINT: Mode.APPROVE, ActionClass.SERVER_RESTART: Mode.APPROVE}
    house.settings = replace(ACT, classes=classes)
    a_bad_proxy(house)
    await wait(house, 20 * SECOND, 4)
    operation = await house.operation()
    assert "take the proxy out" in operation.because

    await ordering(house).approve(operation.id, actor="alice", reason="take it out")
    house.point.become("proxy1", Membership.OUT, "bob did it by hand", was_ordered=True)
    await wait(house, 5 * SECOND, 4)

    assert ("proxy1", "restart server") not in house.deeds()
    assert OperationStatus.AWAITING_APPROVAL == (await house.operation()).status


async def test_the_last_proxy_clients_are_sent_to_is_not_taken_out(house):
    house.point.become("proxy2", Membership.OUT, "maintenance by bob", was_ordered=True)
    a_bad_proxy(house)

    await wait(house, 20 * SECOND, 6)

    assert ["proxy2"] == house.out()


async def test_what_a_person_took_out_is_not_put_back(house):
    house.point.become("proxy1", Membership.OUT, "bob took it out", was_ordered=True)
    a_bad_proxy(house)
    await wait(house, 20 * SECOND, 4)
    assert OperationStatus.AWAITING_APPROVAL == (await house.operation()).status

    house.is_well = lambda _: True
    house.monitor("proxy1", items.PROXY_TEST_MONITOR)
    await wait(house, 16 * SECOND, 6)

    assert [] == house.point.deeds


@pytest.mark.parametrize("how", ["deny", "abort"])
async def test_a_proxy_that_stays_out_after_a_no_is_put_back_when_it_is_well(house, how):
    a_bad_proxy(house)
    await wait(house, 20 * SECOND, 6)
    operation = await house.operation()
    assert (["proxy1"], OperationStatus.AWAITING_APPROVAL) == (house.out(), operation.status)

    await getattr(ordering(house), how)(operation.id, actor="alice", reason="not now")
    await wait(house, MINUTE, 3)
    assert ["proxy1"] == house.out()
    house.is_well = lambda _: True
    house.monitor("proxy1", items.PROXY_TEST_MONITOR)
    await wait(house, MINUTE, 3)

    assert [] == house.out()
    assert ("proxy1", "restart server") not in house.deeds()
    assert (await house.operation()).status.is_over


@pytest.mark.parametrize("what", ["stop file", "pause", "stopped on purpose"])
async def test_the_gates_are_asked_again_after_the_last_look_at_the_host(house, what):
    house.services["be1"].become(ServiceState.HUNG)
    house.monitor("be1", state=U, broken_for=2 * MINUTE)
    house.is_well = lambda key: key.server != "be1"
    deed = house.recovering.executor.facts.deed

    def slow_look(step: StepName, server: str, steps: object = ()) -> object:
        """While the host is looked at a last time a person says stop."""
        found = deed(step, server, steps)
        real = found.before

        async def before() -> object:
            now = house.clock.now()
            if what == "stop file":
                house.stopped = "STOP is there"
            if what == "pause":
                house.holds.append(
                    Hold(kind=HoldKind.PAUSE, subject="organization", value="on", owner="bob", reason="x", since=now)
                )
            if what == "stopped on purpose":
                house.services["be1"].become(ServiceState.STOPPED)
            return await real()

        return _With(found, before)

    house.recovering.executor.facts.deed = slow_look

    await wait(house, 5 * SECOND, 3)

    assert [] == house.deeds()


class _With:
    """A deed whose last look is another one."""

    def __init__(self, deed: object, before: object) -> None:
        self._deed = deed
        self.before = before

    def __getattr__(self, name: str) -> object:
        return getattr(self._deed, name)


async def test_what_came_of_a_deed_is_remembered_while_the_lease_runs_out(house):
    """A restart takes 20 s while the store is out of reach; nobody else led meanwhile."""
    house.services["be1"].become(ServiceState.HUNG)
    house.monitor("be1", state=U, broken_for=2 * MINUTE)
    house.is_well = lambda key: key.server != "be1"
    calls = []

    async def restart() -> None:
        calls.append(house.clock.now())
        house.clock.advance(20 * SECOND)
        raise Refused("dovecot.conf: line 3: Unknown setting")

    house.services["be1"].restart = restart
    for _ in range(12):
        house.recovering.agenda._not_before.clear()
        await house.wait(10 * SECOND)

    assert 1 == len(calls)
    (deed,) = [step for step in await house.steps() if step.action is ActionClass.RESTART]
    assert "Unknown setting" in deed.because


async def test_a_deed_found_undone_again_and_again_is_passed_over(house):
    """Each time the manager dies between intent and deed, and another one comes."""
    house.services["be1"].become(ServiceState.HUNG)
    house.monitor("be1", state=U, broken_for=2 * MINUTE)
    house.is_well = lambda key: key.server != "be1"

    class Killed(BaseException):
        pass

    async def restart() -> None:
        raise Killed

    house.services["be1"].restart = restart
    manager = house.recovering
    for _ in range(12):
        house.clock.advance(20 * SECOND)
        await manager.leading.renew()
        await manager.leading.renew()
        for _ in range(12):
            await manager.turn()
            ended = await asyncio.gather(*manager._under_way.values(), return_exceptions=True)
            await asyncio.sleep(0)
            if any(isinstance(one, Killed) for one in ended):
                manager = house.a_manager()
                break

    intents = [step for step in await house.steps() if step.action is ActionClass.RESTART]
    assert 2 == len(intents)


async def test_what_a_person_ended_is_not_begun_again_by_another_way(house):
    verdict = Verdict(tier=Tier.MAILBOX_SERVER, confidence=Confidence.CERTAIN, server="be1", because="be1 hangs")
    house.monitor("be1", state=D, broken_for=30 * SECOND)
    house.monitor("proxy1", items.CTP_MONITOR, D, target="DB1", broken_for=30 * SECOND, verdict=verdict)
    house.is_well = lambda _: False
    house.services["be1"].become(ServiceState.HUNG)
    await house.go_on()
    operations = {operation.target: operation for operation in await house.operations.operations()}

    await ordering(house).abort(operations["be1"].id, actor="bob", reason="hands off")
    for key, status in list(house.statuses.items()):
        house.statuses[key] = replace(status, state=U)
    house.clock.advance(MINUTE)
    await wait(house, 5 * SECOND, 10)

    assert [] == house.deeds()


async def test_an_order_by_hand_that_was_killed_is_looked_back_at_and_ended(house):
    await house.recovering.leading.renew()
    house.services["be1"].hangs_after.add(ServiceDeed.RESTART)
    order = asyncio.create_task(by_hand(house, StepName.RESTART_SERVICE))
    await begun(house)
    order.cancel()
    await asyncio.gather(order, return_exceptions=True)
    house.clock.advance(10 * SECOND)

    await wait(house, MINUTE, 2, house.a_manager())

    assert OperationStatus.HEALED == (await house.operation()).status
    assert [("be1", "restart")] == house.deeds()


async def test_an_order_by_hand_that_could_not_be_begun_does_not_block_the_next(house):
    await house.recovering.leading.renew()
    intend = house.operations.intend

    async def lost(*_: object, **__: object) -> None:
        raise TemporaryFailure("the disk is full")

    house.operations.intend = lost
    with pytest.raises(TemporaryFailure):
        await by_hand(house, StepName.RELOAD_SERVICE)
    house.operations.intend = intend

    done = await by_hand(house, StepName.RELOAD_SERVICE)

    assert done.done


async def test_a_deed_by_hand_under_way_is_left_alone_by_the_loop(house):
    manager = house.recovering
    await manager.leading.renew()
    house.services["be1"].hangs_before.add(ServiceDeed.RESTART)
    order = asyncio.create_task(by_hand(house, StepName.RESTART_SERVICE, force=True))
    await begun(house)
    manager._is_loaded = False  # as after leading anew
    house.clock.advance(7 * SECOND)
    await manager.leading.renew()
    await manager.leading.renew()

    await manager.turn()
    await asyncio.sleep(0.01)

    (step,) = await house.steps()
    order.cancel()
    assert step.ended is None


async def test_orders_by_hand_are_no_remedy_in_vain(house):
    await house.recovering.leading.renew()
    for _ in range(2):
        await by_hand(house, StepName.RELOAD_SERVICE)
    house.services["be1"].become(ServiceState.FAILED)
    house.recovering.on_exit("be1", await house.services["be1"].status())

    await house.wait(MINUTE)

    assert ("be1", "start") in house.deeds()


async def test_looks_that_find_nothing_become_rarer(house):
    """A touch point at 85 % stays Unhealthy by its percent rule while each re-probe happens to succeed."""
    key = house.monitor("proxy1", items.CTP_MONITOR, U, target="DB1", broken_for=10 * MINUTE)
    house.is_well = lambda _: True
    for _ in range(240):
        house.clock.advance(15 * SECOND)
        house.statuses[key] = replace(house.statuses[key], last_result_at=house.clock.now())
        house.recovering._scan_at = 0.0
        await house.go_on()

    assert len(await house.operations.operations(limit=1000)) <= 10


async def test_a_clock_that_went_back_an_hour_does_not_stop_what_waits(house):
    house.services["be1"].become(ServiceState.HUNG)
    house.monitor("be1", state=U, broken_for=2 * MINUTE)
    house.stopped = "STOP is there"
    await house.go_on()

    house.clock.advance(-60 * MINUTE)
    house.stopped = None
    house.monitor("be1", state=U, broken_for=2 * MINUTE)
    await house.wait(SECOND)

    assert [("be1", "restart")] == house.deeds()


async def test_what_another_recovery_did_since_the_last_look_is_looked_at_first(house):
    """Two recoveries of one stale certificate: the second one must not reload what the first has just reloaded."""
    wanted = Wanted(step=StepName.RELOAD_SERVICE, server="be1")
    operation = Operation(
        kind=OperationKind.CERTIFICATE,
        target="be1/certificate",
        server="be1",
        mode=Mode.ACT,
        status=OperationStatus.RUNNING,
        because="",
        started_at=house.clock.now(),
    )
    seen = await house.recovering.executor.acting.circumstances(wanted, operation, ())
    done = Deed(
        action=ActionClass.RELOAD,
        server="be1",
        operation=7,
        seq=2,
        started=house.clock.now(),
        ended=house.clock.now(),
    )

    answer = _throttle(wanted, seen, ())((done,), house.clock.now())

    assert Answer.WAITS is answer.answer
    assert "since it was looked at" in answer.because


async def test_what_is_done_is_said_once_and_by_what_it_is(house):
    house.services["be1"].become(ServiceState.FAILED)
    await house.recovering.leading.renew()

    done = await by_hand(house, StepName.START_SERVICE)

    (step,) = await house.steps(done.operation)
    (ended,) = (one for one in house.store._events if one.kind is EventKind.ACTION_ENDED)
    operation = await house.operation()
    assert (True, "start the IMAP service on be1") == (done.done, done.because)
    assert (StepOutcome.DONE, "") == (step.outcome, step.because)
    assert "start the IMAP service on be1: done" == ended.because
    assert "by bob: start the IMAP service on be1" == operation.because
