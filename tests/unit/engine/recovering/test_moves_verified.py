"""A move is done when users are served by the target and their mail is delivered there."""

import pytest

from mailward.model.evidence import ServiceState
from mailward.model.probing import Cause
from mailward.model.recovery import OperationStatus

from .moving import MovableHouse


@pytest.fixture
async def house() -> MovableHouse:
    house = MovableHouse()
    await house.copying.look()
    return house


async def test_a_move_is_done_when_mail_is_delivered_through_every_proxy_too(house):
    house.takes_mail()

    operation = await house.moved()

    assert OperationStatus.HEALED is operation.status
    assert operation.because.endswith("through proxy1, proxy2, and mail is delivered")
    assert {"proxy1", "proxy2"} == {key.server for key in house.deliveries}


async def test_mail_that_one_proxy_does_not_deliver_is_told_as_what_it_is(house):
    house.takes_mail()
    house.mail_trouble["proxy2"] = (Cause.BACKEND_UNAVAILABLE, "LMTP says 451 4.4.0 Proxy failed (connect)")

    operation = await house.moved()

    assert OperationStatus.ESCALATED is operation.status
    expected = "users are served, but mail is not delivered to be2: proxy2: LMTP says 451 4.4.0 Proxy failed (connect)"
    assert expected in operation.because
    assert "be2" == (await house.map.active())["DB1"], "and nobody is sent back for it"


@pytest.mark.parametrize("cause", [Cause.COMMAND_REJECTED, Cause.OVER_QUOTA])
async def test_a_health_mailbox_that_takes_no_mail_says_nothing_of_users(house, cause):
    house.takes_mail()
    house.mail_trouble["proxy1"] = (cause, "LMTP says 550 5.1.1 is not here")

    operation = await house.moved()

    assert OperationStatus.HEALED is operation.status
    assert "proxy1: LMTP says 550 5.1.1 is not here, as before the move" in operation.because


async def test_mail_that_was_delivered_before_the_move_and_bounces_after_it_calls_somebody(house):
    house.takes_mail()
    house.as_time_passes = lambda: house.mail_trouble.update(proxy1=(Cause.COMMAND_REJECTED, "LMTP says 550 unknown"))

    operation = await house.moved()

    assert OperationStatus.ESCALATED is operation.status
    assert "mail is not delivered to be2: proxy1: LMTP says 550 unknown" in operation.because


async def test_mail_that_bounces_after_a_forced_move_is_not_passed_over(house):
    house.takes_mail()
    house.mail_trouble["proxy1"] = (Cause.COMMAND_REJECTED, "LMTP says 550 unknown")
    house.servers.dead.add("be1")
    house.services["be1"].become(ServiceState.FAILED)
    house.is_well = lambda key: key.server != "be1"

    operation = await house.moved()

    assert OperationStatus.ESCALATED is operation.status
    assert "whether their mail is delivered to be2 is not known: proxy1: LMTP says 550 unknown" in operation.because


async def test_where_no_proxy_says_where_it_takes_mail_the_move_says_that_it_was_not_tried(house):
    operation = await house.moved()

    assert OperationStatus.HEALED is operation.status
    assert "delivery was not tried: no proxy has `lmtp`" in operation.because
