"""What tests can set of a tame service and a tame machine."""

import asyncio

import pytest

from mailward.model.errors import PermanentFailure, Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.ports.service_control import ServiceDeed
from mailward.testing.platform import SetClock, TameHostControl, TameService


async def test_a_deed_that_raises_is_noted_and_changes_nothing():
    service = TameService(ServiceState.FAILED)
    service.failing[ServiceDeed.START] = PermanentFailure("the port is taken")

    with pytest.raises(PermanentFailure, match="the port is taken"):
        await service.start()

    assert (["start"], ServiceState.FAILED) == (service.deeds, (await service.status()).state)


async def test_a_deed_without_effect_ends_well():
    service = TameService(ServiceState.FAILED)
    service.without_effect.add(ServiceDeed.START)

    await service.start()

    assert (["start"], ServiceState.FAILED) == (service.deeds, (await service.status()).state)


@pytest.mark.parametrize(("hangs", "meanwhile"), [("hangs_before", 1), ("hangs_after", 2)])
async def test_a_deed_hangs_before_or_after_its_effect_until_it_is_let_go(hangs, meanwhile):
    service = TameService()
    getattr(service, hangs).add(ServiceDeed.RESTART)
    deed = asyncio.ensure_future(service.restart())
    await asyncio.sleep(0)

    starts = (await service.status()).starts
    service.let_go()
    await deed

    assert (meanwhile, 2, ["restart"]) == (starts, (await service.status()).starts, service.deeds)


async def test_what_is_not_available_is_refused_and_not_noted():
    service = TameService()
    service.not_available.add(ServiceDeed.RELOAD)

    with pytest.raises(Refused, match="not available on this platform"):
        await service.reload()
    assert [] == service.deeds


async def test_since_is_told_by_the_clock():
    clock = SetClock()
    service = TameService(clock=clock)

    assert clock.now() == (await service.status()).since


async def test_a_machine_that_restarts_takes_its_services_with_it():
    service = TameService()
    machine = TameHostControl(service)
    machine.stays_away = True

    await machine.restart()

    with pytest.raises(TemporaryFailure):
        await service.status()
    machine.come_back()
    assert (1, "boot-2", 2) == (machine.restarts, await machine.boot_id(), (await service.status()).starts)
