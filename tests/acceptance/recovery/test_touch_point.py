"""
The customer-touch-point procedure on real Dovecots, to its end, for each tier that can be at fault.

The users' way through one proxy is broken, and each time something else is the cause: the mailbox server, the path (the
certificate between the tiers), the proxy itself. Each has a lab of its own, all at once, since a running service is
given a minute.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from mailward.lab.blueprint import Shape
from mailward.model import items
from mailward.model.recovery import OperationKind, OperationStatus, Step, StepName, StepOutcome
from mailward.ports.manager import RecoveryStory

from .conftest import Acting, can_log_in, new_lab, until

FAULTS: Mapping[str, str] = {
    "mailbox server": "service-stopped@be1",
    "path": "authorities-wrong@proxy1",
    "proxy": "auth-hung@proxy2",
}
ON, OFF, COLLECT = StepName.PROTOCOL_LOG_ON, StepName.PROTOCOL_LOG_OFF, StepName.COLLECT


@pytest.fixture(scope="module")
def broken(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Acting]]:
    """Each cause in its lab, from the moment it was broken."""
    every = request.config.getoption("--every-kind") or request.config.getoption("--default-timings")
    causes = [cause for cause in FAULTS if every or cause == "path"]
    with ExitStack() as stack:
        labs = {cause: stack.enter_context(new_lab(Shape.TWO_TIER)) for cause in causes}
        acting = {cause: Acting(lab) for cause, lab in labs.items()}

        def begin(cause: str) -> None:
            acting[cause].__enter__()
            acting[cause].lab.break_(FAULTS[cause])

        try:
            with ThreadPoolExecutor(max_workers=len(acting)) as pool:
                list(pool.map(begin, acting))
            yield acting
        finally:
            for one in acting.values():
                one.manager.stop()


def case(broken: Mapping[str, Acting], cause: str) -> Acting:
    if cause not in broken:
        pytest.skip("only with --every-kind")
    return broken[cause]


def touch_points(acting: Acting) -> list[RecoveryStory]:
    return [story for story in acting.stories() if story.operation.kind is OperationKind.CUSTOMER_TOUCH_POINT]


def done(story: RecoveryStory, name: StepName) -> Step | None:
    return next((one for one in story.steps if one.name is name and one.outcome is StepOutcome.DONE), None)


def nothing_is_logged(acting: Acting) -> bool:
    return not any(acting.client.protocol_log(host.name).is_on for host in acting.lab.blueprint.mailbox_servers)


def is_over(acting: Acting) -> bool:
    found = touch_points(acting)
    return bool(found) and all(one.operation.status.is_over or one.operation.escalated_at for one in found)


def test_the_path_is_found_by_the_log_and_left_to_a_person(broken: Mapping[str, Acting]) -> None:
    """
    Both tiers are well: only what the proxy says of the mailbox server's certificate tells what is wrong.

    The way to either mailbox server is broken and has a recovery of its own; which one begins first is chance.
    """
    acting = case(broken, "path")
    ways = {"proxy1/be1": "be1", "proxy1/be2": "be2"}
    until(lambda: ways.keys() <= by_target(acting).keys() and is_over(acting), seconds=120, otherwise=acting.told)

    for target, mailbox_server in ways.items():
        story = by_target(acting)[target]
        on, collected, off = done(story, ON), done(story, COLLECT), done(story, OFF)
        assert on is not None, acting.told()
        assert collected is not None, acting.told()
        assert off is not None, acting.told()
        named = {on.server, off.server, collected.evidence["mailbox_server"]}
        assert {mailbox_server} == named, acting.told()
        log = "\n".join(str(line) for line in collected.evidence["protocol_log"])  # type: ignore[attr-defined]
        assert "certificate" in log.lower(), log
        assert story.operation.escalated_at is not None
        assert story.operation.verdict is not None
        assert "trusts the wrong authorities" in story.operation.verdict.because
    assert [] == acting.deeds(), "neither restarting nor moving mends a certificate"
    assert nothing_is_logged(acting)
    until(acting.client.alerts, otherwise=acting.told)
    text = "\n".join(alert.text for alert in acting.client.alerts())
    assert "PROTOCOL LOG" in text
    assert "certificate" in text


def by_target(acting: Acting) -> dict[str, RecoveryStory]:
    """The first recovery of each broken way."""
    return {story.operation.target: story for story in reversed(touch_points(acting))}


def test_the_mailbox_server_comes_first_and_no_proxy_is_touched_for_it(broken: Mapping[str, Acting]) -> None:
    """Somebody stopped it on purpose, so that its own recovery calls a person, and the touch points wait for that."""
    acting = case(broken, "mailbox server")
    until(lambda: is_over(acting), seconds=120, otherwise=acting.told)

    joined = [step for one in touch_points(acting) if (step := done(one, StepName.RECOVER_MAILBOX_SERVER)) is not None]
    assert joined, acting.told()
    assert {"be1"} == {step.server for step in joined}
    assert all("a person was called" in step.because for step in joined), acting.told()
    assert [] == acting.deeds(), "no proxy is touched for it"
    assert nothing_is_logged(acting)

    acting.lab.heal()
    until(acting.is_green, seconds=60, otherwise=acting.told)
    assert can_log_in(acting.lab, "anna", "proxy1")
    assert [] == acting.deeds()


def test_the_proxy_is_at_fault_when_the_mailbox_server_is_well(broken: Mapping[str, Acting]) -> None:
    """The inverted condition of the Portuguese page: it would have restarted the wrong tier."""
    acting = case(broken, "proxy")
    until(lambda: "proxy2" in acting.new_starts(), seconds=180, otherwise=acting.told)
    until(lambda: is_over(acting) and acting.is_green(), seconds=120, otherwise=acting.told)

    story = next(one for one in touch_points(acting) if done(one, StepName.RESTART_SERVICE) is not None)
    assert story.operation.cause is not None
    assert items.CTP_MONITOR == story.operation.cause.item
    assert OperationStatus.HEALED is story.operation.status, acting.told()
    assert done(story, ON) is not None, acting.told()
    assert done(story, OFF) is not None, acting.told()
    if acting.lab.blueprint.balancer is not None:
        assert done(story, StepName.TAKE_OUT) is not None, acting.told()
        assert done(story, StepName.PUT_BACK) is not None, acting.told()
    assert {"proxy2": 1} == acting.new_starts(), acting.told()
    assert nothing_is_logged(acting)
    assert can_log_in(acting.lab, "anna", "proxy2")
