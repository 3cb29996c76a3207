"""A lab and a manager that acts on it, and how to tell what it did and what it left alone."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic, sleep
from typing import Self

import pytest

from mailward.client.manager import ManagerClient
from mailward.lab import session
from mailward.lab.blueprint import Shape
from mailward.lab.lab import Lab, missing_programs
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.watch_configuration import Timings
from mailward.model.errors import TemporaryFailure
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import Answer, Gate, Step, StepName, StepOutcome
from mailward.ports.manager import RecoveryStory

CHANNEL = """
[escalation]
guidelines = "https://wiki.lab.example/mail-at-night"
support = "the mail team, +49 30 555"
"""


class Acting:
    """A lab with a manager in the mode act; it remembers nothing of what was done before it."""

    def __init__(self, lab: Lab, *, more: str = "") -> None:
        """Nothing runs yet."""
        self.lab = lab
        configuration = lab.write_configuration(timings=Timings.SHORT, mode="act", more=CHANNEL + more)
        shutil.rmtree(configuration.parent / "state")
        (configuration.parent / "state").mkdir(mode=0o700)
        self.manager = ManagerProcess(configuration)
        self._starts = self._started()

    @property
    def client(self) -> ManagerClient:
        return self.manager.client

    def __enter__(self) -> Self:
        self.manager.__enter__()
        try:
            until(self.is_green, seconds=60, otherwise=self.told)
            until(lambda: self.client.status().leads, seconds=20)
        except BaseException:
            self.manager.stop()
            raise
        self._starts = self._started()
        return self

    def __exit__(self, *_: object) -> None:
        self.manager.stop()

    def is_green(self) -> bool:
        rows = self.client.health()
        return bool(rows) and all(row.alert_value is AlertValue.HEALTHY for row in rows)

    def stories(self, server: str | None = None) -> tuple[RecoveryStory, ...]:
        """Every recovery, the oldest first."""
        return tuple(self.client.recovery(one.id) for one in reversed(self.client.recoveries(server=server)))

    def deeds(self, server: str | None = None) -> list[tuple[StepName, str]]:
        """Everything that was done to anything, or begun, in order."""
        steps = sorted((step.started, step.operation, step.seq, step) for step in self._steps() if was_begun(step))
        return [(step.name, step.server) for *_, step in steps if server in (None, step.server)]

    def refusals(self, server: str | None = None) -> set[Gate]:
        """Every gate that ever said no, by itself or until later."""
        return {
            answer.gate
            for story in self.stories(server)
            for answer in story.answers
            if answer.answer is not Answer.PASSES
        }

    def new_starts(self) -> dict[str, int]:
        """How often each service was started since the manager runs, where it was."""
        return {
            host: starts - self._starts[host] for host, starts in self._started().items() if starts - self._starts[host]
        }

    def told(self) -> str:
        """All that is known, for a failed assertion."""
        rows = [
            f"{row.server} {row.name} {row.target_resource} {row.alert_value.value}: {row.because}"
            for row in self.client.health()
            if row.alert_value is not AlertValue.HEALTHY
        ]
        for story in self.stories():
            one = story.operation
            rows.append(f"-- {one.id} {one.kind.value} {one.target} {one.status.value}: {one.because}")
            rows += [
                f"   {step.started:%H:%M:%S} {step.name.value} {step.server}"
                f" {step.outcome.value if step.outcome else '...'}: {step.because}"
                for step in story.steps
            ]
            rows += [
                f"   {answer.seq} {answer.gate.value} {answer.answer.value}: {answer.because}"
                for answer in story.answers
                if answer.answer is not Answer.PASSES
            ]
        return "\n".join([*rows, f"starts: {self.new_starts()}", self.manager.last_words])

    def _steps(self) -> Iterator[Step]:
        for story in self.stories():
            yield from story.steps

    def _started(self) -> dict[str, int]:
        return {name: int(str(seen["starts"])) for name, seen in self.lab.status().items() if "starts" in seen}


def was_begun(step: Step) -> bool:
    """Whether a step may have changed anything."""
    return step.action is not None and step.outcome not in (StepOutcome.SKIPPED, StepOutcome.REFUSED)


@contextmanager
def untouched(lab: Lab, *places: tuple[str, str]) -> Iterator[None]:
    """For each user and host: a session that is open now is open at the end, and no message has come or gone."""
    with ExitStack() as stack:
        sessions = [
            stack.enter_context(session.logged_in(lab.blueprint, lab.blueprint.host(host), user, source="127.0.0.1"))
            for user, host in places
        ]
        before = [client.select()[1] for client in sessions]
        yield
        assert ["OK"] * len(sessions) == [client.noop()[0] for client in sessions]
        assert before == [client.select()[1] for client in sessions]


def can_log_in(lab: Lab, user: str, host: str) -> bool:
    try:
        return lab.log_in(user, on=host) is not None
    except session.BROKEN:
        return False


def until(
    condition: Callable[[], object], *, seconds: float = 90, otherwise: Callable[[], str] = lambda: "it never came"
) -> None:
    """Poll until *condition* holds; a manager that does not answer for a moment is asked again."""
    deadline = monotonic() + seconds
    while True:
        with suppress(TemporaryFailure):
            if condition():
                return
        if monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {otherwise()}")
        sleep(0.05)


@pytest.fixture
def acting_box(one_box: Lab) -> Iterator[Acting]:
    """One box, and a manager that has done nothing yet."""
    with Acting(one_box) as acting:
        yield acting
        _mended(one_box)


@pytest.fixture
def acting(lab: Lab) -> Iterator[Acting]:
    """Two tiers, and a manager that has done nothing yet."""
    with Acting(lab) as running:
        yield running
        _mended(lab)


def _mended(lab: Lab) -> None:
    """Heal while the manager is there to see it, so that nothing of it lasts until the next test."""
    if lab.active_faults:
        lab.heal()


@contextmanager
def new_lab(shape: Shape) -> Iterator[Lab]:
    """A lab of one's own, for what lasts a minute beside other things that do."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}")
    with Lab.up(shape) as running:
        yield running
