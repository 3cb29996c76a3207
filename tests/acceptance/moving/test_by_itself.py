"""What mailward does by itself, in the mode act: the mailbox-server procedure with copies to move to."""

from collections.abc import Iterator

import pytest

from mailward.lab.lab import Lab
from mailward.model.recovery import OperationKind, StepName, StepOutcome

from .conftest import Movable, _running, at_work


@pytest.fixture
def acting(moving_lab: Lab) -> Iterator[Movable]:
    """The lab, with a manager that may do everything."""
    yield from _running(Movable(moving_lab, mode="act"))


def test_users_of_a_server_that_cannot_be_started_are_served_by_the_other_after_a_minute(acting: Movable) -> None:
    with at_work(acting.lab, ("anna", "dora"), idles=False) as traffic:
        acting.lab.break_("service-dead@be1")
        acting.until(lambda: set(acting.active().values()) == {"be2"}, seconds=150)
        assert traffic.every_writer_is_served("be2", seconds=30), acting.told()

    recovery = next(one for one in acting.client.recoveries() if one.kind is OperationKind.MAILBOX_SERVER)
    steps = acting.client.recovery(recovery.id).steps
    done = [step.name for step in steps if step.outcome is StepOutcome.DONE]
    assert StepName.MOVE_DATABASES in done, acting.told()
    acting.lab.heal()
    acting.until(lambda: not acting.client.holds(), seconds=90)
    acting.until(lambda: not acting.client.recoveries(unfinished=True), seconds=90)
