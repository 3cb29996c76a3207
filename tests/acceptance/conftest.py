"""Real servers for the acceptance tests: one lab of each shape, shared by the whole session."""

from collections.abc import Iterator

import pytest

from mailward.lab.blueprint import Shape
from mailward.lab.lab import Lab, missing_programs
from mailward.lab.watch_configuration import Timings

_running: list[Lab] = []
LONG = (
    "test_a_minute.py",
    "test_by_itself.py",
    "test_catalogue.py",
    "test_in_between.py",
    "test_planned.py",
    "test_forced.py",
    "test_seed_page.py",
    "test_touch_point.py",
    "test_at_once.py",
    "test_faults.py",
)
"""Files that take a minute or more: they begin first, so that no worker is left with one of them at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONG)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--default-timings",
        action="store_true",
        help="probe labs as often as mailward does by default, instead of every few seconds",
    )
    parser.addoption("--every-kind", action="store_true", help="try one fault of each kind of the catalogue")
    parser.addoption("--table", metavar="FILE", help="write what was seen of each fault as a table")


@pytest.fixture
def only_with_every_kind(request: pytest.FixtureRequest) -> None:
    """For a test of a kind that the short run has already."""
    if not (request.config.getoption("--every-kind") or request.config.getoption("--default-timings")):
        pytest.skip("only with --every-kind")


@pytest.fixture(scope="session")
def timings(request: pytest.FixtureRequest) -> Timings:
    """How often a lab is to be probed: `lab.write_configuration(timings=timings)`."""
    return Timings.DEFAULT if request.config.getoption("--default-timings") else Timings.SHORT


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A running two-tier organization. Faults that a test leaves are healed after it."""
    yield from _shared(Shape.TWO_TIER)


@pytest.fixture(scope="session")
def one_box() -> Iterator[Lab]:
    """A running single Dovecot. Faults that a test leaves are healed after it."""
    yield from _shared(Shape.ONE_BOX)


@pytest.fixture(autouse=True)
def _healed_afterwards() -> Iterator[None]:
    yield
    for running in _running:
        if running.active_faults:
            running.heal()


def _shared(shape: Shape) -> Iterator[Lab]:
    missing = missing_programs()
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}")
    with Lab.up(shape) as running:
        _running.append(running)
        yield running
        _running.remove(running)
