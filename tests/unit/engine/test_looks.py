"""What mailward sees of itself, and whose fault it calls it."""

from datetime import timedelta

import pytest

from mailward.engine.looks import Looks
from mailward.model.items import HEALTH_MANAGER_CHECK, MONITORING
from mailward.model.probing import ResultType
from mailward.model.verdict import Confidence, Dependency, Tier
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.samples import ProbeKey
from mailward.testing.platform import SetClock

LOOK = PlannedProbe(
    key=ProbeKey(probe=HEALTH_MANAGER_CHECK, server="mailward", target="mailward"),
    health_set=MONITORING,
    interval=timedelta(seconds=10),
    timeout=timedelta(seconds=10),
)
MAP = "the map of mailbox databases: file is not a database"
LATE = "a probe is 3.0 s late"


async def no_copies():
    return ()


async def at_manager(problems, map_problem):
    looks = Looks(clock=SetClock(), problems=lambda: problems, map_problem=lambda: map_problem, copies=no_copies)
    return await looks.at_manager(LOOK)


async def test_without_a_problem_all_is_well():
    assert ResultType.SUCCEEDED is (await at_manager((), None)).result


@pytest.mark.parametrize(
    ("problems", "map_problem", "expected"),
    [
        ((LATE,), None, (Tier.MONITORING, Dependency.MONITORING, Confidence.CERTAIN)),
        ((MAP,), MAP, (Tier.DIRECTORY, Dependency.DIRECTORY, Confidence.PROBABLE)),
        ((LATE, MAP), MAP, (Tier.MONITORING, Dependency.MONITORING, Confidence.CERTAIN)),
    ],
)
async def test_a_map_that_cannot_be_read_is_the_directory_s_trouble_and_all_else_our_own(
    problems, map_problem, expected
):
    result = await at_manager(problems, map_problem)

    assert ResultType.FAILED is result.result
    assert expected == (result.verdict.tier, result.verdict.dependency, result.verdict.confidence)
    assert "; ".join(problems) == result.verdict.because == result.detail
