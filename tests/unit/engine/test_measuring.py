"""Counting: what happened counts once, and what did not take place leaves no trace."""

from dataclasses import replace
from datetime import timedelta

from mailward.engine.measuring import Tally, monitor_counts, recovery_counts
from mailward.model.items import CTP_PROBE, DEEP_TEST_PROBE, IMAP
from mailward.model.measures import PHASE_BOUNDS, ActionCount, FailureCount, ResultCount, WithheldCount
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.probing import Cause, Phase, PhaseOutcome, PhaseTiming, ResultType
from mailward.model.recovery import ActionClass, Answer, Gate, GateAnswer, OperationStatus, Step, StepName, StepOutcome
from mailward.testing.manager_values import FAILED, SUCCEEDED, a_phase
from mailward.testing.platform import NOON
from mailward.testing.repair_values import HEALED_STORY, WAITING_STORY


def after(*results):
    tally = Tally(NOON)
    for result in results:
        tally.judged(result)
    return tally.measures()


def test_nothing_is_counted_before_anything_happened():
    measures = Tally(NOON).measures()

    assert NOON == measures.since
    assert () == (*measures.results, *measures.failures, *measures.phases, *measures.actions, *measures.withheld)


def test_results_count_by_probe_and_by_how_they_ended():
    assert (
        ResultCount(probe=CTP_PROBE, result=ResultType.SUCCEEDED, count=2),
        ResultCount(probe=DEEP_TEST_PROBE, result=ResultType.FAILED, count=1),
    ) == after(SUCCEEDED, FAILED, SUCCEEDED).results


def test_a_failure_counts_with_its_phase_and_cause_and_a_success_does_not():
    assert (FailureCount(probe=DEEP_TEST_PROBE, phase=Phase.SELECT, cause=Cause.STORE_ERROR, count=1),) == after(
        SUCCEEDED, FAILED
    ).failures


def test_what_could_not_be_probed_is_no_failure():
    assert () == after(replace(FAILED, result=ResultType.PROBER_OVERLOADED)).failures


def test_phases_that_did_not_take_place_are_not_counted():
    assert {Phase.CONNECT, Phase.AUTH, Phase.SELECT} == {one.phase for one in after(FAILED).phases}


def test_a_phase_counts_in_the_first_bound_it_fits_in():
    bound = timedelta(seconds=PHASE_BOUNDS[3])
    phases = (
        PhaseTiming(phase=Phase.AUTH, took=bound, outcome=PhaseOutcome.OK),
        PhaseTiming(phase=Phase.AUTH, took=bound + timedelta(microseconds=1), outcome=PhaseOutcome.OK),
        PhaseTiming(phase=Phase.AUTH, took=timedelta(minutes=1), outcome=PhaseOutcome.TIMED_OUT),
    )

    (times,) = after(replace(SUCCEEDED, phases=phases)).phases

    assert {3: 1, 4: 1, len(PHASE_BOUNDS): 1} == {place: n for place, n in enumerate(times.counts) if n}
    assert 2 * bound + timedelta(minutes=1, microseconds=1) == times.took


def test_phases_of_several_conversations_add_up():
    (times,) = after(*(replace(SUCCEEDED, phases=(a_phase(Phase.AUTH, ms),)) for ms in (1, 1.5, 400))).phases

    assert 3 == sum(times.counts)
    assert timedelta(milliseconds=402.5) == times.took


def test_an_action_counts_when_it_has_ended_and_a_look_never():
    tally = Tally(NOON)
    step = Step(operation=1, seq=1, place=0, name=StepName.RESTART_SERVICE, server="be1", started=NOON)
    tally.ended(replace(step, action=ActionClass.RESTART))
    tally.ended(replace(step, name=StepName.RE_PROBE, outcome=StepOutcome.DONE))
    tally.ended(replace(step, action=ActionClass.RESTART, outcome=StepOutcome.FAILED))

    assert (ActionCount(action=ActionClass.RESTART, outcome=StepOutcome.FAILED, count=1),) == tally.measures().actions


def test_each_gate_that_did_not_let_an_action_pass_counts():
    tally = Tally(NOON)
    tally.withheld(
        ActionClass.MOVE,
        [
            GateAnswer(gate=Gate.MODE, answer=Answer.REFUSES, because=""),
            GateAnswer(gate=Gate.LEASE, answer=Answer.PASSES, because=""),
            GateAnswer(gate=Gate.THROTTLE, answer=Answer.WAITS, because=""),
        ],
    )

    assert (
        WithheldCount(action=ActionClass.MOVE, gate=Gate.MODE, count=1),
        WithheldCount(action=ActionClass.MOVE, gate=Gate.THROTTLE, count=1),
    ) == tally.measures().withheld


def test_every_state_of_a_health_set_has_a_number():
    key = MonitorKey(server="be1", health_set=IMAP, item="m", target="t")
    well = MonitorStatus(key=key, state=AlertValue.HEALTHY, since=NOON, because="")

    counted = monitor_counts([well, well, replace(well, state=AlertValue.DEGRADED)])

    assert {state.value: 0 for state in AlertValue} | {"Healthy": 2, "Degraded": 1} == {
        one.state.value: one.count for one in counted
    }


def test_a_recovery_known_twice_counts_once_as_it_stands_last():
    waiting, healed = WAITING_STORY.operation, HEALED_STORY.operation
    counted = recovery_counts([waiting, healed, replace(waiting, status=OperationStatus.DENIED)])

    assert {"denied": 1, "healed": 1} == {one.status.value: one.count for one in counted if one.count}
    assert len(OperationStatus) == len(counted)
