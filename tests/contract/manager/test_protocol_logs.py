"""
What every Manager does about protocol logs, whichever way the values travel.

That of mbx1 is off, that of mbx2 on, that of archive1 not available; proxy1 has none. health-db2 had two sessions.
"""

from datetime import timedelta

import pytest

from mailward.model.errors import MailwardError, NotFound, Refused, TemporaryFailure
from mailward.testing.protocol_log_values import LOGGED_SESSIONS, PROTOCOL_LOGS
from mailward.testing.repair_values import NOON

TEN_MINUTES = timedelta(minutes=10)
OFF, ON, UNAVAILABLE = PROTOCOL_LOGS


async def test_how_each_stands_is_shown_to_the_last_field(case):
    assert PROTOCOL_LOGS == tuple([await case.manager.protocol_log(one.server) for one in PROTOCOL_LOGS])
    assert (False, True, False) == tuple(one.is_on for one in PROTOCOL_LOGS)


async def test_it_is_switched_on_for_a_while_and_off_with_who_and_why(case):
    on = await case.manager.protocol_log_on("MBX1", lasting=TEN_MINUTES, actor="root", reason="slow logins")
    shown = await case.manager.protocol_log("mbx1")
    off = await case.manager.protocol_log_off("mbx1", actor="root", reason="found it")

    assert ("mbx1", ("health-db2",), NOON + TEN_MINUTES) == (on.server, on.users, on.until)
    assert on == shown
    assert OFF == off
    assert [("on", "mbx1", "slow logins"), ("off", "mbx1", "found it")] == [
        order[1:] for order in case.behind.log_orders
    ]


async def test_a_rehearsal_says_what_would_be_done_and_does_nothing(case):
    on = await case.manager.protocol_log_on("mbx1", lasting=TEN_MINUTES, actor="root", dry_run=True)
    off = await case.manager.protocol_log_off("mbx2", actor="root", dry_run=True)

    assert "would log health-db2" in on.because
    assert "would remove what was logged of health-db2" in off.because
    assert (OFF, ON) == (await case.manager.protocol_log("mbx1"), await case.manager.protocol_log("mbx2"))
    assert [] == case.behind.log_orders


@pytest.mark.parametrize("lasting", [timedelta(0), timedelta(hours=2)])
async def test_no_time_and_too_long_a_time_are_refused(case, lasting):
    with pytest.raises(MailwardError):
        await case.manager.protocol_log_on("mbx1", lasting=lasting, actor="root")

    assert [] == case.behind.log_orders


async def test_where_it_is_not_available_the_orders_are_refused_with_the_reason(case):
    for order in (
        case.manager.protocol_log_on("archive1", lasting=TEN_MINUTES, actor="root"),
        case.manager.protocol_log_off("archive1", actor="root"),
    ):
        with pytest.raises(Refused, match="not available over ssh"):
            await order


async def test_a_server_without_one_is_refused_and_an_unknown_one_not_found(case):
    with pytest.raises(Refused, match="proxy1"):
        await case.manager.protocol_log("proxy1")
    with pytest.raises(NotFound, match="'mbx22'.*did you mean"):
        await case.manager.protocol_log("mbx22")


async def test_sessions_are_shown_to_the_last_field_as_far_back_as_asked(case):
    every = await case.manager.logged_sessions("health-db2", since=NOON - timedelta(hours=1))
    last = await case.manager.logged_sessions("health-db2", since=NOON - timedelta(minutes=1))

    assert LOGGED_SESSIONS == every
    assert LOGGED_SESSIONS[1:] == last
    assert () == await case.manager.logged_sessions("health-db2", since=NOON + timedelta(minutes=1))


async def test_people_are_not_looked_for(case):
    with pytest.raises(NotFound, match="no health mailbox 'anna'"):
        await case.manager.logged_sessions("anna", since=NOON)


async def test_what_cannot_be_answered_now_is_a_temporary_failure(case):
    case.behind.silent_because = "the host is away"

    for question in (
        case.manager.protocol_log("mbx1"),
        case.manager.protocol_log_on("mbx1", lasting=TEN_MINUTES, actor="root"),
        case.manager.protocol_log_off("mbx1", actor="root"),
        case.manager.logged_sessions("health-db2", since=NOON),
    ):
        with pytest.raises(TemporaryFailure, match="the host is away"):
            await question
