"""In the middle of a move: the manager dies, proxies remember, copies are synchronised by mailward itself."""

import os
import signal
from collections.abc import Iterator
from time import monotonic

import pytest

from mailward.lab.lab import Lab
from mailward.model.recovery import OperationStatus, StepName

from .conftest import Movable, _running, at_work, counted

MOMENTS = (0.9, 0.2, 1.6)
"""Seconds after the order at which it is killed."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "after_s" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-kind") or metafunc.config.getoption("--default-timings")
        metafunc.parametrize("after_s", MOMENTS if every else MOMENTS[:1])


def test_a_manager_killed_in_the_middle_goes_on_and_nobody_loses_mail(movable: Movable, after_s: float) -> None:
    with at_work(movable.lab) as traffic:
        intention = movable.client.move_database("DB1", reason="trial")
        until = monotonic() + after_s
        while monotonic() < until:
            movable.client.status()
        os.kill(movable.manager.pid, signal.SIGKILL)
        movable.until(lambda: movable.manager.has_ended)
        movable.manager.start()
        story = movable.finished(intention)
        assert OperationStatus.HEALED is story.operation.status, movable.told()
        assert traffic.every_writer_is_served("be2", seconds=60), movable.told()

    account = counted(movable.lab, traffic, "be2")
    assert ((), ()) == (account.lost, account.doubled)
    assert {"DB1": "be2", "DB2": "be1", "DB3": "be2", "DB4": "be2"} == movable.active()
    chosen = [step for step in story.steps if step.name is StepName.CHOOSE_COPY]
    assert 1 == len(chosen), "the choice is made once"


@pytest.fixture
def remembering(moving_lab: Lab) -> Iterator[Movable]:
    """The lab with proxies that keep lookups in an authentication cache."""
    settings = [proxy.fault_settings / "cache.conf" for proxy in moving_lab.blueprint.proxies]
    for file in settings:
        file.write_text("auth_cache_size = 1M\nauth_cache_ttl = 1 hour\n")
    _restart_proxies(moving_lab)
    try:
        yield from _running(Movable(moving_lab))
    finally:
        for file in settings:
            file.unlink()
        _restart_proxies(moving_lab)


@pytest.mark.usefixtures("only_with_every_kind")
def test_proxies_that_remember_are_made_to_forget(remembering: Movable) -> None:
    with at_work(remembering.lab) as traffic:
        story = remembering.finished(remembering.client.move_database("DB1", reason="trial"))
        assert OperationStatus.HEALED is story.operation.status, remembering.told()
        assert traffic.every_writer_is_served("be2", seconds=60), remembering.told()

    account = counted(remembering.lab, traffic, "be2")
    assert ((), ()) == (account.lost, account.doubled)


@pytest.fixture
def synchronised(moving_lab: Lab) -> Iterator[Movable]:
    """The lab as if it had no replicator: mailward has its copies synchronised."""
    yield from _running(Movable(moving_lab, kind="sync"))


def test_copies_that_mailward_synchronises_itself_are_moved_as_well(synchronised: Movable) -> None:
    with at_work(synchronised.lab) as traffic:
        story = synchronised.finished(synchronised.client.move_database("DB1", reason="trial"))
        assert OperationStatus.HEALED is story.operation.status, synchronised.told()
        assert traffic.every_writer_is_served("be2", seconds=60), synchronised.told()

    account = counted(synchronised.lab, traffic, "be2")
    assert ((), ()) == (account.lost, account.doubled)


def _restart_proxies(lab: Lab) -> None:
    for proxy in lab.blueprint.proxies:
        lab.stop(proxy.name)
        lab.start(proxy.name)
