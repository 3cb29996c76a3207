from datetime import timedelta

import pytest

from mailward.model.probing import Cause, Phase, ResultType
from mailward.model.target import Turn
from mailward.probes.deep_test import ImapDeepTestProbe
from mailward.probes.messages import Token, canary_message, token_message
from mailward.probes.settings import ProbeSettings

FOREIGN = b"From: boss@example.org\r\nSubject: salary\r\n\r\nDo not touch.\r\n"
WITHOUT_UIDPLUS = ("IMAP4rev1", "SASL-IR", "ID", "IDLE", "LITERAL+", "AUTH=PLAIN")


async def write(world):
    return await ImapDeepTestProbe(world.equipment).run(world.against(turn=Turn.WRITE))


def contents(world):
    return [(message.uid, message.data, sorted(message.flags)) for message in world.inbox.messages]


def a_leftover(world, *, age, identity="mailward", random="crashed"):
    token = Token(identity=identity, random=random, sent=world.clock.now() - age)
    return world.inbox.add(token_message(token, "health"), {"\\Seen"})


async def test_a_writing_turn_stores_hears_of_reads_and_removes_one_message(world):
    result = await write(world)

    assert (ResultType.SUCCEEDED, True) == (result.result, result.wrote)
    assert result.push_took is not None
    assert {Phase.APPEND, Phase.IDLE, Phase.FETCH, Phase.EXPUNGE} <= {timing.phase for timing in result.phases}
    assert [canary_message("mailward", "health")] == [message.data for message in world.inbox.messages]
    assert 0 == world.network.open_streams


async def test_the_second_session_is_named_apart_in_the_transcript_and_says_good_bye(world):
    result = await write(world)

    assert "-- the second session, which waits for news:" in result.transcript
    assert 2 == world.server.heard.count("LOGOUT")


@pytest.mark.parametrize("capabilities", [None, WITHOUT_UIDPLUS])
async def test_other_peoples_mail_is_left_exactly_as_it_was_even_what_they_marked_deleted(capabilities, make_world):
    world = make_world(**({"capabilities": capabilities} if capabilities else {}))
    world.inbox.add(FOREIGN)
    world.inbox.add(FOREIGN, {"\\Deleted"})
    before = contents(world)

    for _ in range(3):
        assert ResultType.SUCCEEDED == (await write(world)).result

    assert before == contents(world)[:2]


async def test_without_uidplus_our_message_stays_marked_beside_other_peoples_mail(make_world):
    world = make_world(capabilities=WITHOUT_UIDPLUS)
    world.inbox.add(FOREIGN)

    await write(world)

    assert "EXPUNGE" not in world.server.heard
    assert ["\\Deleted", "\\Seen"] == sorted(world.inbox.messages[-1].flags)


async def test_without_uidplus_a_mailbox_of_our_own_is_cleaned(make_world):
    world = make_world(capabilities=WITHOUT_UIDPLUS)

    await write(world)
    await write(world)

    assert [canary_message("mailward", "health")] == [message.data for message in world.inbox.messages]


async def test_without_uidplus_a_canary_that_somebody_marked_deleted_is_not_expunged_by_us(make_world):
    world = make_world(capabilities=WITHOUT_UIDPLUS)
    await write(world)
    world.inbox.messages[0].flags.add("\\Deleted")

    await write(world)

    assert canary_message("mailward", "health") == world.inbox.messages[0].data


async def test_without_uidplus_the_pile_of_our_marked_messages_does_not_grow_for_ever(make_world):
    world = make_world(ProbeSettings(leftovers_without_uidplus=3), capabilities=WITHOUT_UIDPLUS)
    world.inbox.add(FOREIGN)

    results = [await write(world) for _ in range(6)]

    assert [True, True, True, False, False, False] == [result.wrote for result in results]
    assert ResultType.SUCCEEDED == results[-1].result
    assert "EXPUNGE" in results[-1].detail


async def test_our_own_leftovers_older_than_an_hour_are_removed(world):
    await write(world)
    a_leftover(world, age=timedelta(minutes=61))
    young = a_leftover(world, age=timedelta(minutes=59), random="recent")

    await write(world)

    assert [canary_message("mailward", "health"), young.data] == [message.data for message in world.inbox.messages]


async def test_leftovers_of_another_organization_are_not_ours_to_remove(world):
    await write(world)
    a_leftover(world, age=timedelta(days=3), identity="another-mailward")

    await write(world)

    assert 2 == len(world.inbox.messages)


async def test_somebodys_mail_that_quotes_our_header_is_not_ours_to_remove(world):
    await write(world)
    quoted = world.inbox.add(
        b"X-Mailward-Token: Fwd: mailward/crashed\r\nX-Mailward-Sent: 2020-01-01T00:00:00+00:00\r\n\r\n"
    )

    await write(world)

    assert quoted in world.inbox.messages


async def test_a_mailbox_that_can_only_be_read_takes_no_writing_turn_and_gets_no_canary(make_world):
    world = make_world(refuses={"SELECT": "OK [READ-ONLY] only for reading"})

    result = await write(world)

    assert (ResultType.FAILED, Phase.SELECT, Cause.STORE_READ_ONLY) == (
        result.result,
        result.failed_phase,
        result.cause,
    )
    assert "APPEND" not in world.server.heard


async def test_a_full_store_fails_at_append(make_world):
    world = make_world()
    await write(world)
    world.server.refuses["APPEND"] = "NO [OVERQUOTA] Quota exceeded"

    result = await write(world)

    assert (Phase.APPEND, Cause.OVER_QUOTA, False) == (result.failed_phase, result.cause, result.wrote)
    assert 0 == world.network.open_streams


async def test_push_that_stays_away_is_told_beside_a_success(make_world):
    settings = ProbeSettings(phase_limits={Phase.IDLE: timedelta(milliseconds=20)})
    world = make_world(settings)
    deaf = type(world.server).session

    def session_that_tells_nothing(server=world.server):
        new = deaf(server)
        new.tell = lambda mailbox: None
        return new

    world.server.session = session_that_tells_nothing

    result = await write(world)

    assert (ResultType.SUCCEEDED, Cause.PUSH_MISSED, None, True) == (
        result.result,
        result.cause,
        result.push_took,
        result.wrote,
    )


async def test_a_server_without_idle_is_not_blamed_for_push(make_world):
    world = make_world(capabilities=("IMAP4rev1", "SASL-IR", "UIDPLUS", "AUTH=PLAIN"))

    result = await write(world)

    assert (True, None, None) == (result.wrote, result.push_took, result.cause)


async def test_a_second_session_that_is_refused_only_leaves_push_unmeasured(make_world):
    world = make_world(refuses={"EXAMINE": "NO [LIMIT] too many sessions"})

    result = await write(world)

    assert (ResultType.SUCCEEDED, True, None, None) == (result.result, result.wrote, result.push_took, result.cause)
    assert any("push was not tried" in line for line in result.transcript)


async def test_a_message_that_comes_back_cut_short_is_a_content_mismatch(make_world):
    world = make_world()
    await write(world)
    store = world.inbox.add
    world.inbox.add = lambda data, flags=None: store(data[:-20], flags)

    result = await write(world)

    assert (Phase.FETCH, Cause.CONTENT_MISMATCH) == (result.failed_phase, result.cause)


async def test_a_server_that_rewrites_headers_is_not_blamed(make_world):
    world = make_world()
    await write(world)
    store = world.inbox.add
    world.inbox.add = lambda data, flags=None: store(b"Received: by exchange\r\n" + data, flags)

    result = await write(world)

    assert ResultType.SUCCEEDED == result.result
    assert any("rewrote" in line for line in result.transcript)


async def test_every_token_is_another(world):
    seen = []
    store = world.inbox.add

    def remembering(data, flags=None):
        seen.append(data)
        return store(data, flags)

    world.inbox.add = remembering
    for _ in range(3):
        await write(world)

    tokens = [data for data in seen if b"X-Mailward-Token" in data]
    assert (3, 3) == (len(tokens), len(set(tokens)))
