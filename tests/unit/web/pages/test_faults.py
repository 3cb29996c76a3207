"""The demo's panel: what can be broken, by whom, and that only the demo has it."""

from dataclasses import replace

import pytest

from mailward.testing.faults import FAULTS, FakeFaults
from mailward.web.pages.faults import groups


@pytest.fixture
def faults(pages):
    pages.more["faults"] = FakeFaults()
    return pages.more["faults"]


def test_faults_are_grouped_by_what_would_be_done_and_by_kind():
    found = [(group.remedy, [kind.name for kind in group.kinds]) for group in groups(FAULTS)]

    assert [
        ("start the service", ["service-failed"]),
        ("a person has to mend it", ["map-missing", "store-full"]),
    ] == found


def test_a_kind_that_strikes_several_places_speaks_of_the_chosen_one():
    start, human = groups(FAULTS)

    assert "the IMAP service of the one you choose crashes" == start.kinds[0].sentence
    assert "the map of users is gone" == human.kinds[0].sentence


def test_what_lasts_already_or_cannot_be_had_is_not_offered():
    start, human = groups((replace(FAULTS[0], is_active=True), *FAULTS[1:]))

    assert ["service-failed@be2"] == [fault.name for fault in start.kinds[0].faults]
    assert () == human.kinds[1].faults


async def test_something_is_broken_and_healed_again(pages, faults, text):
    broken = await pages.post("/faults/break", name="service-failed@be1")
    shown = text(await pages.get("/faults"))
    healed = await pages.post("/faults/heal", name="service-failed@be1")

    assert (303, "/faults?said=Broken%3A%20the%20IMAP%20service%20of%20be1%20crashes.") == (
        broken.status,
        broken.headers["location"],
    )
    assert "Broken now" in shown
    assert 303 == healed.status
    assert "Broken now" not in text(await pages.get("/faults"))


async def test_everything_is_healed_at_once(pages, faults):
    await pages.post("/faults/break", name="service-failed@be1")
    await pages.post("/faults/break", name="map-missing")

    healed = await pages.post("/faults/heal")

    assert "/faults?said=Healed%3A%20service-failed%40be1%2C%20map-missing." == healed.headers["location"]


async def test_an_unknown_fault_and_one_that_cannot_be_had_are_refused(pages, faults):
    assert 409 == (await pages.post("/faults/break", name="no-such-fault")).status
    assert 409 == (await pages.post("/faults/break", name="store-full@be1")).status
    assert 400 == (await pages.post("/faults/break")).status


@pytest.mark.parametrize("path", ["/faults/break", "/faults/heal"])
async def test_a_viewer_breaks_and_heals_nothing(pages, faults, text, path):
    await faults.break_("map-missing")

    assert 403 == (await pages.post(path, viewer=True, name="map-missing")).status
    assert "<button" not in text(await pages.get("/faults", viewer=True))


async def test_only_the_demo_has_the_panel(pages, text):
    assert 404 == (await pages.get("/faults")).status
    assert "/faults" not in text(await pages.get("/"))


async def test_the_demo_leads_to_its_panel(pages, faults, text):
    assert 'href="/faults"' in text(await pages.get("/"))
