"""Where an operation stands is read from its record alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model.recovery import (
    ActionClass,
    Deed,
    Mode,
    Operation,
    OperationKind,
    OperationStatus,
    Step,
    StepName,
    StepOutcome,
)
from mailward.recovery.next_move import (
    EndHealed,
    GiveBack,
    LookBack,
    Take,
    acted_since_last_look,
    learned_nothing,
    needs_fresh_evidence,
    next_move,
)
from mailward.recovery.procedures import PROCEDURES
from mailward.recovery.wanted import ACTION_OF
from mailward.testing.platform import NOON

S, O = StepName, StepOutcome  # noqa: E741 - the tables below are read in columns
UNWELL, WELL = {"healthy": False}, {"healthy": True}


def an_operation(kind: OperationKind) -> Operation:
    return Operation(
        id=1,
        kind=kind,
        target="be1",
        server="be1",
        mode=Mode.ACT,
        status=OperationStatus.RUNNING,
        because="",
        started_at=NOON,
    )


def a_step(seq: int, place: int, name: StepName, outcome: StepOutcome | None = O.DONE, **more: object) -> Step:
    known = Step(
        operation=1,
        seq=seq,
        place=place,
        name=name,
        server="be1",
        started=NOON,
        ended=NOON if outcome is not None else None,
        outcome=outcome,
        action=ACTION_OF.get(name),
        evidence=UNWELL if name is S.RE_PROBE else {},
    )
    return replace(known, **more)  # type: ignore[arg-type]


def test_it_begins_with_the_first_stage():
    for kind, procedure in PROCEDURES.items():
        assert Take(place=0, stage=procedure.stages[0]) == next_move(an_operation(kind), [])


@pytest.mark.parametrize("kind", PROCEDURES)
def test_walked_through_without_ever_healing_it_reaches_the_escalation(kind):
    operation, steps, seen = an_operation(kind), [], []
    while True:
        move = next_move(operation, steps)
        assert isinstance(move, Take)
        seen.append(move.stage.step)
        if move.stage.step is S.ESCALATE:
            break
        outcome = O.DONE if move.stage.step in (S.RE_PROBE, S.OBSERVE) else O.REFUSED
        steps.append(a_step(len(steps) + 1, move.place, move.stage.step, outcome, evidence=UNWELL))

    assert [stage.step for stage in PROCEDURES[kind].stages] == seen


@pytest.mark.parametrize("kind", PROCEDURES)
def test_killed_after_any_step_whoever_goes_on_comes_to_the_same_move(kind):
    operation, steps = an_operation(kind), []
    while not isinstance(move := next_move(operation, steps), Take) or move.stage.step is not S.ESCALATE:
        assert move == next_move(replace(operation, owner="another"), tuple(steps))
        steps.append(
            a_step(len(steps) + 1, move.place, move.stage.step, O.SKIPPED if steps else O.DONE, evidence=UNWELL)
        )


def test_an_intent_without_outcome_is_looked_back_at_before_anything_else():
    step = a_step(2, 1, S.START_SERVICE, None)

    assert LookBack(step=step) == next_move(
        an_operation(OperationKind.MAILBOX_SERVER), [a_step(1, 0, S.RE_PROBE), step]
    )


def test_a_look_that_finds_nothing_wrong_ends_it_as_transient_or_healed():
    operation = an_operation(OperationKind.MAILBOX_SERVER)
    well = a_step(9, 4, S.RE_PROBE, evidence=WELL)

    assert EndHealed(touched=False) == next_move(operation, [well])
    assert EndHealed(touched=True) == next_move(operation, [a_step(2, 1, S.START_SERVICE), well])
    assert EndHealed(touched=False) == next_move(operation, [a_step(2, 1, S.START_SERVICE, O.REFUSED), well])


def test_after_a_start_nothing_else_is_done_to_the_service_before_somebody_looked():
    steps = [a_step(1, 0, S.RE_PROBE), a_step(2, 1, S.START_SERVICE)]

    assert S.RE_PROBE is next_move(an_operation(OperationKind.MAILBOX_SERVER), steps).stage.step


def test_what_was_taken_out_is_put_back_before_it_ends_well():
    operation = an_operation(OperationKind.PROXY)
    steps = [a_step(1, 0, S.RE_PROBE), a_step(2, 5, S.TAKE_OUT), a_step(3, 7, S.RE_PROBE, evidence=WELL)]

    back = next_move(operation, steps)
    assert isinstance(back, GiveBack)
    assert (S.PUT_BACK, "be1") == (back.step, back.server)
    assert EndHealed(touched=True) == next_move(operation, [*steps, a_step(4, back.place, S.PUT_BACK)])


def test_a_proof_that_failed_is_tried_once_more_and_not_for_ever():
    operation = an_operation(OperationKind.MAILBOX_SERVER)
    place = next(n for n, stage in enumerate(PROCEDURES[operation.kind].stages) if stage.step is S.PROVE_EMPTY)
    first = [a_step(1, 0, S.RE_PROBE), a_step(2, place, S.PROVE_EMPTY, O.FAILED)]

    again = next_move(operation, first)
    assert (place, 2) == (again.place, again.attempt)
    onward = next_move(operation, [*first, a_step(3, place, S.PROVE_EMPTY, O.FAILED, attempt=2)])
    assert place + 1 == onward.place


def test_a_deed_that_was_found_not_done_is_begun_anew_once():
    operation = an_operation(OperationKind.MAILBOX_SERVER)
    undone = a_step(2, 1, S.START_SERVICE, O.FAILED, evidence={"not_done": True})

    again = next_move(operation, [a_step(1, 0, S.RE_PROBE), undone])
    assert (1, 2) == (again.place, again.attempt)
    twice = replace(undone, seq=3, attempt=2)
    assert S.RE_PROBE is next_move(operation, [a_step(1, 0, S.RE_PROBE), undone, twice]).stage.step


@pytest.mark.parametrize(("age", "stale"), [(0, False), (15, False), (16, True), (-1, True)])
def test_a_look_is_evidence_for_a_quarter_of_a_minute(age, stale):
    look = a_step(1, 0, S.RE_PROBE)

    assert stale == needs_fresh_evidence([look], NOON + timedelta(seconds=age))


@pytest.mark.parametrize(
    ("operation", "server", "ago", "open_", "again"),
    [
        (2, "be1", 0, False, True),
        (2, "be1", 2, False, True),
        (2, "be1", 4, False, False),
        (2, "be2", 0, False, False),
        (1, "be1", 0, False, False),
        (2, "be1", 0, True, False),
    ],
)
def test_what_another_recovery_just_did_to_the_server_is_looked_at_first(operation, server, ago, open_, again):
    ended = NOON - timedelta(seconds=ago)
    deed = Deed(
        action=ActionClass.RELOAD,
        server=server,
        operation=operation,
        seq=1,
        started=ended,
        ended=None if open_ else ended,
    )

    assert again == acted_since_last_look("be1", [deed], [a_step(1, 0, S.RE_PROBE)], NOON)


def test_without_a_failed_look_there_is_no_evidence():
    assert needs_fresh_evidence([], NOON)
    assert learned_nothing([]) is not None
    assert learned_nothing([a_step(1, 0, S.RE_PROBE, O.UNKNOWN, evidence={"healthy": None}, because="late")]) == "late"
    assert learned_nothing([a_step(1, 0, S.RE_PROBE)]) is None
