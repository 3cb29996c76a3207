"""The engine on shipped fakes: no server, no disk, intervals of hundredths of a second."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.engine.answers import Answers
from mailward.engine.engine import Engine
from mailward.engine.parts import Parts, Platform
from mailward.model import items
from mailward.model.errors import ConfigError, NotFound, Refused
from mailward.model.event import EventKind
from mailward.model.evidence import ServiceState
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.organization import (
    Database,
    HealthMailbox,
    ImapEndpoint,
    Organization,
    Role,
    SecretKind,
    SecretRef,
    Server,
)
from mailward.model.probing import Cause, Phase, ResultType
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.samples import ProbeKey
from mailward.monitors.settings import MonitorSettings, ServiceMonitorSettings
from mailward.platforms.local.system_clock import SystemClock
from mailward.ports.settings import Snapshot
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import CountedChance, TameService
from mailward.testing.probe import CannedProbe, CannedSentinel, fails, succeeds

SOON = timedelta(milliseconds=30)
REFUSED = fails(Cause.REFUSED, Phase.CONNECT)
MAILBOX = HealthMailbox(user="health", password=SecretRef(kind=SecretKind.FILE, name="secret"))
QUICK = ServiceMonitorSettings(
    grace=timedelta(milliseconds=300),
    confirm_after=(timedelta(milliseconds=10), timedelta(milliseconds=10)),
    recheck_while_degraded=None,
    confirm_recovery_after=timedelta(milliseconds=10),
)


def an_organization(*servers: str) -> Organization:
    names = servers or ("mbx1", "mbx2")
    return Organization(
        name="example",
        servers={
            name: Server(
                name=name,
                roles=frozenset({Role.MAILBOX}),
                imap=ImapEndpoint(host=name),
                health_mailbox=replace(MAILBOX, user=f"health-{name}"),
            )
            for name in names
        },
        databases={"DB1": Database(name="DB1", copies=("mbx1",), active="mbx1", health_mailbox=MAILBOX)}
        if "mbx1" in names
        else {},
    )


def a_snapshot(organization: Organization | None = None) -> Snapshot:
    return Snapshot(
        organization=organization or an_organization(),
        monitors=MonitorSettings(self_test=QUICK, deep_test=QUICK),
        probing=ProbingSettings(
            self_test_interval=SOON, deep_test_interval=SOON, health_manager_interval=SOON, back_off_max=SOON
        ),
    )


class GivenSettings:
    """Settings a test changes."""

    def __init__(self) -> None:
        self.snapshot = a_snapshot()
        self.error: str | None = None

    def load(self) -> Snapshot:
        if self.error is not None:
            raise ConfigError(self.error)
        return self.snapshot


class Bench:
    """An engine with everything it stands on in reach."""

    def __init__(self) -> None:
        clock = SystemClock()
        self.settings = GivenSettings()
        self.store = MemoryStore(clock=clock)
        self.services = {"mbx1": TameService()}
        self.self_test = CannedProbe(items.SELF_TEST_PROBE, clock)
        self.deep_test = CannedProbe(items.DEEP_TEST_PROBE, clock)
        self.lag = timedelta(0)
        self.sentinel = CannedSentinel()
        self.parts = Parts(
            settings=self.settings,
            store=self.store,
            probes={probe.name: probe for probe in (self.self_test, self.deep_test)},
            platform=lambda _: Platform(hosts={}, services=self.services),
            clock=clock,
            chance=CountedChance(),
            loop_lag=lambda: self.lag,
            sentinel=self.sentinel,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Engine]:
        engine = Engine(self.settings.load(), self.parts)
        stop, running = asyncio.Event(), asyncio.Event()
        run = asyncio.create_task(engine.run(stop, on_running=running.set))
        try:
            await running.wait()
            yield engine
        finally:
            stop.set()
            async with asyncio.timeout(30):
                await run


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Poll until *condition* holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def status_of(engine: Engine, item: str, server: str = "mbx1") -> MonitorStatus:
    return next(s for s in engine.assessment.statuses if (s.key.item, s.key.server) == (item, server))


def state_of(engine: Engine, item: str, server: str = "mbx1") -> AlertValue:
    return status_of(engine, item, server).state


async def test_what_answers_is_healthy_and_stored(bench):
    async with bench.running() as engine:
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)
        await until(lambda: state_of(engine, items.DEEP_TEST_MONITOR) is AlertValue.HEALTHY)

    assert {"mbx1", "mbx2"} <= {result.server for result in await bench.store.results()}
    kinds = [event.kind for event in await bench.store.events()]
    assert (EventKind.MANAGER_STARTED, EventKind.MANAGER_STOPPED) == (kinds[0], kinds[-1])


async def test_a_fault_is_confirmed_told_once_and_its_end_too(bench):
    async with bench.running() as engine:
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)
        bench.self_test.answers("mbx1", REFUSED)
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.UNHEALTHY)
        assert status_of(engine, items.SELF_TEST_MONITOR).verdict is not None
        bench.self_test.answers("mbx1", succeeds)
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)

    events = await bench.store.events(
        subject="mbx1/IMAP.Protocol/ImapSelfTestMonitor", kinds=[EventKind.MONITOR_CHANGED]
    )
    assert ["Healthy", "Degraded", "Unhealthy", "Healthy"] == [event.after for event in events]
    assert ["DB1"] == events[1].data["databases"]
    confirmations = [result.confirmation for result in await bench.store.results(server="mbx1", failed=True)]
    assert confirmations[-3:] == [True, True, False], "newest first: the failure, then two confirmations"


async def test_what_it_measures_is_counted_and_can_be_asked_for(bench):
    async with bench.running() as engine:
        await until(lambda: state_of(engine, items.DEEP_TEST_MONITOR) is AlertValue.HEALTHY)
        measures = await Answers(engine).measures()

    assert engine.started_at == measures.since
    assert {items.SELF_TEST_PROBE, items.DEEP_TEST_PROBE} <= {one.probe for one in measures.results if one.count}
    healthy = [one.count for one in measures.monitors if one.state is AlertValue.HEALTHY]
    assert 0 < sum(healthy) <= sum(one.count for one in measures.monitors) == len(engine.assessment.statuses)


async def test_a_probe_that_raises_harms_only_its_own_result(bench):
    def explode(_):
        raise ZeroDivisionError

    bench.self_test.answers("mbx1", explode)
    async with bench.running() as engine:
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR, "mbx2") is AlertValue.HEALTHY)

        latest = await bench.store.results(probe=items.SELF_TEST_PROBE, server="mbx1", limit=1)
        await until(lambda: engine.ledger.pending == 0)
        assert state_of(engine, items.SELF_TEST_MONITOR) is not AlertValue.UNHEALTHY

    latest = await bench.store.results(probe=items.SELF_TEST_PROBE, server="mbx1", limit=1)
    assert (ResultType.PROBER_OVERLOADED, Cause.PROBER_FAULT) == (latest[0].result, latest[0].cause)
    assert "ZeroDivisionError" in latest[0].detail


async def test_a_probe_that_hangs_delays_nobody_and_does_not_keep_the_manager_from_ending(bench):
    bench.deep_test.gate = asyncio.Event()
    async with bench.running() as engine:
        await until(lambda: bench.deep_test.runs)
        before = len(bench.self_test.runs)
        await until(lambda: len(bench.self_test.runs) > before + 10)
        assert engine.problems() == ()


async def test_without_the_store_probing_goes_on_and_nothing_is_lost_when_it_is_back(bench):
    async with bench.running() as engine:
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)
        bench.store.out_of_reach = True
        await until(lambda: engine.ledger.trouble is not None)
        bench.self_test.answers("mbx1", REFUSED)
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.UNHEALTHY)
        await until(lambda: state_of(engine, items.HEALTH_MANAGER_MONITOR, "mailward") is AlertValue.DEGRADED)
        assert not (await Answers(engine).status()).store_reachable
        bench.store.out_of_reach = False
        await until(lambda: engine.ledger.trouble is None)

    events = await bench.store.events()
    assert "Unhealthy" in [event.after for event in events if "SelfTest" in event.subject]
    (back,) = [event for event in events if event.kind is EventKind.STORE_BACK]
    assert "nothing was lost" in back.because


async def test_a_manager_starts_without_its_store_and_still_watches(bench):
    bench.store.out_of_reach = True
    async with bench.running() as engine:
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)
        bench.store.out_of_reach = False
        await until(lambda: engine.ledger.trouble is None and engine.ledger.pending == 0)

    assert await bench.store.results()


async def test_a_restart_goes_on_with_the_last_states(bench):
    bench.self_test.answers("mbx1", REFUSED)
    async with bench.running() as engine:
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.UNHEALTHY)
        since = status_of(engine, items.SELF_TEST_MONITOR).since

    bench.self_test.gate = asyncio.Event()
    async with bench.running() as engine:
        await until(lambda: bench.self_test.runs)
        status = status_of(engine, items.SELF_TEST_MONITOR)
        assert (AlertValue.UNHEALTHY, since) == (status.state, status.since)


async def test_the_exit_of_a_service_is_an_event_and_has_the_server_probed_at_once(bench):
    slow = replace(a_snapshot().probing, self_test_interval=timedelta(hours=1), deep_test_interval=timedelta(hours=1))
    bench.settings.snapshot = replace(a_snapshot(), probing=slow)
    async with bench.running() as engine:
        await until(lambda: engine.timetable.next_due() is not None)
        bench.services["mbx1"].become(ServiceState.FAILED, "killed by signal 9")
        await until(lambda: {"mbx1"} == {target.server for target in bench.self_test.runs})

    (exited,) = await bench.store.events(kinds=[EventKind.SERVICE_EXITED])
    assert ("mbx1", ServiceState.FAILED.value) == (exited.subject, exited.after)


async def test_a_sentinel_that_falls_silent_is_a_hint_and_has_the_server_probed_at_once(bench):
    organization = an_organization()
    watched = replace(organization.servers["mbx1"], sentinel=True)
    slow = replace(a_snapshot().probing, self_test_interval=timedelta(hours=1), deep_test_interval=timedelta(hours=1))
    bench.settings.snapshot = replace(
        a_snapshot(replace(organization, servers={**organization.servers, "mbx1": watched})), probing=slow
    )
    async with bench.running() as engine:
        bench.sentinel.ring("mbx1", "no answer to NOOP within 3 s")
        await until(lambda: {"mbx1"} == {target.server for target in bench.self_test.runs})
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)  # a hint is no verdict

    (ended,) = await bench.store.events(kinds=[EventKind.SENTINEL_ENDED])
    assert ("mbx1", "no answer to NOOP within 3 s") == (ended.subject, ended.because)


async def test_a_reload_retires_what_is_gone_and_begins_what_is_new(bench):
    async with bench.running() as engine:
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR, "mbx2") is AlertValue.HEALTHY)
        bench.settings.snapshot = a_snapshot(an_organization("mbx1", "mbx3"))
        engine.reload(actor="ana")
        await until(lambda: state_of(engine, items.SELF_TEST_MONITOR, "mbx3") is AlertValue.HEALTHY)

    retired = await bench.store.events(kinds=[EventKind.MONITOR_RETIRED])
    assert retired
    assert all(event.subject.startswith("mbx2/") for event in retired)
    assert not [status for status in await bench.store.statuses() if status.key.server == "mbx2"]
    (loaded,) = await bench.store.events(kinds=[EventKind.CONFIGURATION_LOADED])
    assert loaded.actor == "ana"


async def test_a_wrong_configuration_is_refused_and_the_old_one_stays(bench):
    async with bench.running() as engine:
        bench.settings.error = "mailward.toml:3: no such key"
        with pytest.raises(Refused, match="mailward.toml:3"):
            await Answers(engine).reload(actor="ana")
        assert engine.snapshot.organization.servers.keys() == {"mbx1", "mbx2"}
        assert (await Answers(engine).status()).configuration_error == "mailward.toml:3: no such key"
        await until(lambda: state_of(engine, items.HEALTH_MANAGER_MONITOR, "mailward") is AlertValue.DEGRADED)


async def test_a_rejected_password_is_not_repeated_within_seconds(bench):
    bench.settings.snapshot = replace(
        a_snapshot(), probing=ProbingSettings(self_test_interval=SOON, deep_test_interval=timedelta(hours=1))
    )
    bench.self_test.answers("mbx1", fails(Cause.AUTH_REJECTED))
    async with bench.running():
        await until(lambda: len([target for target in bench.self_test.runs if target.server == "mbx2"]) > 10)

        tried = [target for target in bench.self_test.runs if target.server == "mbx1"]
        assert len(tried) < 6
        assert not any(target.confirmation for target in tried)


class TestAnswers:
    async def test_a_probe_runs_now_and_its_result_is_judged(self, bench):
        bench.deep_test.answers("mbx1", REFUSED)
        async with bench.running() as engine:
            (result,) = await Answers(engine).probe("imap.protocol\\imapdeeptestprobe/db1", server="MBX1")

        assert (ResultType.FAILED, "DB1") == (result.result, result.target)
        assert result.verdict is not None

    async def test_a_monitors_name_runs_its_associated_probe(self, bench):
        async with bench.running() as engine:
            (result,) = await Answers(engine).probe("ImapSelfTestMonitor", server="mbx2")

        assert items.SELF_TEST_PROBE == result.probe

    @pytest.mark.parametrize(
        ("identity", "server", "said"),
        [
            ("ImapCTPProbe", "mbx1", "mbx1 has no probe ImapCTPProbe"),
            ("ImapDeepTestProbe", "mbx9", "did you mean 'mbx"),
            ("IMAP.Protocol/ImapDeepTestProbe/DB9", "mbx1", "it has IMAP.Protocol/ImapDeepTestProbe/DB1"),
            ("ImapDepTestProbe", "mbx1", "ImapDeepTestProbe"),
        ],
    )
    async def test_what_does_not_exist_is_refused_with_what_does(self, bench, identity, server, said):
        async with bench.running() as engine:
            with pytest.raises(Refused, match=said):
                await Answers(engine).probe(identity, server=server)

    async def test_followers_see_old_and_new_events_once_each_until_the_end(self, bench):
        seen = []
        async with bench.running() as engine:
            await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.HEALTHY)

            async def follow() -> None:
                seen.extend([event.id async for event in Answers(engine).follow(after=0)])

            follower = asyncio.create_task(follow())
            bench.self_test.answers("mbx1", REFUSED)
            await until(lambda: state_of(engine, items.SELF_TEST_MONITOR) is AlertValue.DEGRADED)
        await asyncio.wait_for(follower, 30)

        assert [event.id for event in await bench.store.events(limit=1000)] == seen

    async def test_names_match_in_any_case_and_mailward_itself_is_one(self, bench):
        async with bench.running() as engine:
            answers = Answers(engine)
            assert {"mbx2"} == {row.server for row in await answers.health(server="MBX2")}
            assert {"mailward"} == {row.server for row in await answers.report(server="Mailward")}
            assert {"IMAP.Protocol/ImapDeepTestProbe/DB1", "IMAP.Protocol/ImapDeepTestMonitor/DB1"} <= {
                item.identity for item in await answers.items(health_set="imap.*", server="mbx1")
            }
            assert (await answers.item_help("ImapDeepTestMonitor")).name == items.DEEP_TEST_PROBE


async def test_a_probe_that_is_not_planned_cannot_be_asked_for(bench):
    async with bench.running() as engine:
        with pytest.raises(NotFound, match="ImapSelfTestProbe of mbx9 is not run"):
            await engine.ask(ProbeKey(probe=items.SELF_TEST_PROBE, server="mbx9", target="mbx9"))
