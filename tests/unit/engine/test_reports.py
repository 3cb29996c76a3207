"""What is reported from memory is what counting everything anew would report."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.engine.assessment import Assessment
from mailward.engine.reports import Reports
from mailward.health.sets import report
from mailward.lab.blueprint import Shape
from mailward.lab.simulated import Simulation
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType
from mailward.monitors.coverage import cover
from mailward.monitors.samples import sample_of
from mailward.testing.platform import NOON
from mailward.testing.repair_values import HOLDS


class Watched:
    """A simulated organization whose results come from the test."""

    def __init__(self) -> None:
        snapshot = Simulation(Shape.TWO_TIER).load()
        self.organization = snapshot.organization
        self.coverage = cover(snapshot.organization, snapshot.probing, snapshot.monitors)
        self.assessment = Assessment(self.organization)
        self.assessment.use(self.coverage, self.organization, now=NOON)
        self.reports = Reports(self.assessment)

    def see(self, server: str, *, seconds: float, failed: bool) -> None:
        """Every probe of a server ends so."""
        at = NOON + timedelta(seconds=seconds)
        for planned in self.coverage.probes:
            if planned.key.server == server:
                result = ProbeResult(
                    probe=planned.key.probe,
                    health_set=planned.health_set,
                    server=server,
                    target=planned.key.target,
                    at=at,
                    took=timedelta(milliseconds=5),
                    result=ResultType.FAILED if failed else ResultType.SUCCEEDED,
                    failed_phase=Phase.CONNECT if failed else None,
                    cause=Cause.REFUSED if failed else None,
                )
                self.assessment.observe(planned.key, sample_of(result), now=at)

    async def told(self, holds=()):
        anew = report(self.assessment.statuses, holds=holds)
        assert anew == await self.reports.all(holds)
        return anew


@pytest.fixture
def watched() -> Watched:
    return Watched()


async def test_it_tells_what_counting_anew_would_tell_after_every_change(watched):
    await watched.told()

    for seconds, failed in ((1, False), (2, True), (30, True), (120, True), (150, False)):
        watched.see("be1", seconds=seconds, failed=failed)
        await watched.told()


async def test_what_did_not_change_is_not_counted_again(watched):
    watched.see("be1", seconds=1, failed=False)
    first = await watched.reports.all(())

    watched.see("be1", seconds=31, failed=False)

    assert first is await watched.reports.all(())


async def test_what_is_held_shows_as_soon_as_it_is_asked_for(watched):
    watched.see("proxy1", seconds=1, failed=False)
    before = await watched.told()
    now_held = (replace(HOLDS[0], subject="proxy1"),)

    assert before != await watched.told(now_held)
    assert before == await watched.told()


async def test_a_server_that_is_gone_is_reported_no_more(watched):
    await watched.told()
    fewer = replace(
        watched.coverage, monitors=tuple(one for one in watched.coverage.monitors if one.key.server != "be1")
    )

    watched.assessment.use(fewer, watched.organization, now=NOON)

    assert "be1" not in {row.server for row in await watched.told()}
