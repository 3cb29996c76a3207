"""What everything that breaks a demo does, whether a real lab is broken or only its name."""

from collections.abc import Iterator

import pytest

from mailward.lab.blueprint import Shape
from mailward.lab.breaking import LabFaults
from mailward.lab.lab import Lab, missing_programs
from mailward.model.errors import Refused
from mailward.testing.faults import FakeFaults

NO_DOVECOT = pytest.mark.skipif(bool(missing_programs()), reason="this machine has no Dovecot")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(Shape.TWO_TIER) as up:
        yield up


@pytest.fixture(params=["fake", pytest.param("lab", marks=NO_DOVECOT)])
async def faults(request):
    made = FakeFaults() if request.param == "fake" else LabFaults(request.getfixturevalue("lab").blueprint.directory)
    yield made
    await made.heal()


async def active(faults) -> list[str]:
    return [fault.name for fault in await faults.known() if fault.is_active]


async def test_what_was_broken_lasts_until_it_is_healed(faults):
    broken = await faults.break_("SERVICE-failed@be1")

    assert ("service-failed@be1", "service-failed", "be1", True) == (
        broken.name,
        broken.kind,
        broken.place,
        broken.is_active,
    )
    assert ["service-failed@be1"] == await active(faults)
    assert ("service-failed@be1",) == await faults.heal("service-failed@be1")
    assert [] == await active(faults)


async def test_everything_is_healed_at_once(faults):
    await faults.break_("service-failed@be1")
    await faults.break_("service-failed@be2")

    assert {"service-failed@be1", "service-failed@be2"} == set(await faults.heal())
    assert [] == await active(faults)
    assert () == await faults.heal()


async def test_what_is_unknown_lasts_already_or_does_not_last_is_refused(faults):
    await faults.break_("service-failed@be1")

    for attempt in (
        faults.break_("no-such-fault@be1"),
        faults.break_("service-failed@be1"),
        faults.heal("service-failed@be2"),
        faults.heal("no-such-fault@be1"),
    ):
        with pytest.raises(Refused):
            await attempt
