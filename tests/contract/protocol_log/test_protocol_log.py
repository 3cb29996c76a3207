"""What every ProtocolLog does: it logs health mailboxes only, for a while only, and says how it stands."""

import asyncio
from datetime import timedelta

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.protocol_log import LONGEST

TEN_MINUTES = timedelta(minutes=10)
LONG_AGO = timedelta(hours=1)


async def texts(case, user: str) -> list[str]:
    sessions = await case.log.conversations(user, since=case.now() - LONG_AGO)
    return [line.text for session in sessions for line in session.lines if line.text == "a1 NOOP"]


async def test_it_is_off_and_logs_nobody(case):
    standing = await case.log.standing()

    case.converse("health-db1")

    assert (True, False, (), None) == (standing.is_available, standing.is_on, standing.users, standing.until)
    assert [] == await texts(case, "health-db1")


async def test_on_logs_from_now_on_until_then_those_it_is_on_for(case):
    until = case.now() + TEN_MINUTES
    standing = await case.log.on(["health-db1"], until=until)

    case.converse("health-db1")
    case.converse("health-mbx1")

    assert ("health-db1",) == standing.users
    assert standing == await case.log.standing()
    assert abs(standing.until - until) < timedelta(milliseconds=1)
    assert standing.directory
    assert ["a1 NOOP"] == await texts(case, "health-db1")
    assert [] == await texts(case, "health-mbx1")
    await case.log.off()


async def test_a_conversation_names_server_user_process_and_when_it_began(case):
    await case.log.on(["health-db1"], until=case.now() + TEN_MINUTES)
    case.converse("health-db1")

    (session,) = await case.log.conversations("health-db1", since=case.now() - LONG_AGO)

    assert ("health-db1", "mbx1", 100) == (session.user, session.mailbox_server, session.process)
    assert abs(session.opened - case.now()) < timedelta(minutes=1)
    assert () == await case.log.conversations("health-db1", since=case.now() + LONG_AGO)
    await case.log.off()


async def test_the_newest_conversations_are_shown_the_oldest_of_them_first(case):
    await case.log.on(["health-db1"], until=case.now() + TEN_MINUTES)
    for _ in range(4):
        case.converse("health-db1")

    sessions = await case.log.conversations("health-db1", since=case.now() - LONG_AGO, limit=2)

    assert [102, 103] == [session.process for session in sessions]
    await case.log.off()


async def test_off_removes_what_was_logged_and_twice_changes_nothing(case):
    await case.log.on(["health-db1", "health-mbx1"], until=case.now() + TEN_MINUTES)
    case.converse("health-db1")

    first, second = await case.log.off(), await case.log.off()
    case.converse("health-db1")

    assert first == second == await case.log.standing()
    assert not first.is_on
    assert [] == await texts(case, "health-db1")


async def test_it_goes_off_by_itself_and_what_was_logged_is_gone(case):
    until = case.now() + timedelta(seconds=3)
    await case.log.on(["health-db1"], until=until)
    case.converse("health-db1")

    await case.pass_time(until)

    assert not (await case.log.standing()).is_on
    assert [] == await texts(case, "health-db1")


async def test_on_again_is_on_until_the_later_word_and_keeps_what_was_logged(case):
    first = await case.log.on(["health-db1"], until=case.now() + timedelta(seconds=30))
    case.converse("health-db1")
    again = await case.log.on(["health-db1"], until=case.now() + TEN_MINUTES)

    assert again.until > first.until
    assert again.since == first.since
    assert ["a1 NOOP"] == await texts(case, "health-db1")
    await case.log.off()


async def test_off_for_one_leaves_the_others_on_and_off_for_none_leaves_all(case):
    await case.log.on(["health-db1", "health-mbx1"], until=case.now() + TEN_MINUTES)
    case.converse("health-mbx1")

    nobody, after = await case.log.off([]), await case.log.off(["health-db1"])

    assert ("health-db1", "health-mbx1") == nobody.users
    assert ("health-mbx1",) == after.users
    assert ["a1 NOOP"] == await texts(case, "health-mbx1")
    with pytest.raises(Refused):
        await case.log.off(["anna"])
    await case.log.off()


async def test_many_may_ask_at_the_same_time(case):
    await case.log.on(["health-db1"], until=case.now() + TEN_MINUTES)
    case.converse("health-db1")
    since = case.now() - LONG_AGO

    standings = await asyncio.gather(*(case.log.standing() for _ in range(5)), case.log.keep_deadline())
    found = await asyncio.gather(*(case.log.conversations("health-db1", since=since) for _ in range(5)))

    assert all(one.is_on for one in standings[:5])
    assert [1] * 5 == [len(sessions) for sessions in found]
    await case.log.off()


async def test_to_keep_the_deadline_leaves_on_what_is_not_over_and_it_goes_off_in_time(case):
    until = case.now() + timedelta(seconds=5)
    standing = await case.log.on(["health-db1"], until=until)

    await case.log.keep_deadline()

    assert standing == await case.log.standing()
    await case.pass_time(until)
    await case.log.keep_deadline()
    assert not (await case.log.standing()).is_on


@pytest.mark.parametrize("user", ["anna", "", "HEALTH-DB1", "../health-db1", "health-db1/../anna", ".mailward-on-x"])
async def test_who_is_no_health_mailbox_is_refused_and_nobody_is_logged(case, user):
    with pytest.raises(Refused, match="no health mailbox of mbx1"):
        await case.log.on(["health-db1", user], until=case.now() + TEN_MINUTES)
    with pytest.raises(Refused, match="no health mailbox of mbx1"):
        await case.log.conversations(user, since=case.now())

    assert not (await case.log.standing()).is_on


@pytest.mark.parametrize("away", [timedelta(0), -TEN_MINUTES, LONGEST + TEN_MINUTES])
async def test_a_time_that_is_over_or_too_long_is_refused(case, away):
    with pytest.raises(Refused, match="an hour at most"):
        await case.log.on(["health-db1"], until=case.now() + away)

    assert not (await case.log.standing()).is_on


async def test_on_for_nobody_is_refused(case):
    with pytest.raises(Refused, match="at least one health mailbox"):
        await case.log.on([], until=case.now() + TEN_MINUTES)


async def test_where_it_is_not_available_that_is_its_standing_and_everything_else_is_refused(case):
    standing = await case.unavailable.standing()

    assert (False, False) == (standing.is_available, standing.is_on)
    assert "rawlog_dir" in standing.because
    for deed in (
        case.unavailable.on(["health-db1"], until=case.now() + TEN_MINUTES),
        case.unavailable.off(),
        case.unavailable.keep_deadline(),
        case.unavailable.conversations("health-db1", since=case.now()),
    ):
        with pytest.raises(Refused, match="rawlog_dir"):
            await deed


async def test_a_host_that_cannot_be_asked_is_unknown_not_off(case):
    for deed in (
        case.silent.standing(),
        case.silent.on(["health-db1"], until=case.now() + TEN_MINUTES),
        case.silent.off(),
        case.silent.keep_deadline(),
        case.silent.conversations("health-db1", since=case.now()),
    ):
        with pytest.raises(TemporaryFailure):
            await deed
