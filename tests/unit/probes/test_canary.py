from hashlib import sha256

import pytest

from mailward.model.probing import Canary, Cause, Phase, ResultType
from mailward.model.target import Turn
from mailward.probes.customer_touch_point import ImapCTPProbe
from mailward.probes.deep_test import ImapDeepTestProbe
from mailward.probes.messages import canary_message

FOREIGN = b"From: boss@example.org\r\nSubject: salary\r\n\r\nDo not touch.\r\n"


@pytest.fixture
def planted(world):
    """A mailbox with somebody's mail and our canary, and the canary on record."""
    world.inbox.add(FOREIGN)
    data = canary_message("mailward", "health")
    uid = world.inbox.add(data).uid
    known = Canary(uid_validity=1, uid=uid, size=len(data), sha256=sha256(data).hexdigest())
    world.target = world.against(canary=known)
    return world


async def run(world, turn=Turn.READ):
    return await ImapDeepTestProbe(world.equipment).run(world.against(turn=turn))


async def test_a_known_canary_is_read_and_returned(planted):
    result = await run(planted)

    assert (ResultType.SUCCEEDED, planted.target.canary) == (result.result, result.canary)
    assert Phase.FETCH in [timing.phase for timing in result.phases]


async def test_a_new_uidvalidity_means_another_store(planted):
    planted.inbox.uid_validity = 2

    result = await run(planted)

    assert (ResultType.FAILED, Phase.SELECT, Cause.STORE_CHANGED) == (
        result.result,
        result.failed_phase,
        result.cause,
    )


async def test_a_canary_that_is_gone_means_another_store(planted):
    del planted.inbox.messages[1]

    result = await run(planted)

    assert (Phase.FETCH, Cause.STORE_CHANGED) == (result.failed_phase, result.cause)


async def test_a_canary_with_other_bytes_is_a_content_mismatch(planted):
    planted.inbox.messages[1].data = planted.inbox.messages[1].data.replace(b"byte for byte", b"bite for bite")

    result = await run(planted)

    assert (Phase.FETCH, Cause.CONTENT_MISMATCH) == (result.failed_phase, result.cause)


async def test_a_canary_not_yet_on_record_is_recorded_as_it_is_found(planted):
    known = planted.target.canary
    planted.target = planted.against(canary=None)

    assert known == (await run(planted)).canary


@pytest.mark.parametrize("turn", [Turn.READ, Turn.EXAMINE])
async def test_a_turn_that_may_not_write_plants_no_canary(turn, world):
    world.inbox.add(FOREIGN)

    result = await run(world, turn)

    assert (ResultType.SUCCEEDED, None) == (result.result, result.canary)
    assert [FOREIGN] == [message.data for message in world.inbox.messages]
    assert "APPEND" not in world.server.heard


async def test_a_writing_turn_plants_the_canary_where_there_is_none(world):
    result = await run(world, Turn.WRITE)

    (message,) = world.inbox.messages
    assert canary_message("mailward", "health") == message.data
    assert (
        Canary(uid_validity=1, uid=message.uid, size=len(message.data), sha256=sha256(message.data).hexdigest())
        == result.canary
    )


async def test_a_second_writing_turn_plants_no_second_canary(world):
    await run(world, Turn.WRITE)
    await run(world, Turn.WRITE)

    assert 1 == len(world.inbox.messages)


async def test_planting_works_without_uidplus(make_world):
    world = make_world(capabilities=("IMAP4rev1", "SASL-IR", "AUTH=PLAIN"))

    assert 1 == (await run(world, Turn.WRITE)).canary.uid


async def test_a_canary_of_another_mailbox_that_somebody_copied_here_is_not_taken_for_ours(world):
    world.inbox.add(canary_message("mailward", "health-of-another"))

    assert (await run(world)).canary is None


async def test_a_message_that_only_mentions_the_canary_is_not_taken_for_it(world):
    world.inbox.add(b"X-Mailward-Canary: see mailward/health please\r\n\r\nhello\r\n")

    assert (await run(world)).canary is None


async def test_a_passive_copy_is_examined_never_selected(planted):
    result = await run(planted, Turn.EXAMINE)

    assert ResultType.SUCCEEDED == result.result
    assert "EXAMINE" in planted.server.heard
    assert "SELECT" not in planted.server.heard


async def test_a_touch_point_compares_the_canary_too(planted):
    planted.inbox.uid_validity = 7

    result = await ImapCTPProbe(planted.equipment).run(planted.target)

    assert Cause.STORE_CHANGED == result.cause


async def test_a_large_mailbox_is_not_searched_for_a_canary_nobody_recorded(world):
    for _ in range(201):
        world.inbox.add(FOREIGN)

    result = await run(world)

    assert (ResultType.SUCCEEDED, None) == (result.result, result.canary)
    assert "UID SEARCH" not in world.server.heard
