"""The engine that also acts and tells, on shipped fakes: what is ordered, held and healed while it runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.engine.answers import Answers
from mailward.engine.engine import Engine
from mailward.engine.parts import Parts, Platform, RepairParts
from mailward.model import items
from mailward.model.alerting import AlertStatus
from mailward.model.channels import Channel, ChannelKind
from mailward.model.errors import NotFound, Refused, TemporaryFailure
from mailward.model.event import EventKind
from mailward.model.evidence import ServiceState
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.model.monitoring import AlertValue
from mailward.model.organization import (
    AccessPoint,
    Database,
    HealthMailbox,
    ImapEndpoint,
    Organization,
    Role,
    SecretKind,
    SecretRef,
    Server,
)
from mailward.model.probing import Cause, Phase
from mailward.model.recovery import Gate, Mode, OperationKind, OperationStatus
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings, ServiceMonitorSettings
from mailward.platforms.local.system_clock import SystemClock
from mailward.ports.service_control import ServiceDeed
from mailward.ports.settings import Snapshot
from mailward.recovery.settings import RecoverySettings
from mailward.testing.memory_holds import MemoryHolds
from mailward.testing.memory_operations import MemoryOperations
from mailward.testing.memory_outbox import MemoryOutbox
from mailward.testing.memory_store import MemoryLease, MemoryStore
from mailward.testing.notifier import TameNotifier
from mailward.testing.platform import CountedChance, TameService
from mailward.testing.probe import CannedProbe, fails, succeeds

SOON = timedelta(milliseconds=30)
REFUSED = fails(Cause.REFUSED, Phase.CONNECT)
MAILBOX = HealthMailbox(user="health", password=SecretRef(kind=SecretKind.FILE, name="secret"))
QUICK = ServiceMonitorSettings(
    grace=timedelta(milliseconds=300),
    confirm_after=(timedelta(milliseconds=10), timedelta(milliseconds=10)),
    recheck_while_degraded=None,
    confirm_recovery_after=timedelta(milliseconds=10),
)


def a_server(name: str, role: Role = Role.MAILBOX) -> Server:
    mailbox = replace(MAILBOX, user=f"health-{name}")
    return Server(name=name, roles=frozenset({role}), imap=ImapEndpoint(host=name), health_mailbox=mailbox)


def a_snapshot(**changes: object) -> Snapshot:
    servers = {name: a_server(name) for name in ("mbx1", "mbx2")}
    servers["proxy1"] = a_server("proxy1", Role.PROXY)
    organization = Organization(
        name="example",
        servers=servers,
        access_points={
            "imap": AccessPoint(name="imap", imap=ImapEndpoint(host="imap"), servers=("proxy1",), control="health-page")
        },
        databases={"DB1": Database(name="DB1", copies=("mbx1",), active="mbx1", health_mailbox=MAILBOX)},
    )
    known = Snapshot(
        organization=organization,
        monitors=MonitorSettings(self_test=QUICK, deep_test=QUICK, proxy_test=QUICK),
        probing=ProbingSettings(
            self_test_interval=SOON,
            deep_test_interval=SOON,
            proxy_test_interval=SOON,
            ctp_interval=SOON,
            health_manager_interval=SOON,
            back_off_max=SOON,
        ),
        recovery=RecoverySettings(mode=Mode.ACT, settle=timedelta(seconds=2), look_again=SOON),
        channels=(Channel(name="hook", kind=ChannelKind.WEBHOOK, url="http://127.0.0.1/"),),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


class House:
    """An engine with everything it stands on in reach."""

    def __init__(self) -> None:
        clock = SystemClock()
        self.snapshot = a_snapshot()
        self.store = MemoryStore(clock=clock)
        lease = MemoryLease(clock=clock)
        self.services = {name: TameService(clock=clock) for name in ("mbx1", "mbx2", "proxy1")}
        probes = (items.SELF_TEST_PROBE, items.DEEP_TEST_PROBE, items.PROXY_TEST_PROBE, items.CTP_PROBE)
        self.probes = {name: CannedProbe(name, clock) for name in probes}
        self.stopped: str | None = None
        self.notifier = TameNotifier("hook")
        self.problems: tuple[str, ...] = ()
        self.parts = Parts(
            settings=self,
            store=self.store,
            probes=self.probes,
            platform=lambda _: Platform(hosts={}, services=self.services),
            clock=clock,
            chance=CountedChance(),
            loop_lag=lambda: timedelta(0),
            self_check=lambda _: self.problems,
            repair=RepairParts(
                operations=MemoryOperations(self.store, lease),
                lease=lease,
                holds=MemoryHolds(self.store),
                outbox=MemoryOutbox(self.store),
                make_notifier=lambda _: self.notifier,
                stopped=lambda _: self.stopped,
                owner="a test",
            ),
        )

    def load(self) -> Snapshot:
        return self.snapshot

    def fall(self, server: str, state: ServiceState = ServiceState.FAILED) -> None:
        """The service ends, or hangs, and probes notice; a start mends both."""
        service = self.services[server]
        for probe in self.probes.values():
            probe.answers(server, lambda target: succeeds(target) if is_running(service) else REFUSED(target))
        service.become(state)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Engine]:
        engine = Engine(self.snapshot, self.parts)
        stop, running = asyncio.Event(), asyncio.Event()
        run = asyncio.create_task(engine.run(stop, on_running=running.set))
        try:
            await running.wait()
            await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)
            yield engine
        finally:
            stop.set()
            async with asyncio.timeout(30):
                await run


@pytest.fixture
def house() -> House:
    return House()


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def state_of(engine: Engine, item: str, server: str = "mbx1") -> AlertValue:
    return next(
        status.state for status in engine.assessment.statuses if (status.key.item, status.key.server) == (item, server)
    )


def is_running(service: TameService) -> bool:
    return service._status.state is ServiceState.RUNNING


def a_hold(kind: HoldKind, subject: str, value: str = "on", **more: object) -> Hold:
    now = SystemClock().now()
    return Hold(kind=kind, subject=subject, value=value, owner="", reason="a test", since=now, **more)  # type: ignore[arg-type]


async def test_a_service_that_fails_is_started_and_its_story_can_be_told(house):
    async with house.running() as engine:
        house.fall("mbx1")
        answers = Answers(engine)
        await until(lambda: house.services["mbx1"].deeds)
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)
        await until(lambda: not engine.repairing.recovering.open)

        (story, *_) = await answers.why("mbx1")

    assert ["start"] == house.services["mbx1"].deeds
    assert OperationStatus.HEALED == story.operation.status
    kinds = [event.kind for event in story.events]
    assert [
        EventKind.RECOVERY_STARTED,
        EventKind.ACTION_INTENDED,
        EventKind.ACTION_ENDED,
        EventKind.RECOVERY_ENDED,
    ] == kinds
    assert "healed" == story.events[-1].after
    assert story.transcripts


async def test_a_pause_holds_it_back_and_resuming_lets_it_act_within_a_second(house):
    async with house.running() as engine:
        answers = Answers(engine)
        pause = await answers.hold(a_hold(HoldKind.PAUSE, "organization"), actor="ana")
        house.fall("mbx1")
        await until(lambda: any(one.status is OperationStatus.WAITING for one in engine.repairing.recovering.open))
        assert [] == house.services["mbx1"].deeds
        assert "ana" in (await answers.status()).stopped

        await answers.release(pause.id, actor="ana")

        await until(lambda: house.services["mbx1"].deeds, 1)


async def test_a_stop_file_is_obeyed_and_shown(house):
    house.stopped = "the file STOP is there"
    async with house.running() as engine:
        house.fall("mbx1")
        await until(lambda: any(one.status is OperationStatus.WAITING for one in engine.repairing.recovering.open))

        assert "the file STOP is there" == (await Answers(engine).status()).stopped
    assert [] == house.services["mbx1"].deeds


async def test_an_override_of_the_responder_makes_one_server_recommend_only(house):
    house.snapshot = a_snapshot(recovery=replace(a_snapshot().recovery, patience=timedelta(milliseconds=300)))
    async with house.running() as engine:
        answers = Answers(engine)
        override = a_hold(
            HoldKind.OVERRIDE,
            "mbx1/*",
            "recommend",
            until=SystemClock().now() + timedelta(hours=1),
            data={"item_type": "responder", "property": "restart"},
        )
        await answers.hold(override, actor="ana")

        house.fall("mbx1", ServiceState.HUNG)
        await until(lambda: any("an override" in one.because for one in engine.repairing.recovering.open))
    assert [] == house.services["mbx1"].deeds


async def test_a_repair_that_is_announced_shows_and_its_end_is_probed_at_once(house):
    async with house.running() as engine:
        answers = Answers(engine)
        subject = "mbx1/IMAP.Protocol/ImapSelfTestMonitor/mbx1"
        held = await answers.hold(a_hold(HoldKind.REPAIRING, subject), actor="ana")
        assert AlertValue.REPAIRING == state_of(engine, items.SELF_TEST_MONITOR)

        await answers.release(held.id, actor="ana")

        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)


async def test_an_order_by_hand_is_rehearsed_done_and_recorded_with_who_and_why(house):
    async with house.running() as engine:
        answers = Answers(engine)
        order = {"actor": "ana", "reason": "new kernel"}
        rehearsed = await answers.control_service("MBX2", ServiceDeed.RESTART, dry_run=True, **order)
        assert [] == house.services["mbx2"].deeds

        done = await answers.control_service("mbx2", ServiceDeed.RESTART, **order)

        story = await answers.recovery(done.operation)
    assert (True, rehearsed.command) == (done.done, done.command)
    assert ["restart"] == house.services["mbx2"].deeds
    assert (OperationKind.BY_HAND, "ana") == (story.operation.kind, story.operation.actor)
    assert "new kernel" in story.steps[0].premise
    assert done.command == story.steps[0].command


async def test_a_second_restart_by_hand_is_throttled_unless_it_is_forced(house):
    async with house.running() as engine:
        answers = Answers(engine)
        await answers.control_service("mbx2", ServiceDeed.RESTART, actor="ana")

        again = await answers.control_service("mbx2", ServiceDeed.RESTART, actor="ana")
        forced = await answers.control_service("mbx2", ServiceDeed.RESTART, actor="ana", force=True)

    assert not again.allowed
    assert Gate.THROTTLE in {answer.gate for answer in again.answers if answer.answer.value == "waits"}
    assert forced.done
    assert ["restart", "restart"] == house.services["mbx2"].deeds


async def test_an_approval_lets_the_recovery_act_and_a_second_one_is_refused(house):
    house.snapshot = a_snapshot(recovery=replace(a_snapshot().recovery, mode=Mode.APPROVE))
    async with house.running() as engine:
        answers = Answers(engine)
        house.fall("mbx1")
        await until(
            lambda: any(one.status is OperationStatus.AWAITING_APPROVAL for one in engine.repairing.recovering.open)
        )
        (waiting,) = await answers.recoveries(unfinished=True)

        await answers.approve(waiting.id, actor="ana", reason="go")
        await until(lambda: house.services["mbx1"].deeds)
        await until(lambda: not engine.repairing.recovering.open)

        with pytest.raises(Refused, match="over already"):
            await answers.approve(waiting.id, actor="ana")
        with pytest.raises(NotFound):
            await answers.deny(4711, actor="ana")


async def test_a_denied_recovery_ends_and_does_not_begin_anew_for_the_same_trouble(house):
    house.snapshot = a_snapshot(recovery=replace(a_snapshot().recovery, mode=Mode.APPROVE))
    async with house.running() as engine:
        answers = Answers(engine)
        house.fall("mbx1")
        await until(
            lambda: any(one.status is OperationStatus.AWAITING_APPROVAL for one in engine.repairing.recovering.open)
        )
        (waiting,) = await answers.recoveries(unfinished=True)

        await answers.deny(waiting.id, actor="ana", reason="not now")
        await asyncio.sleep(0.7)  # the trouble stands, and is looked at several times meanwhile

        assert OperationStatus.DENIED == (await answers.recovery(waiting.id)).operation.status
        assert [] == [one for one in await answers.recoveries(unfinished=True) if one.target == waiting.target]
    assert [] == house.services["mbx1"].deeds


async def test_people_are_told_of_what_mailward_may_not_mend_and_of_its_end(house):
    snapshot = a_snapshot()
    house.snapshot = replace(
        snapshot,
        recovery=replace(snapshot.recovery, mode=Mode.RECOMMEND),
        escalation=replace(snapshot.escalation, group_wait=timedelta(0)),
    )
    async with house.running() as engine:
        house.fall("mbx1")
        await until(lambda: house.notifier.sent)
        house.services["mbx1"].become(ServiceState.RUNNING)
        await until(lambda: any(one.alert.status is AlertStatus.RESOLVED for one in house.notifier.sent))
        assert not engine.problems()

    assert [] == house.services["mbx1"].deeds
    assert any("mbx1" in one.alert.title for one in house.notifier.sent)


async def test_what_is_wrong_with_the_machine_at_the_start_is_mailwards_own_problem(house):
    house.problems = ("only 64 open files are allowed",)

    async with house.running() as engine:
        assert ("only 64 open files are allowed",) == engine.problems()


async def test_without_a_store_no_recovery_starts_and_with_it_again_it_does(house):
    async with house.running() as engine:
        house.store.out_of_reach = True
        house.fall("mbx1")
        await asyncio.sleep(0.5)
        assert [] == house.services["mbx1"].deeds
        with pytest.raises(TemporaryFailure):
            await Answers(engine).recoveries()

        house.store.out_of_reach = False

        await until(lambda: house.services["mbx1"].deeds)


async def test_a_reload_that_no_longer_names_a_server_ends_its_recovery(house):
    house.stopped = "so that it waits"
    async with house.running() as engine:
        house.fall("mbx2")
        await until(lambda: engine.repairing.recovering.open)
        servers = dict(house.snapshot.organization.servers)
        del servers["mbx2"]
        house.snapshot = replace(house.snapshot, organization=replace(house.snapshot.organization, servers=servers))

        engine.reload(actor="ana")

        await until(lambda: not engine.repairing.recovering.open)
        (ended, *_) = await Answers(engine).recoveries()
    assert OperationStatus.ABORTED == ended.status
    assert "no longer names it" in ended.because


async def test_a_health_page_takes_a_proxy_out_by_a_component_state_and_gives_it_back(house):
    async with house.running() as engine:
        point = engine.repairing.controls.access_points["imap"]
        await point.take_out("proxy1")
        (held,) = await Answers(engine).holds()
        away = await Answers(engine).serving("proxy1")

        await point.put_back("proxy1")
        back = await Answers(engine).serving("proxy1")

    assert (Requester.HEALTH_API, "proxy1/ImapProxy", "Inactive") == (held.requester, held.subject, held.value)
    assert back.is_serving
    assert "proxy1" == away.server
