"""An engine on a simulated organization: green when well, right about every fault, green again when healed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.engine.engine import Engine
from mailward.lab.blueprint import Shape
from mailward.lab.faults import Remedy
from mailward.lab.faults.fault import Truth
from mailward.lab.simulated import Simulation
from mailward.lab.simulated.faults import SimulatedFault
from mailward.model.errors import Refused
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.verdict import Confidence, Tier
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import (
    HealthMailboxMonitorSettings,
    MonitorSettings,
    PushMonitorSettings,
    ServiceMonitorSettings,
)
from mailward.ports.settings import Snapshot

SOON = timedelta(milliseconds=60)
MOMENT = timedelta(milliseconds=5)
QUICK = ServiceMonitorSettings(
    grace=timedelta(milliseconds=100),
    confirm_after=(MOMENT, MOMENT),
    recheck_while_degraded=MOMENT,
    confirm_recovery_after=MOMENT,
)
MONITORS = MonitorSettings(
    self_test=QUICK,
    deep_test=QUICK,
    proxy_test=QUICK,
    ctp=QUICK,
    health_mailbox=HealthMailboxMonitorSettings(grace=timedelta(milliseconds=100)),
    push=PushMonitorSettings(grace=timedelta(milliseconds=100)),
)
PROBING = ProbingSettings(
    self_test_interval=SOON,
    deep_test_interval=SOON,
    write_turn_every=SOON,
    passive_copy_interval=SOON,
    proxy_test_interval=SOON,
    ctp_interval=SOON / 4,
    health_manager_interval=timedelta(seconds=5),
    back_off_max=SOON,
)


def quick(simulation: Simulation) -> Snapshot:
    return replace(simulation.load(), monitors=MONITORS, probing=PROBING)


@asynccontextmanager
async def watched(simulation: Simulation) -> AsyncIterator[Engine]:
    engine = simulation.engine(quick(simulation))
    stop, running = asyncio.Event(), asyncio.Event()
    run = asyncio.create_task(engine.run(stop, on_running=running.set))
    try:
        await running.wait()
        await until(lambda: is_green(engine), engine)
        yield engine
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await run


async def until(condition: Callable[[], object], engine: Engine, seconds: float = 8) -> None:
    """Poll until *condition* holds."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail("\n".join(map(told, bad(engine))) or "it never came")


def told(status: MonitorStatus) -> str:
    verdict = status.verdict
    said = verdict and (verdict.tier.value, verdict.server, verdict.dependency, verdict.confidence.value)
    return f"{status.key.server} {status.key.item} {status.key.target} {status.state.value}: {said} {status.because}"


def bad(engine: Engine) -> list[MonitorStatus]:
    # what mailward measures of itself depends on how busy the machine is that runs these tests
    return [s for s in engine.assessment.statuses if s.state is not AlertValue.HEALTHY and s.key.server != "mailward"]


def is_green(engine: Engine) -> bool:
    return not bad(engine)


def agrees(status: MonitorStatus, truth: Truth) -> bool:
    verdict = status.verdict
    return verdict is not None and (verdict.tier, verdict.server, verdict.dependency) == (
        truth.tier,
        truth.server,
        truth.dependency,
    )


def all_agree(engine: Engine, fault: SimulatedFault) -> bool:
    """Some monitor tells the truth, and none is certain of anything else."""
    broken = bad(engine)
    wrong = [
        status
        for status in broken
        if status.verdict is not None
        and status.verdict.confidence is Confidence.CERTAIN
        and not agrees(status, fault.truth)
    ]
    return any(agrees(status, fault.truth) for status in broken) and not wrong


def one_of_each(shape: Shape) -> list[str]:
    """One fault of each kind and role, at its first place."""
    chosen: dict[tuple[str, str | None], str] = {}
    for fault in Simulation(shape).faults.values():
        chosen.setdefault((fault.kind, fault.place and fault.place.rstrip("0123456789")), fault.name)
    return list(chosen.values())


@pytest.mark.parametrize(("shape", "databases"), [(Shape.TWO_TIER, 4), (Shape.ONE_BOX, 1)])
async def test_a_simulated_organization_is_green(shape, databases):
    simulation = Simulation(shape)

    async with watched(simulation) as engine:
        served = {s.mailbox_server for s in engine.assessment.statuses if s.key.item == "ImapCTPMonitor"}

    assert {database.active for database in simulation.organization.databases.values()} == served
    assert databases == len(simulation.organization.databases)


@pytest.mark.parametrize("name", one_of_each(Shape.TWO_TIER))
async def test_a_fault_of_two_tiers_is_told_as_the_catalogue_says(name):
    await break_and_heal(Simulation(Shape.TWO_TIER), name)


@pytest.mark.parametrize("name", ["service-failed@mail", "service-hung@mail", "certificate-expired@mail"])
async def test_a_fault_of_one_box_is_told_as_the_catalogue_says(name):
    await break_and_heal(Simulation(Shape.ONE_BOX), name)


async def break_and_heal(simulation: Simulation, name: str) -> None:
    async with watched(simulation) as engine:
        fault = simulation.break_(name)
        await until(lambda: all_agree(engine, fault), engine)
        assert (fault,) == simulation.heal(name)
        await until(lambda: is_green(engine), engine)


@pytest.mark.parametrize(("name", "deed"), [("service-failed@be1", "start"), ("service-hung@be1", "restart")])
async def test_the_remedy_the_catalogue_names_is_one(name, deed):
    simulation = Simulation()
    async with watched(simulation) as engine:
        fault = simulation.break_(name)
        await until(lambda: all_agree(engine, fault), engine)
        await getattr(simulation.services["be1"], deed)()
        await until(lambda: is_green(engine), engine)

    assert deed in {Remedy.START: "start", Remedy.RESTART: "restart"}[fault.truth.remedy]


def test_truths_follow_the_place_in_larger_simulations():
    simulation = Simulation(servers=40, databases_per_server=3)

    assert ("be33", Tier.MAILBOX_SERVER) == (
        simulation.break_("SERVICE-HUNG@be33").truth.server,
        simulation.active_faults and simulation.faults["service-hung@be33"].truth.tier,
    )
    assert simulation.break_("database-replaced@DB100").truth.server == "be34"
    assert ("service-hung@be33", "database-replaced@DB100") == simulation.active_faults
    simulation.heal()
    assert () == simulation.active_faults


@pytest.mark.parametrize("name", ["service-hung@be9", "store-full@be1", "map-missing@be1", "service-hungry@be1"])
def test_what_cannot_be_simulated_is_refused_by_name(name):
    with pytest.raises(Refused, match="did you mean"):
        Simulation().break_(name)


def test_a_fault_is_had_once_and_healed_once():
    simulation = Simulation()
    simulation.break_("garbage@proxy1")
    with pytest.raises(Refused, match="already"):
        simulation.break_("garbage@proxy1")
    simulation.heal("garbage@proxy1")
    with pytest.raises(Refused, match="it has no fault"):
        simulation.heal("garbage@proxy1")


def test_every_simulated_kind_tells_the_catalogues_truth():
    for fault in Simulation().faults.values():
        assert fault.place is None or fault.place in fault.sentence
        assert (fault.truth.tier is Tier.MONITORING) == (fault.truth.remedy is Remedy.NOTHING)
