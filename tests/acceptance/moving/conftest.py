"""A lab whose databases are moved while its users are at work."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic, sleep

import pytest

from mailward.client.manager import ManagerClient
from mailward.lab import control
from mailward.lab.blueprint import Shape
from mailward.lab.lab import Lab, missing_programs
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.supervisor import packet_filter, processes
from mailward.lab.traffic import Account, Traffic
from mailward.lab.watch_configuration import Timings
from mailward.model.errors import TemporaryFailure
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import Operation, OperationKind, OperationStatus
from mailward.ports.manager import MoveIntention, RecoveryStory

DB1_USERS = ("anna", "boris", "carla")


class Movable:
    """A lab and its manager, which does by itself what *mode* lets it, and what is asked of it by hand."""

    def __init__(self, lab: Lab, *, mode: str = "recommend", kind: str = "replicator", moves: str = "") -> None:
        """Nothing runs yet; *moves* is added to that table of the configuration."""
        self.lab = lab
        configuration = lab.write_configuration(timings=Timings.SHORT, mode=mode)
        text = configuration.read_text()
        text = text.replace('kind = "replicator"', f'kind = "{kind}"').replace("[moves]\n", f"[moves]\n{moves}\n")
        configuration.write_text(text)
        shutil.rmtree(configuration.parent / "state")
        (configuration.parent / "state").mkdir(mode=0o700)
        self.manager = ManagerProcess(configuration)

    @property
    def client(self) -> ManagerClient:
        return self.manager.client

    def start(self) -> None:
        self.manager.start()
        self.until(lambda: self.client.status().leads and self.is_green(), seconds=180)

    def is_green(self) -> bool:
        rows = self.client.health()
        return bool(rows) and all(row.alert_value is AlertValue.HEALTHY for row in rows)

    def active(self) -> dict[str, str]:
        """Database -> server, as the map says to whoever asks."""
        return {copy.database: copy.server for copy in self.client.copies() if copy.state.is_active}

    def finished(self, intention: MoveIntention, *, seconds: float = 240) -> RecoveryStory:
        """Wait for what was begun, and return how it went."""
        assert len(intention.operations) == 1, f"{intention.because}: {intention.moves}: {self.told()}"
        (number,) = intention.operations
        self.until(lambda: self.client.recovery(number).operation.status.is_over, seconds=seconds)
        return self.client.recovery(number)

    def moves(self) -> list[Operation]:
        return [one for one in self.client.recoveries() if one.kind is OperationKind.MOVE]

    def move_home(self) -> None:
        """Every database back to the copy it prefers, so that the next test finds the lab as it was."""
        for hold in self.client.holds():
            self.client.release(hold.id)
        for database in self.lab.blueprint.databases:
            home = database.copies[0]
            if self.active()[database.name] != home:
                self.until(partial(self._may_move, database.name, home), seconds=180)
                story = self.finished(self.client.move_database(database.name, to=home, reason="home"))
                assert story.operation.status is OperationStatus.HEALED, self.told()

    def _may_move(self, database: str, to: str) -> bool:
        return self.client.move_database(database, to=to, dry_run=True).allowed

    def until(self, condition, *, seconds: float = 90) -> None:  # type: ignore[no-untyped-def]
        deadline = monotonic() + seconds
        while True:
            with suppress(TemporaryFailure):
                if condition():
                    return
            if monotonic() > deadline:
                pytest.fail(f"not within {seconds:g} s: {self.told()}")
            sleep(0.05)

    def start_again(self, host: str) -> None:
        """Start the service of a host that may have been frozen for a while."""

        def started() -> bool:
            self.lab.start(host)
            return self.lab.status()[host]["state"] == "running"

        self.until(started)

    def told(self) -> str:
        """All that is known, for a failed assertion."""
        rows = [
            f"{row.server} {row.name} {row.target_resource} {row.alert_value.value}: {row.because}"
            for row in self.client.health()
            if row.alert_value is not AlertValue.HEALTHY
        ]
        rows += [f"{copy.database} {copy.server} {copy.state.value}: {copy.because}" for copy in self.client.copies()]
        for one in reversed(self.client.recoveries()):
            story = self.client.recovery(one.id)
            rows.append(f"-- {one.id} {one.kind.value} {one.target} {one.status.value}: {one.because}")
            rows += [
                f"   {step.started:%H:%M:%S} {step.name.value} {step.server}"
                f" {step.outcome.value if step.outcome else '...'}: {step.because}"
                for step in story.steps
            ]
        return "\n".join([*rows, self.manager.last_words])


@pytest.fixture(scope="module")
def moving_lab() -> Iterator[Lab]:
    """A lab of this module's own: what moves does not meet what is tested elsewhere."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}")
    with Lab.up(Shape.TWO_TIER) as running:
        yield running


@pytest.fixture
def movable(moving_lab: Lab) -> Iterator[Movable]:
    """The lab, with a manager that moves nothing by itself."""
    yield from _running(Movable(moving_lab))


def _running(movable: Movable) -> Iterator[Movable]:
    for name in ("be1", "be2"):  # a test that failed may have left one fenced
        if movable.lab.status()[name]["state"] != "running":
            movable.lab.start(name)
    try:
        movable.start()
        yield movable
        if movable.lab.active_faults:
            movable.lab.heal()
        movable.until(movable.is_green, seconds=180)
        movable.move_home()  # with the manager that knows how the copies stand: another one would begin to ask
    finally:
        movable.manager.stop()
        if movable.lab.active_faults:
            movable.lab.heal()


@contextmanager
def at_work(lab: Lab, users: tuple[str, ...] = DB1_USERS, **how: bool) -> Iterator[Traffic]:
    """
    These users write, get mail and wait for news, while it lasts.

    Ten times a second each: more would be work for a busy machine, and show no more of a switch.
    """
    with Traffic(lab.blueprint, users, pause_s=0.1, **how) as traffic:
        yield traffic


def counted(lab: Lab, traffic: Traffic, on: str) -> Account:
    """What became of everything that was acknowledged, on the server that is active now."""
    return traffic.account(lab.blueprint.host(on))


@contextmanager
def cut(lab: Lab, *sources: str, host: str) -> Iterator[None]:
    """No packet from these addresses reaches *host* meanwhile, everybody else's does."""
    if not packet_filter.permitted():
        pytest.skip("this kernel keeps packet filters for root")
    door = lab.blueprint.host(host).control_socket
    control.ask(door, "drop", sources=list(sources))
    try:
        yield
    finally:
        control.ask(door, "drop", sources=[])


@contextmanager
def dead_host(lab: Lab, host: str) -> Iterator[None]:
    """Every process of a host is gone, and nobody answers for it; it comes back at the end, as after a power cut."""
    supervisor = lab._supervisors[host]
    os.kill(supervisor.pid, signal.SIGSTOP)
    try:
        everything = processes.working_below(lab.blueprint.host(host).directory)
        processes.send(signal.SIGKILL, [one for one in everything if one.pid != supervisor.pid])
        yield
    finally:
        os.kill(supervisor.pid, signal.SIGCONT)
