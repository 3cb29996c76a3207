"""The outline of a procedure says what is asked and done, as the procedure and the gates themselves have it."""

import pytest

from mailward.model import items
from mailward.model.recovery import ActionClass, Gate, Mode, OperationKind, StepName
from mailward.recovery.deciding import decide
from mailward.recovery.outline import gates_before, meaning_of_gates, outline_for
from mailward.recovery.procedures import PROCEDURES
from mailward.recovery.wanted import Wanted

from .conftest import STEPS, all_well_for, wanted

MONITORS = [name for procedure in PROCEDURES.values() for name in procedure.monitors]


@pytest.mark.parametrize("name", MONITORS)
def test_an_outline_has_the_stages_of_the_procedure_in_order(name):
    outline = outline_for(name)

    stages = PROCEDURES[outline.procedure].stages
    assert [
        (number, one.step, one.premise, one.gives_back, one.seed) for number, one in enumerate(stages, start=1)
    ] == [(one.number, one.step, one.premise, one.gives_back, one.seed) for one in outline.stages]


@pytest.mark.parametrize("action", ActionClass, ids=lambda action: action.value)
def test_the_gates_it_names_are_those_that_answer(action):
    decision = decide(wanted(action), all_well_for(action))

    assert gates_before(STEPS[action]) == tuple(answer.gate for answer in decision.answers)


def test_what_gives_back_is_asked_whether_it_is_well_again():
    step = StepName.PUT_BACK
    decision = decide(Wanted(step=step, server="be1"), all_well_for(ActionClass.ACCESS_POINT))

    assert gates_before(step) == tuple(answer.gate for answer in decision.answers)


def test_a_stage_that_touches_something_has_its_class_and_how_far_that_goes():
    stages = {stage.step: stage for stage in outline_for(items.SELF_TEST_MONITOR).stages}

    assert (ActionClass.START, Mode.ACT) == (
        stages[StepName.START_SERVICE].action,
        stages[StepName.START_SERVICE].by_default,
    )
    assert (None, None) == (stages[StepName.RE_PROBE].action, stages[StepName.RE_PROBE].by_default)


def test_the_classes_of_a_procedure_are_each_named_once_in_the_order_of_its_stages():
    outline = outline_for(items.PROXY_TEST_MONITOR)

    assert OperationKind.PROXY == outline.procedure
    assert ["start", "reload", "restart", "access-point", "server-restart"] == [
        known.action.value for known in outline.gates
    ]


def test_what_only_people_are_told_of_has_no_outline():
    assert outline_for(items.PUSH_MONITOR) is None


def test_every_gate_says_in_a_sentence_why_it_is_asked():
    meanings = meaning_of_gates()

    assert set(Gate) == set(meanings)
    assert [] == [gate for gate, why in meanings.items() if not why.endswith(".")]
