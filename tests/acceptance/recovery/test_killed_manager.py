"""A manager that is killed while it repairs: whoever goes on finishes it, and no service is started twice."""

import os
import signal
from threading import Thread

import pytest

from mailward.model.event import EventKind
from mailward.model.recovery import StepName

from .conftest import Acting, until

MOMENTS = (EventKind.ACTION_INTENDED, EventKind.RECOVERY_STARTED, EventKind.ACTION_ENDED)
"""When it is killed; the first is between intent and outcome, while the service is being started."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "moment" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-kind") or metafunc.config.getoption("--default-timings")
        metafunc.parametrize("moment", MOMENTS if every else MOMENTS[:1], ids=lambda kind: kind.value)


def test_its_recovery_is_finished_with_one_start(acting_box: Acting, moment: EventKind) -> None:
    since = acting_box.client.events(newest_first=True, limit=1)[0].id
    breaks = Thread(target=acting_box.lab.break_, args=("service-failed@mail",))
    breaks.start()
    kill_at(acting_box, moment, after=since)
    breaks.join()
    until(lambda: acting_box.manager.has_ended)

    acting_box.manager.start()

    until(acting_box.is_green, seconds=240, otherwise=acting_box.told)
    until(lambda: not acting_box.client.recoveries(unfinished=True), otherwise=acting_box.told)
    assert {"mail": 1} == acting_box.new_starts(), acting_box.told()
    assert {(StepName.START_SERVICE, "mail")} == set(acting_box.deeds())
    assert [] == [step for story in acting_box.stories() for step in story.steps if step.ended is None]


def kill_at(acting: Acting, moment: EventKind, *, after: int) -> None:
    for happened in acting.client.follow(after=after):
        if happened is not None and happened.kind is moment:
            os.kill(acting.manager.pid, signal.SIGKILL)
            return
