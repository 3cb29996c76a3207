"""The procedures as data: in the seed's order, and with the branches it forgot."""

from itertools import pairwise

import pytest

from mailward.model.items import MONITORS
from mailward.model.recovery import OperationKind, StepName
from mailward.recovery.premises import Premise
from mailward.recovery.procedures import PROCEDURES, procedure_for
from mailward.recovery.wanted import ACTION_OF

RECOVERIES = [kind for kind, procedure in PROCEDURES.items() if procedure.monitors]
ORDERS = [kind for kind in PROCEDURES if kind not in RECOVERIES]
"""What was decided before: nothing is probed whether it stands."""


def steps(kind: OperationKind) -> list[StepName]:
    return [stage.step for stage in PROCEDURES[kind].stages]


@pytest.mark.parametrize("kind", PROCEDURES)
def test_every_procedure_ends_with_a_person(kind):
    assert StepName.ESCALATE == steps(kind)[-1]


@pytest.mark.parametrize("kind", RECOVERIES)
def test_every_recovery_begins_with_a_look(kind):
    assert StepName.RE_PROBE == steps(kind)[0]


def test_what_was_decided_before_is_a_move_or_the_emptying_of_a_server():
    assert {OperationKind.MOVE, OperationKind.DRAIN} == set(ORDERS)


@pytest.mark.parametrize("kind", PROCEDURES)
def test_after_every_deed_somebody_looks_before_the_procedure_is_at_its_end(kind):
    stages = steps(kind)
    looks = (StepName.RE_PROBE, StepName.OBSERVE, StepName.VERIFY, StepName.PROVE_EMPTY)
    last_look = max(n for n, step in enumerate(stages) if step in looks)

    assert [] == [step for step in stages[last_look:] if step in ACTION_OF]


@pytest.mark.parametrize("kind", PROCEDURES)
def test_a_server_is_never_restarted_without_the_proof_that_it_is_empty_or_out_of_service(kind):
    stages = steps(kind)
    for n, step in enumerate(stages):
        if step is StepName.RESTART_SERVER:
            assert {StepName.PROVE_EMPTY, StepName.TAKE_OUT} & set(stages[:n])


@pytest.mark.parametrize("kind", PROCEDURES)
def test_databases_are_moved_before_the_proof_that_none_is_left(kind):
    stages = steps(kind)
    if StepName.PROVE_EMPTY in stages:
        assert stages.index(StepName.MOVE_DATABASES) < stages.index(StepName.PROVE_EMPTY)


def test_what_takes_something_away_names_what_gives_it_back():
    taking = {StepName.TAKE_OUT, StepName.PROTOCOL_LOG_ON, StepName.MOVE_DATABASES}
    for kind in RECOVERIES:  # what a person emptied, a person fills again
        for stage in PROCEDURES[kind].stages:
            assert (stage.step in taking) == (stage.gives_back is not None), stage


def test_the_touch_points_mailbox_server_is_recovered_before_its_proxy_is_touched():
    stages = PROCEDURES[OperationKind.CUSTOMER_TOUCH_POINT].stages
    recovers = max(n for n, stage in enumerate(stages) if stage.step is StepName.RECOVER_MAILBOX_SERVER)
    touches = min(n for n, stage in enumerate(stages) if stage.step in ACTION_OF)

    assert recovers < touches
    assert all(
        stage.premise in (Premise.PROXY_AT_FAULT, Premise.PROXY_TO_TAKE_OUT)
        for stage in stages
        if stage.step in ACTION_OF
    )


def test_the_seeds_sections_are_met_in_their_order():
    for procedure in PROCEDURES.values():
        places = [stage.seed for stage in procedure.stages if stage.seed and stage.seed[0].isdigit()]
        for earlier, later in pairwise(places):
            assert earlier.split(".")[0] <= later.split(".")[0] or earlier == later, procedure.kind


def test_every_monitor_a_procedure_is_for_exists():
    known = {monitor.name for monitor in MONITORS}
    named = {monitor for procedure in PROCEDURES.values() for monitor in procedure.monitors}

    assert named <= known


def test_monitors_that_nothing_can_mend_have_no_procedure():
    assert procedure_for("ImapHealthMailboxMonitor") is None
    assert procedure_for("DiskSpaceForecastMonitor") is None
    assert procedure_for("HealthManagerMonitor") is None
    assert procedure_for("NotificationMonitor") is None
    assert OperationKind.PROXY == procedure_for("ImapProxyTestMonitor").kind
