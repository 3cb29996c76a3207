"""What every Operations keeps; an implementation joins by adding itself to `Place`."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mailward.model.errors import Refused
from mailward.model.event import Event, EventKind
from mailward.model.monitoring import MonitorKey
from mailward.model.recovery import (
    ActionClass,
    Answer,
    Deed,
    Gate,
    GateAnswer,
    Mode,
    Operation,
    OperationKind,
    OperationStatus,
    Step,
    StepName,
    StepOutcome,
)
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.ports.operations import LEASE
from mailward.testing.platform import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OVER = [status for status in OperationStatus if status.is_over]
PASSED = GateAnswer(gate=Gate.THROTTLE, answer=Answer.PASSES, because="nothing was done lately")
WAITS = GateAnswer(gate=Gate.THROTTLE, answer=Answer.WAITS, because="done a minute ago", until=NOON + 9 * MINUTE)


def an_operation(target: str = "be1", **changes: object) -> Operation:
    fields: dict[str, object] = {
        "kind": OperationKind.MAILBOX_SERVER,
        "target": target,
        "server": target,
        "mode": Mode.ACT,
        "status": OperationStatus.RUNNING,
        "because": "the rule broke",
        "started_at": NOON,
    }
    return Operation(**{**fields, **changes})  # type: ignore[arg-type]


def a_deed(operation: Operation, seq: int = 1, **changes: object) -> Step:
    fields: dict[str, object] = {
        "operation": operation.id,
        "seq": seq,
        "place": 1,
        "name": StepName.RESTART_SERVICE,
        "server": "be1",
        "started": NOON,
        "action": ActionClass.RESTART,
        "intent": "restart the IMAP service of be1",
        "command": ("systemctl", "restart", "dovecot"),
    }
    return Step(**{**fields, **changes})  # type: ignore[arg-type]


def an_event(because: str, kind: EventKind = EventKind.RECOVERY_STARTED, **changes: object) -> Event:
    return Event(**{"at": NOON, "kind": kind, "subject": "be1", "because": because, **changes})  # type: ignore[arg-type]


def passes(deeds: Sequence[Deed], now: datetime) -> GateAnswer:
    return PASSED


def waits(deeds: Sequence[Deed], now: datetime) -> GateAnswer:
    return WAITS


class Watching:
    """A throttle that passes, and remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[list[str], datetime]] = []

    def __call__(self, deeds: Sequence[Deed], now: datetime) -> GateAnswer:
        self.seen.append(([f"{deed.operation}.{deed.seq}" for deed in deeds], now))
        return PASSED


async def begun(place, held, target="be1", **changes) -> Operation:
    operation = await place.operations.begin(an_operation(target, **changes), [], held=held)
    assert operation is not None
    return operation


async def intended(place, held, operation, seq=1, **changes) -> Step:
    step = a_deed(operation, seq, **changes)
    answer = await place.operations.intend(operation, step, held=held, may=passes, window=DAY)
    assert PASSED == answer
    return step


async def test_an_operation_is_given_back_as_it_was_with_a_number(place, operations, held):
    key = MonitorKey(server="be1", health_set="IMAP.Protocol", item="ImapDeepTestMonitor", target="DB1")
    wanted = an_operation(
        cause=key,
        cause_event=7,
        wake_at=NOON + MINUTE,
        owner="a",
        fence=3,
        verdict=Verdict(tier=Tier.MAILBOX_SERVER, confidence=Confidence.CERTAIN, because="it said so", server="be1"),
        databases=("DB1", "DB2"),
        data={"copies": ["be2"], "tried": 2},
    )

    operation = await operations.begin(wanted, [an_event("it began")], held=held)

    assert operation == replace(wanted, id=operation.id)
    assert operation.id > 0
    assert operation == await operations.operation(operation.id)
    assert (operation,) == await operations.open()
    assert await operations.operation(operation.id + 1) is None


async def test_events_learn_the_number_of_the_operation_they_are_stored_with(place, operations, held):
    operation = await operations.begin(an_operation(), [an_event("it began")], held=held)
    await operations.save(operation, held=held, events=[an_event("of another", operation=99)])
    await operations.intend(
        operation, a_deed(operation), held=held, may=passes, window=DAY, events=[an_event("it is meant")]
    )

    assert [("it began", operation.id), ("of another", 99), ("it is meant", operation.id)] == await place.events()


async def test_ids_of_events_grow_whoever_stores_them(place, operations, held):
    await place.store.save_statuses([], [an_event("1")])
    operation = await operations.begin(an_operation(), [an_event("2"), an_event("3")], held=held)
    await place.store.save_statuses([], [an_event("4")])
    await operations.save(operation, held=held, events=[an_event("5")])

    stored = await place.stored_events()

    assert ["1", "2", "3", "4", "5"] == [event.because for event in stored]
    assert sorted({event.id for event in stored}) == [event.id for event in stored]


async def test_whoever_follows_the_events_is_told_when_some_were_stored(place, operations, held):
    operation = await operations.begin(an_operation(), [an_event("1")], held=held)
    assert 1 == place.told
    await operations.save(operation, held=held)
    assert 1 == place.told, "nothing was stored that anybody follows"
    await operations.intend(operation, a_deed(operation), held=held, may=passes, window=DAY, events=[an_event("2")])
    assert 2 == place.told


async def test_a_target_has_one_operation_that_is_not_over(place, operations, held):
    first = await operations.begin(an_operation("be1"), [an_event("1")], held=held)

    assert await operations.begin(an_operation("be1"), [an_event("2")], held=held) is None
    other = await operations.begin(an_operation("be2"), [], held=held)

    assert (first, other) == await operations.open()
    assert [("1", first.id)] == await place.events()


@pytest.mark.parametrize("status", OperationStatus)
async def test_a_target_is_free_again_exactly_when_its_operation_is_over(place, operations, held, status):
    first = await begun(place, held)
    await operations.save(replace(first, status=status), held=held)

    second = await operations.begin(an_operation(), [], held=held)

    assert status.is_over == (second is not None)


async def test_of_two_that_begin_at_once_one_wins(place, operations, held):
    answers = await asyncio.gather(*(operations.begin(an_operation(), [], held=held) for _ in range(5)))

    assert 1 == len([answer for answer in answers if answer is not None])
    assert 1 == len(await operations.open())


async def test_how_an_operation_stands_is_stored_with_its_steps_and_answers(place, operations, held):
    operation = await begun(place, held)
    probe = a_deed(operation, 1, name=StepName.RE_PROBE, action=None, ended=NOON, outcome=StepOutcome.DONE)
    skipped = a_deed(operation, 2, ended=NOON, outcome=StepOutcome.SKIPPED, because="it runs")
    standing = replace(operation, status=OperationStatus.WAITING, wake_at=NOON + MINUTE)

    await operations.save(standing, held=held, steps=[skipped, probe], answers=[replace(WAITS, seq=2)])
    await operations.save(standing, held=held, steps=[replace(skipped, attempt=2)], answers=[replace(PASSED, seq=2)])

    assert standing == await operations.operation(operation.id)
    assert (probe, replace(skipped, attempt=2)) == await operations.steps(operation.id)
    assert tuple(replace(answer, operation=operation.id, seq=2) for answer in (WAITS, PASSED)) == (
        await operations.answers(operation.id)
    )
    assert () == await operations.steps(operation.id + 1)
    assert () == await operations.answers(operation.id + 1)


async def test_an_operation_that_was_never_begun_cannot_be_saved(place, operations, held):
    stranger = an_operation(id=17)

    with pytest.raises(Refused, match="no operation 17"):
        await operations.save(stranger, held=held, events=[an_event("1")])
    with pytest.raises(Refused, match="no operation 17"):
        await operations.intend(stranger, a_deed(stranger), held=held, may=passes, window=DAY)
    assert [] == await place.events()


async def test_a_step_of_another_operation_is_refused(place, operations, held):
    one, other = await begun(place, held, "be1"), await begun(place, held, "be2")

    with pytest.raises(Refused, match=f"of operation {other.id}"):
        await operations.save(one, held=held, steps=[a_deed(other)])
    with pytest.raises(Refused, match=f"of operation {other.id}"):
        await operations.intend(one, a_deed(other), held=held, may=passes, window=DAY)
    assert () == await operations.steps(other.id)


async def test_an_intent_is_stored_with_everything_that_goes_with_it(place, operations, held):
    operation = await begun(place, held)
    standing = replace(operation, because="be1 is restarted")
    mode = GateAnswer(gate=Gate.MODE, answer=Answer.PASSES, because="act")

    answer = await operations.intend(
        standing, a_deed(operation), held=held, may=passes, window=DAY, answers=[mode], events=[an_event("meant")]
    )

    assert PASSED == answer
    assert standing == await operations.operation(operation.id)
    assert (a_deed(operation),) == await operations.steps(operation.id)
    assert tuple(replace(given, operation=operation.id, seq=1) for given in (mode, PASSED)) == (
        await operations.answers(operation.id)
    )


@pytest.mark.parametrize("answer", [answer for answer in Answer if answer is not Answer.PASSES])
async def test_what_the_throttle_forbids_is_not_written_at_all(place, operations, held, answer):
    operation = await begun(place, held)
    no = replace(WAITS, answer=answer)

    given = await operations.intend(
        replace(operation, because="changed"),
        a_deed(operation),
        held=held,
        may=lambda deeds, now: no,
        window=DAY,
        answers=[PASSED],
        events=[an_event("meant")],
    )

    assert no == given
    assert operation == await operations.operation(operation.id)
    assert ((), (), []) == (
        await operations.steps(operation.id),
        await operations.answers(operation.id),
        await place.events(),
    )


async def test_a_throttle_that_breaks_forbids(place, operations, held):
    operation = await begun(place, held)

    def breaks(deeds: Sequence[Deed], now: datetime) -> GateAnswer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await operations.intend(operation, a_deed(operation), held=held, may=breaks, window=DAY)
    assert () == await operations.steps(operation.id)


async def test_the_throttle_sees_the_deeds_of_all_servers_within_the_window_and_those_that_have_not_ended(
    place, operations, held, clock
):
    one, other = await begun(place, held, "be1"), await begun(place, held, "be2")
    ended = {"ended": NOON, "outcome": StepOutcome.FAILED}
    old = await intended(place, held, one, 1, started=NOON - DAY - MINUTE)
    edge = await intended(place, held, one, 2, started=NOON - DAY)
    await intended(place, held, one, 3, started=NOON - 2 * DAY)
    recent = await intended(place, held, other, 1, started=NOON - HOUR, server="be2")
    await operations.save(one, held=held, steps=[replace(old, **ended), replace(edge, **ended)])
    await operations.save(other, held=held, steps=[replace(recent, **ended)])
    watching = Watching()

    await operations.intend(other, a_deed(other, 2), held=held, may=watching, window=DAY)

    assert [([f"{one.id}.3", f"{one.id}.2", f"{other.id}.1"], NOON)] == watching.seen


async def test_deeds_tell_what_came_of_them(place, operations, held):
    operation = await begun(place, held)
    step = await intended(place, held, operation)
    deed = Deed(action=ActionClass.RESTART, server="be1", operation=operation.id, seq=1, started=NOON)
    assert (deed,) == await operations.deeds(since=NOON)

    ended = replace(step, ended=NOON + MINUTE, outcome=StepOutcome.UNKNOWN)
    await operations.save(operation, held=held, steps=[ended])

    assert (replace(deed, ended=NOON + MINUTE, outcome=StepOutcome.UNKNOWN),) == await operations.deeds(since=NOON)
    assert () == await operations.deeds(since=NOON + MINUTE)


async def test_what_was_withheld_is_no_deed(place, operations, held):
    operation = await begun(place, held)
    withheld = a_deed(operation, 1, ended=NOON, outcome=StepOutcome.REFUSED)
    await operations.save(operation, held=held, steps=[withheld, a_deed(operation, 2)])

    assert () == await operations.deeds(since=NOON)


async def test_a_step_that_waited_may_be_intended_later_but_only_once(place, operations, held):
    operation = await begun(place, held)
    await operations.save(operation, held=held, steps=[a_deed(operation)])
    step = await intended(place, held, operation)

    for again in (step, replace(step, fence=2)):
        with pytest.raises(Refused, match="begun before"):
            await operations.intend(operation, again, held=held, may=passes, window=DAY)
    await operations.save(operation, held=held, steps=[replace(step, ended=NOON, outcome=StepOutcome.DONE)])
    with pytest.raises(Refused, match="begun before"):
        await operations.intend(operation, step, held=held, may=passes, window=DAY)
    assert 1 == len(await operations.deeds(since=NOON)), "the outcome leaves it a deed"


async def test_the_throttle_is_asked_at_the_stores_own_moment(place, operations, held, clock):
    operation = await begun(place, held)
    clock.advance(30 * timedelta(seconds=1))
    watching = Watching()

    await operations.intend(operation, a_deed(operation), held=held, may=watching, window=DAY)

    assert [NOON + timedelta(seconds=30)] == [now for _, now in watching.seen]


async def test_a_clock_that_went_back_shortens_no_throttle(place, operations, held, clock):
    operation = await begun(place, held)
    step = await intended(place, held, operation)
    await operations.save(operation, held=held, steps=[replace(step, ended=NOON, outcome=StepOutcome.DONE)])
    clock.advance(-3 * DAY)
    watching = Watching()

    await operations.intend(operation, a_deed(operation, 2), held=held, may=watching, window=HOUR)

    assert [([f"{operation.id}.1"], NOON - 3 * DAY)] == watching.seen


async def calls(place, operation):
    """Each call that needs the lease."""
    operations = place.operations
    event = an_event("late")
    return {
        "begin": lambda held: operations.begin(an_operation("be9"), [event], held=held),
        "save": lambda held: operations.save(
            replace(operation, because="late"),
            held=held,
            steps=[a_deed(operation)],
            answers=[PASSED],
            events=[event],
        ),
        "intend": lambda held: operations.intend(
            replace(operation, because="late"), a_deed(operation), held=held, may=passes, window=DAY, events=[event]
        ),
    }


@pytest.mark.parametrize("call", ["begin", "save", "intend"])
@pytest.mark.parametrize("how", ["time is over", "taken by another", "taken anew", "given back", "never held"])
async def test_without_the_lease_nothing_is_written(place, operations, held, clock, call, how):
    operation = await begun(place, held)
    if how == "given back":
        await place.lease.release(held, LEASE)
    elif how == "never held":
        held = replace(held, fence=held.fence + 1)
    else:
        clock.advance(MINUTE)
    if how in ("taken by another", "taken anew"):
        await place.lead("b" if how == "taken by another" else held.owner)

    with pytest.raises(Refused, match="the lease is lost"):
        await (await calls(place, operation))[call](held)

    assert (operation,) == await operations.open()
    assert ((), (), []) == (
        await operations.steps(operation.id),
        await operations.answers(operation.id),
        await place.events(),
    )


@pytest.mark.parametrize("call", ["begin", "save", "intend"])
async def test_a_lease_that_was_renewed_in_time_is_held(place, operations, held, clock, call):
    operation = await begun(place, held)
    clock.advance(MINUTE - timedelta(milliseconds=1))
    await place.lease.renew(held, LEASE, for_=MINUTE)
    clock.advance(MINUTE - timedelta(milliseconds=1))

    await (await calls(place, operation))[call](held)

    assert ["late"] == [because for because, _ in await place.events()]


async def test_an_operator_needs_no_lease(place, operations, held, clock):
    operation = await begun(place, held)
    clock.advance(HOUR)

    await operations.save(replace(operation, approved_by="ana"), held=None, events=[an_event("yes")])

    assert "ana" == (await operations.operation(operation.id)).approved_by
    assert [("yes", operation.id)] == await place.events()


@pytest.mark.parametrize("status", OVER)
async def test_an_operator_changes_nothing_that_is_over(place, operations, held, status):
    operation = await begun(place, held)
    over = replace(operation, status=status, ended_at=NOON)
    await operations.save(over, held=held)

    with pytest.raises(Refused, match="is over"):
        await operations.save(
            operation, held=None, steps=[a_deed(operation)], answers=[PASSED], events=[an_event("late")]
        )

    assert over == await operations.operation(operation.id)
    assert ((), (), []) == (
        await operations.steps(operation.id),
        await operations.answers(operation.id),
        await place.events(),
    )


@pytest.mark.parametrize("status", OVER)
async def test_nothing_is_begun_in_an_operation_that_an_operator_ended(place, operations, held, status):
    operation = await begun(place, held)
    over = replace(operation, status=status, ended_at=NOON)
    await operations.save(over, held=None)

    with pytest.raises(Refused, match="is over"):
        await operations.intend(operation, a_deed(operation), held=held, may=passes, window=DAY)

    assert (over, ()) == (await operations.operation(operation.id), await operations.steps(operation.id))


async def test_the_outcome_of_a_deed_under_way_is_kept_when_the_operation_was_aborted(place, operations, held):
    operation = await begun(place, held)
    step = await intended(place, held, operation)
    aborted = replace(operation, status=OperationStatus.ABORTED, ended_at=NOON, because="ana said so")
    await operations.save(aborted, held=None)
    ended = replace(step, ended=NOON + MINUTE, outcome=StepOutcome.DONE)

    for late in (OperationStatus.HEALED, OperationStatus.RUNNING):
        await operations.save(
            replace(operation, status=late, because="it works"),
            held=held,
            steps=[ended],
            answers=[replace(PASSED, seq=1)],
            events=[an_event("done")],
        )

    assert aborted == await operations.operation(operation.id)
    assert (ended,) == await operations.steps(operation.id)
    assert 3 == len(await operations.answers(operation.id))
    assert [("done", operation.id)] * 2 == await place.events()


async def test_after_a_restart_everything_is_there(place, operations, held):
    operation = await begun(place, held)
    step = await intended(place, held, operation)
    answers = await operations.answers(operation.id)

    await place.restart()

    assert (operation,) == await place.operations.open()
    assert (step,) == await place.operations.steps(operation.id)
    assert answers == await place.operations.answers(operation.id)
    assert [None] == [deed.ended for deed in await place.operations.deeds(since=NOON + DAY)]
    assert await place.operations.begin(an_operation(), [], held=held) is None


async def test_an_intent_without_outcome_is_seen_by_whoever_leads_next_and_counts_for_its_throttle(
    place, operations, held, clock
):
    operation = await begun(place, held)
    await intended(place, held, operation)
    await place.restart()
    clock.advance(30 * DAY)
    successor = await place.lead("b")
    watching = Watching()

    await place.operations.intend(operation, a_deed(operation, 2), held=successor, may=watching, window=HOUR)

    assert [[f"{operation.id}.1"]] == [deeds for deeds, _ in watching.seen]
    with pytest.raises(Refused, match="the lease is lost"):
        await place.operations.save(operation, held=held)


async def test_operations_are_found_by_target_time_and_the_servers_they_touched(place, operations, held):
    one = await begun(place, held, "be1")
    two = await begun(place, held, "be1/DB1", server="proxy1", started_at=NOON + MINUTE)
    three = await begun(place, held, "be3", started_at=NOON + HOUR)
    await operations.save(two, held=held, steps=[a_deed(two, server="be1")])

    assert (three, two, one) == await operations.operations()
    assert (three, two) == await operations.operations(limit=2)
    assert (three, two) == await operations.operations(since=NOON + MINUTE)
    assert (two,) == await operations.operations(target="be1/DB1")
    assert (two, one) == await operations.operations(server="be1")
    assert (two,) == await operations.operations(server="proxy1")
    assert () == await operations.operations(server="be2")


async def test_what_cannot_be_stored_leaves_nothing_behind(place, operations, held):
    operation = await begun(place, held)

    with pytest.raises(TypeError):
        await operations.save(
            replace(operation, because="changed"),
            held=held,
            steps=[a_deed(operation)],
            events=[an_event("1"), an_event("2", data={"set": object()})],
        )

    assert operation == await operations.operation(operation.id)
    assert ((), []) == (await operations.steps(operation.id), await place.events())
