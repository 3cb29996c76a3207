"""
Every fault of the catalogue on real Dovecots: broken in place, told on the right tier, healed in place.

One lab and one manager for all of them. By default the kinds that differ most from each other, `--every-kind` takes one
fault of each kind, `--default-timings` every fault there is, probed as often as mailward does by default. With `--table
FILE` what was seen is written as the table of docs/reference/faults.md.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from mailward.client.manager import ManagerClient
from mailward.lab.blueprint import Shape
from mailward.lab.faults import Fault, catalogue
from mailward.lab.lab import Lab
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.session import BROKEN
from mailward.lab.watch_configuration import Timings
from mailward.model.errors import TemporaryFailure
from mailward.model.health import MonitorHealth
from mailward.model.monitoring import AlertValue
from mailward.model.verdict import Confidence, Verdict

QUICK = (
    "service-failed@be1",
    "service-failed@proxy1",
    "service-hung@be1",
    "directory-missing@be1",
    "map-corrupt",
    "probe-password@be2",
    "prober-banned@be1",
    "certificate-expired@proxy2",
    "database-unreadable@DB1",
    "database-replaced@DB3",
    "path-cut@be1",
    "garbage@be2",
)
"""
Two-tier faults of the short run: each tier, each dependency, each way to see it.

What a stopped service, a stale certificate and a process limit look like is shown by other files of the short run.
"""
QUICK_BOX = ("service-failed@mail", "database-replaced@DB1")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table."""

    fault: Fault
    noticed: float
    told: float
    monitors: tuple[str, ...]
    verdict: Verdict
    green: float


@pytest.fixture(scope="module")
def rows(request) -> Iterator[list[Row]]:
    seen: list[Row] = []
    yield seen
    file = request.config.getoption("--table")
    if file and seen:
        Path(file).write_text(table(seen))


@pytest.fixture(scope="module")
def watched(lab: Lab, timings: Timings) -> Iterator[ManagerClient]:
    yield from _watched(lab, timings)


@pytest.fixture(scope="module")
def watched_box(one_box: Lab, timings: Timings) -> Iterator[ManagerClient]:
    yield from _watched(one_box, timings)


def _watched(lab: Lab, timings: Timings) -> Iterator[ManagerClient]:
    with ManagerProcess(lab.write_configuration(timings=timings)) as manager:
        until(lambda: is_green(manager.client), seconds=60 if timings is Timings.SHORT else 600)
        yield manager.client


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, shape in (("two_tier_fault", Shape.TWO_TIER), ("one_box_fault", Shape.ONE_BOX)):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, chosen(shape, metafunc.config))


def chosen(shape: Shape, config: pytest.Config) -> list[str]:
    """The names of the faults to try."""
    faults = {name: fault for name, fault in catalogue(shape).items() if not fault.is_latent}
    if config.getoption("--default-timings"):
        return list(faults)
    if config.getoption("--every-kind"):
        return list({fault.kind: fault.name for fault in reversed(faults.values())}.values())[::-1]
    return list(QUICK if shape is Shape.TWO_TIER else QUICK_BOX)


def test_a_fault_is_told_on_its_tier_and_gone_when_it_is_healed(two_tier_fault, lab, watched, timings, rows):
    rows.append(tried(lab, watched, lab.faults[two_tier_fault], timings))


def test_one_box_without_proxy_is_told_as_well(one_box_fault, one_box, watched_box, timings):
    tried(one_box, watched_box, one_box.faults[one_box_fault], timings)


def tried(lab: Lab, client: ManagerClient, fault: Fault, timings: Timings) -> Row:
    """Break, wait for the verdict, heal, wait until all is green."""
    reason = lab.why_not(fault)
    if reason:
        pytest.skip(reason)
    patience = 90 if timings is Timings.SHORT else 400  # three time-outs of a proxy that waits for its own
    began = monotonic()
    lab.break_(fault.name)
    until(lambda: broken(client), seconds=patience)
    noticed = monotonic() - began
    with users_at_work(lab):
        until(lambda: all_agree(client, fault), seconds=patience, otherwise=lambda: disagreement(client, fault))
    told = monotonic() - began
    bad = broken(client)
    speaks = next(row for row in bad if row.verdict is not None and agrees(row.verdict, fault))
    assert speaks.verdict is not None
    assert not [row for row in bad if contradicts(row, fault)], disagreement(client, fault)
    lab.heal(fault.name)
    healed = monotonic()
    until(lambda: is_green(client), seconds=patience * 2, otherwise=lambda: disagreement(client, fault))
    return Row(
        fault=fault,
        noticed=noticed,
        told=told,
        monitors=tuple(dict.fromkeys(row.name for row in bad)),
        verdict=speaks.verdict,
        green=monotonic() - healed,
    )


@contextmanager
def users_at_work(lab: Lab) -> Iterator[None]:
    """
    Users who log in from another address than the prober's while a fault lasts, as they do everywhere.

    Only they tell a banned prober from a cut network, and a wrong probe password from a broken directory.
    """
    ended = Event()
    users = [database.users[0] for database in lab.blueprint.databases]
    doors = lab.blueprint.entrances

    def work() -> None:
        for turn in count():
            if ended.wait(0.3):
                return
            with suppress(*BROKEN):
                lab.log_in(users[turn % len(users)], on=doors[turn % len(doors)].name, source="127.0.0.1")

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(20)


def broken(client: ManagerClient) -> list[MonitorHealth]:
    return [row for row in client.health() if row.alert_value in (AlertValue.DEGRADED, AlertValue.UNHEALTHY)]


def is_green(client: ManagerClient) -> bool:
    rows = client.health()
    return bool(rows) and all(row.alert_value is AlertValue.HEALTHY for row in rows)


def agrees(verdict: Verdict, fault: Fault) -> bool:
    truth = fault.truth
    return (verdict.tier, verdict.server, verdict.dependency) == (truth.tier, truth.server, truth.dependency)


def contradicts(row: MonitorHealth, fault: Fault) -> bool:
    """Only a verdict that claims certainty can be wrong; an unsure one may be revised by the next probe."""
    verdict = row.verdict
    return verdict is not None and verdict.confidence is Confidence.CERTAIN and not agrees(verdict, fault)


def all_agree(client: ManagerClient, fault: Fault) -> bool:
    bad = broken(client)
    told = [row for row in bad if row.verdict is not None and agrees(row.verdict, fault)]
    return bool(told) and not any(contradicts(row, fault) for row in bad)


def disagreement(client: ManagerClient, fault: Fault) -> str:
    truth = fault.truth
    lines = [f"truth: {truth.tier.value} {truth.server} {truth.dependency and truth.dependency.value}"]
    for row in client.health():
        if row.alert_value is AlertValue.HEALTHY:
            continue
        said = row.verdict
        told = said and f"{said.tier.value} {said.server} {said.dependency and said.dependency.value}"
        lines.append(f"{row.server} {row.name} {row.target_resource} {row.alert_value.value}: {told}: {row.because}")
    return "\n".join(lines)


def until(
    condition: Callable[[], object], *, seconds: float, otherwise: Callable[[], str] = lambda: "it never came"
) -> None:
    """Poll until *condition* holds; a manager that does not answer for a moment is asked again."""
    deadline = monotonic() + seconds
    while True:
        with suppress(TemporaryFailure):
            if condition():
                return
        if monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {otherwise()}")
        sleep(0.1)


def table(seen: list[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "| fault | told as | confidence | monitors | noticed | told | green after healing |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in seen:
        verdict = row.verdict
        told = ", ".join(
            [f"{verdict.tier.value} {verdict.server or ''}".strip()]
            + ([verdict.dependency.value] if verdict.dependency else [])
        )
        times = (f"{seconds:.1f} s" for seconds in (row.noticed, row.told, row.green))
        cells = (row.fault.name, told, verdict.confidence.value, ", ".join(row.monitors), *times)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
