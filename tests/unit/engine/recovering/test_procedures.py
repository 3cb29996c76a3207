"""Recoveries from the first broken monitor to their end, on shipped fakes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model import items
from mailward.model.evidence import ServiceState
from mailward.model.holds import Hold, HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import Answer, Gate, Mode, OperationKind, OperationStatus, StepName, StepOutcome
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict
from mailward.ports.service_control import ConfigurationCheck

MINUTE = timedelta(minutes=1)
D, U = AlertValue.DEGRADED, AlertValue.UNHEALTHY


async def outline(house, number=None):
    return [(step.name, step.outcome) for step in await house.steps(number)]


async def test_a_service_that_its_host_says_failed_is_started_at_once_and_proven(house):
    house.services["be1"].become(ServiceState.FAILED)

    house.recovering.on_exit("be1", await house.services["be1"].status())
    await house.go_on()

    assert [("be1", "start")] == house.deeds()
    assert OperationStatus.HEALED == (await house.operation()).status
    assert [
        (StepName.RE_PROBE, StepOutcome.DONE),
        (StepName.START_SERVICE, StepOutcome.DONE),
        (StepName.RE_PROBE, StepOutcome.DONE),
    ] == await outline(house)


async def test_trouble_that_is_gone_at_the_re_probe_is_transient_and_touches_nothing(house):
    house.monitor("be1", state=D)

    await house.go_on()

    assert OperationStatus.TRANSIENT == (await house.operation()).status
    assert [] == house.deeds()


async def test_a_service_stopped_on_purpose_is_left_alone_and_a_person_is_told_how_to_start_it(house):
    house.services["be1"].become(ServiceState.STOPPED)
    house.monitor("be1", state=U, broken_for=5 * MINUTE)

    await house.go_on()
    await house.wait(10 * MINUTE)

    operation = await house.operation()
    assert [] == house.deeds()
    assert OperationStatus.WAITING == operation.status
    assert operation.escalated_at is not None
    assert "mailward service start be1" in operation.because
    answers = {answer.gate: answer.answer for answer in await house.operations.answers(operation.id)}
    assert Answer.REFUSES == answers[Gate.STOPPED_ON_PURPOSE]


async def test_a_hung_service_is_restarted_once_after_a_minute_and_not_before(house):
    house.services["be1"].become(ServiceState.HUNG)
    house.monitor("be1", state=D)

    await house.go_on()
    await house.wait(timedelta(seconds=59))
    assert [] == house.deeds()

    house.monitor("be1", state=U, broken_for=timedelta(seconds=60))
    await house.wait(timedelta(seconds=1))

    assert [("be1", "restart")] == house.deeds()
    assert OperationStatus.HEALED == (await house.operation()).status


async def test_a_service_that_hangs_in_the_kernel_is_not_restarted(house):
    house.services["be1"].become(ServiceState.HUNG, in_kernel=True)
    house.monitor("be1", state=U, broken_for=5 * MINUTE)

    await house.go_on()

    assert [] == house.deeds()
    assert (await house.operation()).escalated_at is not None


async def test_a_broken_configuration_on_disk_forbids_the_restart_until_it_is_mended(house):
    house.services["be1"].become(ServiceState.HUNG)
    house.services["be1"].configuration = ConfigurationCheck(
        is_valid=False, because="dovecot.conf line 3: unknown setting"
    )
    house.monitor("be1", state=U, broken_for=5 * MINUTE)

    await house.go_on()
    assert [] == house.deeds()
    assert "dovecot.conf line 3" in (await house.operation()).because

    house.services["be1"].configuration = ConfigurationCheck(is_valid=True, because="it is valid")
    house.monitor("be1", state=U, broken_for=7 * MINUTE)
    await house.wait(MINUTE)
    assert [("be1", "restart")] == house.deeds()


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(tier=Tier.DIRECTORY, confidence=Confidence.PROBABLE, because="x", dependency=Dependency.DIRECTORY),
        Verdict(tier=Tier.MONITORING, confidence=Confidence.CERTAIN, because="x", dependency=Dependency.MONITORING),
        Verdict(tier=Tier.UNKNOWN, confidence=Confidence.UNKNOWN, because="x"),
        Verdict(tier=Tier.NETWORK, confidence=Confidence.PROBABLE, because="x", server="be1"),
        Verdict(tier=Tier.STORE, confidence=Confidence.CERTAIN, because="x", server="be1"),
        Verdict(tier=Tier.MAILBOX_SERVER, confidence=Confidence.CERTAIN, because="x", server="be2"),
    ],
    ids=lambda verdict: verdict.tier.value,
)
async def test_nothing_is_restarted_where_the_verdict_is_not_about_that_service(house, verdict):
    house.monitor("be1", state=U, broken_for=5 * MINUTE, verdict=verdict)
    house.is_well = lambda key: False

    await house.go_on()
    await house.wait(5 * MINUTE)

    assert [] == house.deeds()
    assert (await house.operation()).escalated_at is not None


async def test_one_database_whose_store_is_at_fault_restarts_nothing_and_escalates(house):
    verdict = Verdict(
        tier=Tier.STORE,
        confidence=Confidence.CERTAIN,
        because="DB1 cannot be read",
        server="be1",
        dependency=Dependency.INFORMATION_STORE,
    )
    house.monitor("be1", items.DEEP_TEST_MONITOR, U, target="DB1", broken_for=5 * MINUTE, verdict=verdict)
    house.is_well = lambda key: key.probe != items.DEEP_TEST_PROBE

    await house.go_on()

    operation = await house.operation()
    assert ("be1/DB1", OperationStatus.ESCALATED) == (operation.target, operation.status)
    assert [] == house.deeds()
    said = {step.name: step for step in await house.steps()}
    assert StepOutcome.SKIPPED == said[StepName.RESTART_SERVICE].outcome
    assert StepOutcome.REFUSED == said[StepName.MOVE_DATABASES].outcome
    assert "no [routing]" in said[StepName.MOVE_DATABASES].because


async def test_a_service_that_does_not_come_back_is_escalated_and_its_server_is_never_restarted_with_copies_on_it(
    house,
):
    house.services["be1"].become(ServiceState.FAILED)
    house.is_well = lambda key: False
    house.organization = replace(
        house.organization,
        servers={**house.organization.servers, "be1": replace(house.organization.servers["be1"], restartable=True)},
    )
    house.settings = replace(house.settings, classes=dict.fromkeys(house.settings.classes, Mode.ACT))
    house.recovering.on_exit("be1", await house.services["be1"].status())

    await house.go_on()

    operation = await house.operation()
    assert OperationStatus.ESCALATED == operation.status
    assert [("be1", "start")] == house.deeds()
    said = {step.name: step for step in await house.steps()}
    assert StepOutcome.FAILED == said[StepName.PROVE_EMPTY].outcome
    assert 2 == sum(step.name is StepName.PROVE_EMPTY for step in await house.steps())
    assert StepOutcome.REFUSED == said[StepName.RESTART_SERVER].outcome


async def test_a_flapping_service_is_healed_twice_and_then_left_to_a_person(house):
    for _ in range(3):
        house.services["be1"].become(ServiceState.FAILED)
        house.recovering.on_exit("be1", await house.services["be1"].status())
        await house.wait(MINUTE)

    assert [("be1", "start"), ("be1", "start")] == house.deeds()
    last, *_ = await house.operations.operations()
    assert OperationStatus.ESCALATED == last.status
    refused = [answer.gate for answer in await house.operations.answers(last.id) if answer.answer is Answer.REFUSES]
    assert Gate.INEFFECTIVE in refused


async def test_a_stale_certificate_is_cured_by_a_reload_alone(house):
    house.certificates["be1"], house.on_disk["be1"] = "old", "new"
    await house.ask(next(p.key for p in house.a_manager()._world.coverage().probes if p.key.server == "be1"))
    house.monitor("be1", items.CERTIFICATE_MONITOR, D)
    reload = house.services["be1"].reload

    async def reload_and_serve() -> None:
        await reload()
        house.certificates["be1"] = "new"

    house.services["be1"].reload = reload_and_serve
    await house.go_on()

    assert [("be1", "reload")] == house.deeds()
    assert (OperationKind.CERTIFICATE, OperationStatus.HEALED) == (
        (await house.operation()).kind,
        (await house.operation()).status,
    )


async def test_a_certificate_that_merely_expired_starts_nothing(house):
    house.certificates["be1"] = house.on_disk["be1"] = "old"
    await house.ask(next(p.key for p in house.a_manager()._world.coverage().probes if p.key.server == "be1"))
    house.monitor("be1", items.CERTIFICATE_MONITOR, U, broken_for=5 * MINUTE)

    await house.go_on()

    assert () == await house.operations.operations()


async def test_in_recommend_the_exact_command_is_told_and_nothing_is_done(house):
    house.settings = replace(house.settings, mode=Mode.RECOMMEND)
    house.services["be1"].become(ServiceState.FAILED)
    house.recovering.on_exit("be1", await house.services["be1"].status())

    await house.go_on()

    operation = await house.operation()
    (told,) = operation.data["recommended"]
    assert [] == house.deeds()
    assert ("start the IMAP service", "be1") == (told["step"], told["server"])
    assert told["command"]


async def test_a_yes_probes_again_and_then_does_what_was_asked(house):
    house.settings = replace(house.settings, mode=Mode.APPROVE)
    house.services["be1"].become(ServiceState.FAILED)
    house.recovering.on_exit("be1", await house.services["be1"].status())
    await house.go_on()
    operation = await house.operation()
    assert OperationStatus.AWAITING_APPROVAL == operation.status

    house.clock.advance(5 * MINUTE)
    approved = replace(operation, approved_by="ana", approved_at=house.clock.now(), wake_at=house.clock.now())
    await house.operations.save(approved, held=None)
    house.recovering.take_over(approved)
    await house.go_on()

    assert [("be1", "start")] == house.deeds()
    names = [step.name for step in await house.steps()]
    assert StepName.RE_PROBE == names[names.index(StepName.START_SERVICE) - 1]


async def test_an_approval_nobody_gives_runs_out_and_is_asked_for_anew(house):
    house.settings = replace(house.settings, mode=Mode.APPROVE)
    house.services["be1"].become(ServiceState.FAILED)
    house.recovering.on_exit("be1", await house.services["be1"].status())
    await house.go_on()

    await house.wait(16 * MINUTE)
    await house.wait(2 * MINUTE)

    assert [] == house.deeds()
    assert OperationStatus.AWAITING_APPROVAL == (await house.operation()).status


async def test_maintenance_keeps_mailward_away_and_its_end_lets_it_go_on(house):
    house.holds = [
        Hold(kind=HoldKind.MAINTENANCE, subject="be1", value="on", owner="ana", reason="disk", since=house.clock.now())
    ]
    house.services["be1"].become(ServiceState.FAILED)
    house.recovering.on_exit("be1", await house.services["be1"].status())
    await house.go_on()
    assert [] == house.deeds()

    house.holds = []
    await house.wait(MINUTE)

    assert [("be1", "start")] == house.deeds()


async def test_a_stop_file_stops_everything(house):
    house.stopped = "the file STOP exists"
    house.services["be1"].become(ServiceState.FAILED)
    house.recovering.on_exit("be1", await house.services["be1"].status())

    await house.go_on()

    assert [] == house.deeds()


async def test_without_the_store_nothing_is_begun_and_with_it_again_it_is(house):
    house.services["be1"].become(ServiceState.FAILED)
    house.store.out_of_reach = True
    house.recovering.on_exit("be1", await house.services["be1"].status())
    await house.go_on()
    assert [] == house.deeds()

    house.store.out_of_reach = False
    await house.wait(timedelta(seconds=10))

    assert [("be1", "start")] == house.deeds()


async def test_a_touch_point_joins_the_recovery_of_the_mailbox_server_that_serves_it(house):
    behind = Verdict(tier=Tier.MAILBOX_SERVER, confidence=Confidence.CERTAIN, server="be1", because="be1 is down")
    house.services["be1"].become(ServiceState.FAILED)
    house.monitor("be1", state=D)
    house.monitor("proxy1", items.CTP_MONITOR, D, target="DB1", verdict=behind)
    house.is_well = lambda key: house._answers("be1")

    for _ in range(5):
        await house.wait(timedelta(seconds=1))

    operations = {operation.kind: operation for operation in await house.operations.operations()}
    assert OperationStatus.HEALED == operations[OperationKind.MAILBOX_SERVER].status
    assert operations[OperationKind.CUSTOMER_TOUCH_POINT].status is OperationStatus.TRANSIENT
    assert [("be1", "start")] == house.deeds()


async def test_a_proxy_that_a_restart_does_not_mend_is_taken_out_and_put_back_when_it_is_well_again(house):
    house.services["proxy1"].become(ServiceState.HUNG)
    house.monitor("proxy2", items.PROXY_TEST_MONITOR)
    house.monitor("proxy1", items.PROXY_TEST_MONITOR, U, broken_for=2 * MINUTE)
    well = [False]
    house.is_well = lambda key: well[0] or key.server != "proxy1"

    await house.go_on()
    operation = await house.operation()
    assert [("proxy1", "restart")] == house.deeds()
    assert ["proxy1"] == house.out()
    assert OperationStatus.WAITING == operation.status
    assert operation.escalated_at is not None

    well[0] = True
    house.monitor("proxy1", items.PROXY_TEST_MONITOR)
    await house.wait(MINUTE)

    assert [] == house.out()
    assert OperationStatus.HEALED == (await house.operation()).status


async def test_the_only_healthy_proxy_is_not_taken_out(house):
    house.services["proxy1"].become(ServiceState.HUNG)
    house.monitor("proxy2", items.PROXY_TEST_MONITOR, U, broken_for=2 * MINUTE)
    house.monitor("proxy1", items.PROXY_TEST_MONITOR, U, broken_for=2 * MINUTE)
    house.is_well = lambda key: False

    await house.go_on()

    assert [] == house.out()


async def test_a_touch_point_whose_proxy_is_being_recovered_asks_for_nothing_of_its_own(house):
    at_proxy = Verdict(tier=Tier.PROXY, confidence=Confidence.CERTAIN, server="proxy1", because="proxy1 is down")
    house.settings = replace(house.settings, mode=Mode.RECOMMEND)
    house.services["proxy1"].become(ServiceState.FAILED)
    house.monitor("proxy1", items.PROXY_TEST_MONITOR, U, broken_for=MINUTE)
    house.monitor("proxy1", items.CTP_MONITOR, U, target="DB1", broken_for=MINUTE, verdict=at_proxy)

    await house.go_on()
    await house.wait(MINUTE)

    assert [OperationKind.PROXY] == [operation.kind for operation in await house.operations.operations()]


async def test_what_was_done_is_counted(house):
    house.services["be1"].become(ServiceState.FAILED)

    house.recovering.on_exit("be1", await house.services["be1"].status())
    await house.go_on()

    counted = [(one.action.value, one.outcome.value, one.count) for one in house.tally.measures().actions]
    assert [("start", "done", 1)] == counted


async def test_a_gate_that_stays_closed_is_counted_once(house):
    house.services["be1"].become(ServiceState.STOPPED)
    house.monitor("be1", state=U, broken_for=5 * MINUTE)

    await house.go_on()
    await house.wait(10 * MINUTE)

    counted = {(one.gate.value, one.count) for one in house.tally.measures().withheld}
    assert ("stopped on purpose", 1) in counted
    assert () == house.tally.measures().actions
