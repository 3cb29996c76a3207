"""What mailward does by itself, in the mode act: the mailbox-server procedure with copies to move to."""

from collections.abc import Iterator

import pytest

from mailward.lab.lab import Lab
from mailward.model.recovery import Operation, OperationKind, OperationStatus, StepName, StepOutcome

from .conftest import Movable, _running, at_work, counted


@pytest.fixture
def acting(moving_lab: Lab) -> Iterator[Movable]:
    """The lab, with a manager that may do everything."""
    yield from _running(Movable(moving_lab, mode="act"))


def test_users_of_a_server_that_cannot_be_started_are_served_by_the_other_after_a_minute(acting: Movable) -> None:
    with at_work(acting.lab, ("anna", "dora"), idles=False) as traffic:
        acting.lab.break_("service-dead@be1")
        acting.until(lambda: set(acting.active().values()) == {"be2"}, seconds=150)
        assert traffic.every_writer_is_served("be2", seconds=60), acting.told()

    recovery = next(one for one in acting.client.recoveries() if one.kind is OperationKind.MAILBOX_SERVER)
    steps = acting.client.recovery(recovery.id).steps
    done = [step.name for step in steps if step.outcome is StepOutcome.DONE]
    assert StepName.MOVE_DATABASES in done, acting.told()
    acting.lab.heal()
    acting.until(lambda: not acting.client.holds(), seconds=180)
    acting.until(lambda: not acting.client.recoveries(unfinished=True), seconds=180)


@pytest.fixture
def _takes_minutes(request: pytest.FixtureRequest) -> None:
    """A minute's patience, a restart of the service in vain, and a server that comes back."""
    if not (request.config.getoption("--every-kind") or request.config.getoption("--default-timings")):
        pytest.skip("only with --every-kind")


@pytest.mark.usefixtures("_takes_minutes")
def test_a_server_that_only_its_own_restart_mends_is_emptied_restarted_and_allowed_again(acting: Movable) -> None:
    """The whole procedure, to its end: everybody is served elsewhere before the server goes down."""
    with at_work(acting.lab, ("anna", "dora", "gustav"), idles=False) as traffic:
        acting.lab.break_("host-exhausted@be1")
        acting.until(lambda: _recovery(acting) is not None, seconds=180)
        acting.until(lambda: _recovery(acting, is_over=True) is not None, seconds=240)
        assert traffic.every_writer_is_served("be2", seconds=60), acting.told()

    recovery = _recovery(acting)
    assert recovery is not None
    assert OperationStatus.HEALED is recovery.status, acting.told()
    steps = acting.client.recovery(recovery.id).steps
    done = [step.name for step in steps if step.outcome is StepOutcome.DONE]
    in_order = (
        *(StepName.RESTART_SERVICE, StepName.MOVE_DATABASES, StepName.AWAIT_MOVES, StepName.PROVE_EMPTY),
        *(StepName.RESTART_SERVER, StepName.RE_PROBE, StepName.ALLOW_ACTIVATION),
    )
    places = [len(done) - 1 - done[::-1].index(name) for name in in_order]
    assert places == sorted(places), acting.told()
    assert {"be2"} == set(acting.active().values()), "nothing comes back by itself unless that is configured"

    acting.lab.heal()
    acting.until(lambda: not acting.client.holds(), seconds=180)
    account = counted(acting.lab, traffic, "be2")
    assert ((), ()) == (account.lost, account.doubled)


def _recovery(acting: Movable, *, is_over: bool = False) -> Operation | None:
    """The last recovery of be1 as a mailbox server."""
    found = (one for one in acting.client.recoveries() if one.kind is OperationKind.MAILBOX_SERVER)
    return next((one for one in found if one.server == "be1" and (not is_over or one.status.is_over)), None)
