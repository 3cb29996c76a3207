import asyncio
from datetime import timedelta

import pytest

from mailward.model.organization import LmtpEndpoint
from mailward.model.probing import Cause, Phase, ResultType
from mailward.ports.mail_delivery import DeliveryRefused
from mailward.ports.network import NetworkFailure
from mailward.probes.delivery import LmtpDeliveryProbe
from mailward.probes.messages import Token, token_message
from mailward.testing.mail_delivery import MemoryDelivery

FOREIGN = b"From: boss@example.org\r\nSubject: salary\r\n\r\nDo not touch.\r\n"
DOOR = LmtpEndpoint(host="proxy1.example", port=24)


@pytest.fixture
def delivery(world):
    return MemoryDelivery({"health": world.inbox})


async def deliver(world, delivery, **changes):
    target = world.against(probe="LmtpDeliveryProbe", server="proxy1", delivery=DOOR, **changes)
    return await LmtpDeliveryProbe(world.equipment, delivery).run(target)


async def test_a_message_is_handed_over_read_where_its_user_reads_and_removed(world, delivery):
    world.inbox.add(FOREIGN)

    result = await deliver(world, delivery)

    assert (ResultType.SUCCEEDED, "be1", True) == (result.result, result.mailbox_server, result.wrote)
    assert {Phase.DELIVERY, Phase.FETCH, Phase.EXPUNGE} <= {timing.phase for timing in result.phases}
    assert [FOREIGN] == [message.data for message in world.inbox.messages]
    assert any("proxy1.example port 24" in line for line in result.transcript)


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (DeliveryRefused(451, "4.4.0 Proxy failed (connect)"), Cause.BACKEND_UNAVAILABLE),
        (DeliveryRefused(452, "4.2.2 mailbox is full"), Cause.OVER_QUOTA),
        (DeliveryRefused(552, "over its limit"), Cause.OVER_QUOTA),
        (DeliveryRefused(550, "5.1.1 is not here"), Cause.COMMAND_REJECTED),
        (NetworkFailure(Cause.REFUSED, "proxy1.example port 24: refused"), Cause.REFUSED),
        (NetworkFailure(Cause.CLOSED, "proxy1.example port 24 ended the connection"), Cause.CLOSED),
    ],
)
async def test_mail_that_is_not_taken_fails_the_delivery_in_the_server_s_words(world, delivery, trouble, expected):
    delivery.trouble = trouble

    result = await deliver(world, delivery)

    assert (ResultType.FAILED, Phase.DELIVERY, expected) == (result.result, result.failed_phase, result.cause)
    assert str(trouble) in result.detail


async def test_mail_that_is_taken_and_does_not_arrive_is_a_time_out_not_a_success(world, delivery):
    delivery.instead = lambda _: None

    result = await deliver(world, delivery, timeout=timedelta(seconds=1))

    assert (ResultType.TIMED_OUT, Phase.DELIVERY) == (result.result, result.failed_phase)
    assert "took a message by LMTP that is not in the mailbox" in result.detail


async def test_where_nobody_says_where_mail_is_taken_nothing_is_tried(world, delivery):
    target = world.against(probe="LmtpDeliveryProbe", server="proxy1")

    result = await LmtpDeliveryProbe(world.equipment, delivery).run(target)

    assert (ResultType.NOT_APPLICABLE, 0) == (result.result, world.network.connections)


async def test_mail_that_comes_after_it_was_answered_for_may_have_come_another_way_and_that_is_said(world, delivery):
    async def copy_it_later(message: bytes) -> None:
        before = world.server.heard.count("UID SEARCH")
        while world.server.heard.count("UID SEARCH") == before:  # until it was looked for, and not there
            await asyncio.sleep(0)
        world.inbox.add(message)

    delivery.instead = lambda message: copies.append(asyncio.create_task(copy_it_later(message)))
    copies: list[asyncio.Task[None]] = []

    result = await deliver(world, delivery)

    assert ResultType.SUCCEEDED == result.result
    assert "it came through a queue or another server" in result.detail
    assert [] == world.inbox.messages, "and it is removed all the same"


async def test_what_came_after_an_earlier_delivery_had_given_up_is_removed_by_the_next(world, delivery):
    token = Token(identity="mailward", random="late", sent=world.clock.now() - timedelta(hours=2))
    world.inbox.add(FOREIGN)
    world.inbox.add(token_message(token, "health"))

    assert ResultType.SUCCEEDED == (await deliver(world, delivery)).result

    assert [FOREIGN] == [message.data for message in world.inbox.messages]
