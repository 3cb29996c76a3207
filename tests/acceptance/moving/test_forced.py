"""Forced moves: the source is dead, hung, cut off, or its store is not what it was. What may be missing is said."""

import pytest

from mailward.model.copies import CopyState
from mailward.model.holds import HoldKind
from mailward.model.recovery import OperationStatus, StepName, StepOutcome

from .conftest import Movable, at_work, counted, dead_host


@pytest.fixture(autouse=True)
def _takes_minutes(request: pytest.FixtureRequest) -> None:
    """By default only the first; each of them waits for a server to be well again."""
    every = request.config.getoption("--every-kind") or request.config.getoption("--default-timings")
    if not every and request.node.name != test_from_a_host_of_which_nobody_says_anything.__name__:
        pytest.skip("only with --every-kind")


def test_from_a_service_that_is_dead_for_good(movable: Movable) -> None:
    """Replication is asynchronous: the last mail may be missing, and comes back with its host (field notes §B)."""
    with at_work(movable.lab, idles=False) as traffic:
        movable.lab.break_("service-dead@be1")
        story = movable.finished(movable.client.move_database("DB1", reason="be1 is dead"))
        assert OperationStatus.HEALED is story.operation.status, movable.told()
        assert traffic.every_writer_is_served("be2", seconds=60), movable.told()
    steps = {step.name: step for step in story.steps}
    assert StepOutcome.SKIPPED is steps[StepName.SYNCHRONISE].outcome
    assert StepOutcome.DONE is steps[StepName.FENCE].outcome, "what lived on without its master is ended"
    left_behind = next(copy for copy in movable.client.copies(database="DB1", server="be1"))
    assert left_behind.state is CopyState.SERVICE_DOWN
    assert left_behind.activation_blocked

    movable.lab.heal()
    movable.start_again("be1")
    movable.until(lambda: not _blocked(movable), seconds=180)

    account = counted(movable.lab, traffic, "be2")
    assert ((), ()) == (account.lost, account.doubled), "what the dead host had is there again"


def test_from_a_host_of_which_nobody_says_anything(movable: Movable) -> None:
    with at_work(movable.lab, idles=False) as traffic:
        with dead_host(movable.lab, "be1"):
            story = movable.finished(movable.client.move_database("DB1", reason="be1 has no power"))
            assert OperationStatus.HEALED is story.operation.status, movable.told()
            assert traffic.every_writer_is_served("be2", seconds=60), movable.told()
            assert _blocked(movable)
        movable.start_again("be1")
        movable.until(lambda: not _blocked(movable), seconds=180)

    account = counted(movable.lab, traffic, "be2")
    assert ((), ()) == (account.lost, account.doubled)


def test_from_a_server_that_hangs(movable: Movable) -> None:
    """It could wake up and write: it is stopped before anybody is sent elsewhere, and nobody is kicked."""
    with at_work(movable.lab) as traffic:
        movable.lab.break_("service-hung@be1")
        movable.until(lambda: movable.client.health(server="be1", state="Degraded"))
        story = movable.finished(movable.client.move_database("DB1", reason="be1 hangs"))
        assert OperationStatus.HEALED is story.operation.status, movable.told()
        assert traffic.every_writer_is_served("be2", seconds=60), movable.told()
    steps = {step.name: step for step in story.steps}
    assert StepOutcome.DONE is steps[StepName.FENCE].outcome
    assert steps[StepName.FENCE].started < steps[StepName.SWITCH_OVER].started
    assert "stopped" in str(movable.lab.status()["be1"]["state"])
    movable.start_again("be1")
    movable.lab.heal()
    movable.until(lambda: not _blocked(movable), seconds=180)
    account = counted(movable.lab, traffic, "be2")
    assert ((), ()) == (account.lost, account.doubled)


def test_a_server_no_proxy_reaches_is_not_left_while_sessions_hang_there(movable: Movable) -> None:
    """
    The manager reaches it, the proxies do not: a session that hangs there would go on when the path is back.

    It cannot be ended either: a kick while a login waits crashes the proxy. So nobody is moved, and a person is told;
    once the clients have given up, nobody is left there, and the move is one like others.
    """
    fault = movable.lab.faults["path-cut@be1"]
    hindrance = movable.lab.why_not(fault)
    if hindrance:
        pytest.skip(hindrance)
    with at_work(movable.lab, idles=False) as traffic:
        movable.lab.break_("path-cut@be1")
        movable.until(lambda: movable.client.health(server="proxy1", state="Degraded"), seconds=180)
        story = movable.finished(movable.client.move_database("DB1", reason="the switch between"))
        active = movable.active()["DB1"]
        assert (active == "be2") is (story.operation.status is OperationStatus.HEALED), movable.told()
        movable.lab.heal()
        assert traffic.every_writer_is_served(active, seconds=60), f"{traffic.told}\n{movable.told()}"
    assert {} == traffic.written_on_both("be1", "be2")
    account = counted(movable.lab, traffic, active)
    assert ((), ()) == (account.lost, account.doubled)


def test_from_a_store_that_cannot_be_read(movable: Movable) -> None:
    with at_work(movable.lab, idles=False) as traffic:
        movable.lab.break_("database-unreadable@DB1")
        story = movable.finished(movable.client.move_database("DB1", reason="its store"))
        assert OperationStatus.HEALED is story.operation.status, movable.told()
        assert traffic.every_writer_is_served("be2", seconds=60), movable.told()
    steps = {step.name: step for step in story.steps}
    assert StepOutcome.SKIPPED is steps[StepName.SYNCHRONISE].outcome, "it is not waited for"
    assert StepOutcome.SKIPPED is steps[StepName.FENCE].outcome
    assert {"DB1": "be2", "DB2": "be1"}.items() <= movable.active().items(), "its neighbours stay"
    movable.lab.heal()
    movable.until(lambda: not _blocked(movable), seconds=180)
    account = counted(movable.lab, traffic, "be2")
    assert ((), ()) == (account.lost, account.doubled)


def test_an_empty_store_is_left_and_nothing_is_copied_from_it(movable: Movable) -> None:
    with at_work(movable.lab, idles=False, delivers=False) as traffic:
        before = len(traffic.records[0].acknowledged)
        movable.lab.break_("database-replaced@DB1")
        story = movable.finished(movable.client.move_database("DB1", reason="an empty disk was mounted"))
        assert OperationStatus.HEALED is story.operation.status, movable.told()
        assert {step.name: step.outcome for step in story.steps}[StepName.SYNCHRONISE] is StepOutcome.SKIPPED
        copy = next(copy for copy in movable.client.copies(database="DB1", server="be1"))
        assert copy.activation_blocked
        assert _blocked(movable), "a store without its canary never comes back by itself"
    assert before
    movable.lab.heal()
    movable.until(lambda: not _blocked(movable), seconds=180)


def test_a_target_that_is_not_fit_is_refused_with_the_reason(movable: Movable) -> None:
    movable.lab.break_("service-stopped@be2")
    movable.until(lambda: movable.client.health(server="be2", state="Degraded"))

    refused = movable.client.move_database("DB1", dry_run=True)

    assert not refused.allowed
    assert "ServiceDown" in refused.moves[0].because
    assert movable.active()["DB1"] == "be1"
    movable.lab.heal()


def _blocked(movable: Movable) -> list[str]:
    return [hold.subject for hold in movable.client.holds() if hold.kind is HoldKind.ACTIVATION]
