"""Load to the end of its procedures: a store that has become slow, a full accept queue, a process limit."""

import pytest

from mailward.lab.blueprint import Shape
from mailward.lab.faults import effects
from mailward.lab.traffic import Traffic
from mailward.model import items
from mailward.model.health import MonitorHealth
from mailward.model.recovery import OperationKind, OperationStatus, StepName, StepOutcome
from mailward.ports.manager import RecoveryStory

from .conftest import Acting, can_log_in, new_lab, until

HELD_S = 3
"""How long the store keeps each change waiting: slow, and no probe fails for it."""
WRITERS = 6
"""For each user, so that their commands outweigh those of the probes."""


@pytest.fixture(autouse=True)
def _takes_minutes(request: pytest.FixtureRequest) -> None:
    if not (request.config.getoption("--every-kind") or request.config.getoption("--default-timings")):
        pytest.skip("only with --every-kind: it takes minutes")


@pytest.fixture
def slow_moves() -> str:
    return '\n[recovery.throttles]\nmove_apart = "1s"\n'


def test_a_server_whose_store_is_slow_is_observed_and_then_emptied(slow_moves: str) -> None:
    with new_lab(Shape.TWO_TIER) as lab, Acting(lab, more=slow_moves) as acting:
        users = [user for one in lab.blueprint.databases if one.copies[0] == "be1" for user in one.users]
        with Traffic(lab.blueprint, tuple(users) * WRITERS, delivers=False, idles=False) as traffic:
            intruder = effects.launch(lab.blueprint, "slow", "be1", str(HELD_S))
            try:
                until(lambda: _is_over(_load(acting)), seconds=300, otherwise=acting.told)
                story = _load(acting)
                assert story is not None
                served = {record.name: record.served_by[-1:] for record in traffic.records}
            finally:
                effects.dismiss(intruder)
        steps = {step.name: step for step in story.steps}
        observed = [step for step in story.steps if step.name is StepName.OBSERVE]

        assert story.operation.cause is not None
        assert items.COMMAND_TIME_MONITOR == story.operation.cause.item
        assert StepOutcome.SKIPPED is steps[StepName.RESTART_SERVICE].outcome, acting.told()
        assert "its store is at fault, not its service" in steps[StepName.RESTART_SERVICE].because
        assert [False, False] == [step.evidence["healthy"] for step in observed[:2]], acting.told()
        assert StepOutcome.DONE is steps[StepName.PROVE_EMPTY].outcome, acting.told()
        assert True is observed[-1].evidence["healthy"], "without its users it is well, and need not be restarted"
        assert OperationStatus.HEALED is story.operation.status
        assert StepOutcome.DONE is steps[StepName.ALLOW_ACTIVATION].outcome
        assert {"be2"} == {server for by in served.values() for server in by}, served
        assert (StepName.RESTART_SERVICE, "be1") not in acting.deeds()
        assert {} == acting.new_starts(), acting.told()


def test_a_full_accept_queue_is_gone_with_the_restart_of_the_service() -> None:
    """Its own test fails as well, so that the proxy's procedure mends it, which the queue's would have done as well."""
    with new_lab(Shape.TWO_TIER) as lab, Acting(lab) as acting:
        lab.break_("queue-full@proxy2")
        until(lambda: _queue_of(acting, "proxy2").alert_value.is_broken, seconds=240, otherwise=acting.told)
        until(lambda: "proxy2" in acting.new_starts(), seconds=240, otherwise=acting.told)
        until(acting.is_green, seconds=240, otherwise=acting.told)

        assert {"proxy2": 1} == acting.new_starts(), acting.told()
        assert {"proxy2"} == {server for _, server in acting.deeds()}, "one target, one recovery"
        assert can_log_in(lab, "anna", "proxy2")


def test_a_server_at_its_process_limit_is_emptied_and_left_to_a_person(slow_moves: str) -> None:
    """No restart raises a limit: its users are served elsewhere, and a person is told which limit it is."""
    with new_lab(Shape.TWO_TIER) as lab, Acting(lab, more=slow_moves) as acting:
        lab.break_("process-limit@be2")
        until(lambda: _queue_of(acting, "be2").alert_value.is_broken, seconds=240, otherwise=acting.told)
        until(lambda: _is_left_to_a_person(acting), seconds=400, otherwise=acting.told)

        assert "imap has all the 1 processes it may have" in "\n".join(one.text for one in acting.client.alerts())
        mounted = {copy.database: copy.server for copy in acting.client.copies() if copy.state.is_active}
        assert "be2" not in mounted.values(), acting.told()
        assert {"be2"} == {server for _, server in acting.deeds()}, acting.told()


def _is_over(story: RecoveryStory | None) -> bool:
    return story is not None and story.operation.status.is_over


def _queue_of(acting: Acting, server: str) -> MonitorHealth:
    (row,) = [row for row in acting.client.health(server=server) if row.name == items.QUEUE_MONITOR]
    return row


def _is_left_to_a_person(acting: Acting) -> bool:
    """Everything that can be done was, and somebody was called."""
    return any(
        story.operation.kind is OperationKind.MAILBOX_SERVER and story.operation.escalated_at is not None
        for story in acting.stories("be2")
    )


def _load(acting: Acting) -> RecoveryStory | None:
    """The recovery that observes; one that found a mere peak has ended before."""
    found = [one for one in acting.stories("be1") if one.operation.kind is OperationKind.LOAD]
    return next((one for one in found if any(step.name is StepName.OBSERVE for step in one.steps)), None)
