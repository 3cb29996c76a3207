"""/metrics and /probe on a manager: what is asked of it, and how often."""

import asyncio
from datetime import timedelta

import pytest

from mailward.metrics.exposition import FRESH, Exposition
from mailward.model.errors import NotFound, TemporaryFailure
from mailward.testing.manager_values import example_manager
from mailward.testing.platform import SetClock

ALMOST = FRESH - timedelta(milliseconds=1)


@pytest.fixture
def manager():
    return example_manager()


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def exposition(manager, clock):
    return Exposition(manager, clock)


def probe(exposition, target="mbx2", module="ImapDeepTestProbe"):
    return exposition.probe(target=target, module=module)


async def test_it_shows_the_manager_and_what_it_watches(exposition):
    text = (await exposition.metrics()).body.decode()

    assert 'mailward_build_info{version="0.1.0"} 1.0' in text
    assert 'mailward_health_set_state{health_set="IMAP.Protocol",server="mbx2",state="Unhealthy"} 1.0' in text


async def test_a_manager_that_cannot_answer_shows_nothing_rather_than_half(exposition, manager):
    manager.silent_because = "it starts"

    with pytest.raises(TemporaryFailure, match="it starts"):
        await exposition.metrics()


async def test_a_probe_is_run_for_whoever_scrapes_and_is_nobodys_order(exposition, manager):
    assert b"probe_success 0.0" in (await probe(exposition)).body
    assert [""] == manager.probed_by


async def test_who_asks_again_soon_gets_the_same_result(exposition, manager, clock):
    first = await probe(exposition)
    clock.advance(ALMOST)
    assert first == await probe(exposition, target="MBX2")
    assert 1 == len(manager.probed_by)

    clock.advance(FRESH - ALMOST)
    await probe(exposition)

    assert 2 == len(manager.probed_by)


async def test_a_clock_that_goes_back_keeps_no_old_result_for_ever(exposition, manager, clock):
    await probe(exposition)
    clock.advance(-2 * FRESH)
    await probe(exposition)

    assert 2 == len(manager.probed_by)


async def test_who_asks_at_the_same_time_shares_one_run(exposition, manager):
    await asyncio.gather(*(probe(exposition) for _ in range(20)))

    assert 1 == len(manager.probed_by)


async def test_another_probe_is_another_run(exposition, manager):
    await probe(exposition)
    await probe(exposition, target="proxy1", module="ImapCTPProbe")

    assert 2 == len(manager.probed_by)


async def test_an_address_that_is_no_server_of_the_organization_is_never_probed(exposition, manager):
    for target in ("192.0.2.1", "192.0.2.1:143", "imap://other.example.net"):
        with pytest.raises(NotFound):
            await probe(exposition, target=target)

    assert [] == manager.probed_by


async def test_an_error_is_not_remembered(exposition, manager):
    manager.silent_because = "it starts"
    with pytest.raises(TemporaryFailure):
        await probe(exposition)
    manager.silent_because = None

    assert b"probe_success" in (await probe(exposition)).body
