"""Paths that are cut: from some proxies to the source, and from one copy to the other."""

from collections.abc import Iterator

import pytest

from mailward.lab.lab import Lab
from mailward.model.recovery import OperationStatus, StepName, StepOutcome

from .conftest import Movable, _running, at_work, counted, cut

BY_BOTH_PROXIES = ("anna", "anna", "boris", "boris")
"""Each of them has a writer through either proxy."""


@pytest.fixture
def _takes_a_minute(request: pytest.FixtureRequest) -> None:
    """Sessions that hang are waited for until they end by themselves."""
    if not (request.config.getoption("--every-kind") or request.config.getoption("--default-timings")):
        pytest.skip("only with --every-kind")


@pytest.mark.usefixtures("_takes_a_minute")
def test_of_two_writers_none_is_left_where_one_proxy_does_not_reach_the_source(movable: Movable) -> None:
    """
    The manager and proxy2 reach be1, proxy1 does not: its sessions hang, and would go on when the path is back.

    Whatever becomes of the move, nobody writes on be1 once somebody has written on be2.
    """
    blueprint = movable.lab.blueprint
    with at_work(movable.lab, BY_BOTH_PROXIES, idles=False, delivers=False) as traffic:
        with cut(movable.lab, blueprint.host("proxy1").address, host="be1"):
            movable.until(lambda: movable.client.health(server="proxy1", state="Degraded"), seconds=180)
            story = movable.finished(movable.client.move_database("DB1", reason="half a switch is dead"))
            active = movable.active()["DB1"]
        assert traffic.every_writer_is_served(active, seconds=60), movable.told()

    print(f"half a partition: {story.operation.status.value} on {active}: {story.operation.because}")
    assert (active == "be2") is (story.operation.status is OperationStatus.HEALED), movable.told()
    assert {} == traffic.written_on_both("be1", "be2")
    account = counted(movable.lab, traffic, active)
    assert ((), ()) == (account.lost, account.doubled)


@pytest.fixture
def impatient(moving_lab: Lab) -> Iterator[Movable]:
    """The lab, with a manager that waits a few seconds for a copy that is behind."""
    yield from _running(Movable(moving_lab, moves='lag_limit = "3s"'))


def test_a_copy_that_stays_behind_keeps_everybody_where_they_are(impatient: Movable) -> None:
    """be2 takes nothing from be1 any more: the copy lags, nobody is moved or interrupted, and the reason is told."""
    with at_work(impatient.lab) as traffic:
        with cut(impatient.lab, "127.0.0.1", host="be2"):
            story = impatient.finished(impatient.client.move_database("DB1", reason="trial"))
            steps = {step.name: step for step in story.steps}
            assert OperationStatus.ESCALATED is story.operation.status, impatient.told()
            assert "be1" == impatient.active()["DB1"], impatient.told()
            assert StepOutcome.SKIPPED is steps[StepName.SWITCH_OVER].outcome, "nothing was touched"
            why = story.operation.because  # whichever is noticed first
            assert "the lag stays: " in why or "cannot be synchronised" in why
            print(f"a copy that lags: {story.operation.because}")
        assert {} == {name: gap for name, gap in traffic.gaps.items() if gap}, "nobody was interrupted"

        impatient.until(lambda: impatient.client.move_database("DB1", dry_run=True).allowed, seconds=180)
        again = impatient.finished(impatient.client.move_database("DB1", reason="it follows again", force=True))
        assert OperationStatus.HEALED is again.operation.status, impatient.told()
        assert StepOutcome.DONE is {step.name: step.outcome for step in again.steps}[StepName.SYNCHRONISE]
        assert traffic.every_writer_is_served("be2", seconds=60), impatient.told()

    account = counted(impatient.lab, traffic, "be2")
    assert ((), ()) == (account.lost, account.doubled)
