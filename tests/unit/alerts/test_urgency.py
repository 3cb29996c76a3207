from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from mailward.alerts.matter import Cause, Matter, Recovery
from mailward.alerts.urgency import ESCALATED, judge
from mailward.model.alerting import Urgency
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import Answer, Gate, GateAnswer, OperationStatus
from mailward.model.verdict import Tier

S = OperationStatus
SECOND = timedelta(seconds=1)

#: With users suffering: how each status of the only recovery is judged a minute after it began, and what is asked.
ALONE = {
    S.RUNNING: (Urgency.WARNING, ""),
    S.WAITING: (Urgency.WARNING, ""),
    S.AWAITING_APPROVAL: (Urgency.CRITICAL, "approval 12"),
    S.TRANSIENT: (Urgency.WARNING, ""),
    S.HEALED: (Urgency.WARNING, ""),
    S.ESCALATED: (Urgency.CRITICAL, ESCALATED),
    S.DENIED: (Urgency.CRITICAL, ""),
    S.ABORTED: (Urgency.CRITICAL, ""),
}


@pytest.fixture
def matter(a_status) -> Matter:
    status = a_status()
    return Matter(
        cause=Cause(tier=Tier.MAILBOX_SERVER, server="be1"),
        statuses=(status,),
        since=status.broken_since,
        affected=("db1",),
        suffering=("db1",),
    )


@pytest.fixture
def a_recovery(an_operation, matter):
    def make(status: OperationStatus, *, answers: tuple[GateAnswer, ...] = (), **changes: object) -> Recovery:
        ended = matter.since + 50 * SECOND if status.is_over else None
        return Recovery(operation=replace(an_operation(status), **{"ended_at": ended, **changes}), answers=answers)

    return make


def test_every_status_of_a_recovery_is_judged():
    assert set(OperationStatus) == set(ALONE)


@pytest.mark.parametrize("status", OperationStatus)
def test_while_users_suffer_only_a_recovery_at_work_lets_people_sleep(status, matter, a_recovery):
    judgement = judge(replace(matter, recoveries=(a_recovery(status),)), now=matter.since + 60 * SECOND)

    assert ALONE[status] == (judgement.urgency, judgement.standing)
    assert 12 == judgement.operation.id
    assert judgement.because


@pytest.mark.parametrize(("first", "second"), list(product(OperationStatus, repeat=2)))
def test_of_two_recoveries_a_question_comes_first_then_a_call_then_work(first, second, matter, a_recovery):
    pair = (a_recovery(first), a_recovery(second, id=11))
    judgement = judge(replace(matter, recoveries=pair), now=matter.since + 60 * SECOND)

    if S.AWAITING_APPROVAL in (first, second):
        assert "approval" in judgement.standing
    elif S.ESCALATED in (first, second):
        assert ESCALATED == judgement.standing
    else:
        at_work = Urgency.WARNING in (ALONE[first][0], ALONE[second][0])
        assert (Urgency.WARNING if at_work else Urgency.CRITICAL) == judgement.urgency


def test_nobody_at_work_while_users_suffer_is_critical(matter):
    assert Urgency.CRITICAL == judge(matter, now=matter.since).urgency


def test_what_is_broken_for_less_than_a_minute_can_wait(matter):
    judgement = judge(replace(matter, suffering=()), now=matter.since)

    assert (Urgency.WARNING, "users are affected, but not for long enough to be sure") == (
        judgement.urgency,
        judgement.because,
    )


def test_what_touches_no_user_can_wait_even_when_its_recovery_escalated(matter, a_recovery):
    of_nobody = replace(matter, affected=(), suffering=(), recoveries=(a_recovery(S.ESCALATED),))

    assert Urgency.WARNING == judge(of_nobody, now=matter.since).urgency


def test_a_question_about_what_touches_no_user_is_asked_all_the_same(matter, a_recovery):
    of_nobody = replace(matter, affected=(), suffering=(), recoveries=(a_recovery(S.AWAITING_APPROVAL),))

    assert (Urgency.WARNING, "approval 12") == (
        judge(of_nobody, now=matter.since).urgency,
        judge(of_nobody, now=matter.since).standing,
    )


def test_a_monitor_without_an_answer_is_no_more_than_information(matter, a_status):
    silent = replace(matter, suffering=(), affected=(), statuses=(a_status(state=AlertValue.UNAVAILABLE),))

    assert Urgency.INFO == judge(silent, now=matter.since).urgency


def test_a_recovery_that_healed_has_a_minute_to_show_in_the_monitors(matter, a_recovery):
    healed = replace(matter, recoveries=(a_recovery(S.HEALED),))

    assert Urgency.WARNING == judge(healed, now=matter.since + 109 * SECOND).urgency
    assert Urgency.CRITICAL == judge(healed, now=matter.since + 110 * SECOND).urgency


def test_a_recovery_at_work_for_half_an_hour_lets_nobody_sleep_any_more(matter, a_recovery):
    slow = replace(matter, recoveries=(a_recovery(S.RUNNING),))

    assert Urgency.WARNING == judge(slow, now=matter.since + timedelta(minutes=29)).urgency
    assert (Urgency.CRITICAL, ESCALATED) == (
        judge(slow, now=matter.since + timedelta(minutes=30)).urgency,
        judge(slow, now=matter.since + timedelta(minutes=30)).standing,
    )


@pytest.mark.parametrize(
    ("answer", "minutes", "urgency"),
    [
        (Answer.PASSES, None, Urgency.WARNING),
        (Answer.WAITS, None, Urgency.WARNING),
        (Answer.WAITS, 10, Urgency.WARNING),
        (Answer.WAITS, 11, Urgency.CRITICAL),
        (Answer.REFUSES, None, Urgency.CRITICAL),
    ],
)
def test_a_gate_that_refuses_or_opens_late_calls_a_person(answer, minutes, urgency, matter, a_recovery):
    until = None if minutes is None else matter.since + timedelta(minutes=minutes)
    given = GateAnswer(gate=Gate.THROTTLE, answer=answer, because="restarted 3 min ago", until=until, seq=2)
    waiting = replace(matter, recoveries=(a_recovery(S.WAITING, answers=(given,)),))

    assert urgency == judge(waiting, now=matter.since).urgency


def test_only_the_answers_at_the_present_step_count(matter, a_recovery):
    old = GateAnswer(gate=Gate.PAUSE, answer=Answer.REFUSES, because="paused", seq=1)
    new = GateAnswer(gate=Gate.PAUSE, answer=Answer.PASSES, because="not paused", seq=2)

    for answers in ((old, new), (replace(old, seq=2), new)):
        waiting = replace(matter, recoveries=(a_recovery(S.WAITING, answers=answers),))
        assert Urgency.WARNING == judge(waiting, now=matter.since).urgency


def test_more_of_the_same_that_does_not_help_calls_a_person(matter, a_recovery):
    given = GateAnswer(gate=Gate.INEFFECTIVE, answer=Answer.REFUSES, because="healed twice and came back", seq=2)
    stopped = replace(matter, recoveries=(a_recovery(S.RUNNING, answers=(given,)),))

    assert Urgency.CRITICAL == judge(stopped, now=matter.since).urgency


def test_a_recovery_that_called_a_person_and_then_healed_is_healed(matter, a_recovery):
    healed = a_recovery(S.HEALED, escalated_at=matter.since + 20 * SECOND)

    assert Urgency.WARNING == judge(replace(matter, recoveries=(healed,)), now=matter.since + 60 * SECOND).urgency
