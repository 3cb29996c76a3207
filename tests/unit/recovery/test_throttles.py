"""How often: arithmetic over deeds, whatever clocks do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.recovery import ActionClass, Answer, Deed
from mailward.recovery.circumstances import Place
from mailward.recovery.settings import Throttles
from mailward.recovery.throttles import allowances, throttle, under_way
from mailward.testing.platform import NOON

from .conftest import MINUTE, wanted

A = ActionClass
HOUR = timedelta(hours=1)
PLACES = (
    Place(server="be1", roles=frozenset({"mailbox"}), site="a"),
    Place(server="be2", roles=frozenset({"mailbox"}), site="a"),
    Place(server="be3", roles=frozenset({"mailbox"}), site="b"),
    Place(server="proxy1", roles=frozenset({"proxy"}), site="a"),
)


def a_deed(action=A.RESTART, server="be1", ago=HOUR, *, open_=False):
    started = NOON - ago
    return Deed(
        action=action, server=server, operation=7, seq=1, started=started, ended=None if open_ else started + MINUTE
    )


def judge(action, *deeds, now=NOON):
    return throttle(wanted(action), place=PLACES[0], places=PLACES, deeds=deeds, settings=Throttles(), now=now)


@pytest.mark.parametrize(
    ("action", "deeds", "opens"),
    [
        (A.RESTART, [a_deed(ago=9 * MINUTE)], MINUTE),
        (A.RESTART, [a_deed(A.START, ago=9 * MINUTE)], MINUTE),
        (A.RESTART, [a_deed(ago=hours * HOUR) for hours in (1, 5, 9, 13)], 11 * HOUR),
        (A.START, [a_deed(A.START, ago=hours * HOUR) for hours in (1, 5, 9, 23)], HOUR),
        (A.MOVE, [a_deed(A.MOVE, ago=29 * MINUTE)], MINUTE),
        (A.SERVER_RESTART, [a_deed(A.SERVER_RESTART, ago=23 * HOUR)], HOUR),
        (A.SERVER_RESTART, [a_deed(A.SERVER_RESTART, "be2", ago=59 * MINUTE)], MINUTE),
    ],
)
def test_what_is_too_soon_waits_exactly_as_long_as_it_must(action, deeds, opens):
    answer = judge(action, *deeds)

    assert (Answer.WAITS, NOON + opens) == (answer.answer, answer.until)
    assert Answer.PASSES == judge(action, *deeds, now=NOON + opens).answer


@pytest.mark.parametrize(
    ("action", "deeds"),
    [
        (A.RESTART, []),
        (A.RESTART, [a_deed(ago=10 * MINUTE)]),
        (A.RESTART, [a_deed(server="be2", ago=MINUTE)]),
        (A.START, [a_deed(A.START, ago=MINUTE)]),
        (A.RELOAD, [a_deed(ago=MINUTE)]),
        (A.SERVER_RESTART, [a_deed(A.SERVER_RESTART, "proxy1", ago=MINUTE)]),
        (A.RESTART, [a_deed(server="be3", ago=MINUTE, open_=True)]),
        (A.RESTART, [a_deed(server="proxy1", ago=MINUTE, open_=True)]),
    ],
)
def test_what_no_limit_speaks_against_passes(action, deeds):
    assert Answer.PASSES == judge(action, *deeds).answer


@pytest.mark.parametrize("action", list(A))
def test_two_deeds_on_one_server_at_once_are_never_allowed(action):
    deed = a_deed(A.RELOAD, ago=MINUTE, open_=True)

    assert Answer.WAITS == judge(action, deed).answer
    assert Answer.WAITS == under_way(wanted(action), [deed]).answer


def test_one_service_per_role_and_site_at_a_time():
    assert Answer.WAITS == judge(A.RESTART, a_deed(server="be2", ago=HOUR, open_=True)).answer
    assert Answer.WAITS == judge(A.START, a_deed(server="be2", ago=HOUR, open_=True)).answer


def test_one_server_restart_at_a_time_in_the_organization():
    assert Answer.WAITS == judge(A.SERVER_RESTART, a_deed(A.SERVER_RESTART, "proxy1", ago=5 * HOUR, open_=True)).answer


@given(st.lists(st.integers(min_value=0, max_value=2 * 24 * 60), max_size=8), st.integers(min_value=0, max_value=600))
def test_a_clock_that_goes_backwards_never_opens_what_was_closed(ages, back):
    deeds = [a_deed(ago=age * MINUTE) for age in ages]
    for action in (A.RESTART, A.START):
        if judge(action, *deeds).answer is not Answer.PASSES:
            earlier = judge(action, *deeds, now=NOON - back * MINUTE)
            # what lay outside the day then may lie within it now, never the other way round
            assert Answer.PASSES != earlier.answer


@given(st.lists(st.integers(min_value=0, max_value=24 * 60 - 1), max_size=12))
def test_never_more_than_four_in_any_day(ages):
    deeds = [a_deed(A.START, ago=age * MINUTE) for age in ages]

    assert (len(deeds) >= 4) == (judge(A.START, *deeds).answer is not Answer.PASSES)


def test_limits_are_the_configurations_own():
    settings = replace(Throttles(), service_restart_apart=timedelta(seconds=1))
    answer = throttle(
        wanted(A.RESTART), place=PLACES[0], places=PLACES, deeds=[a_deed(ago=MINUTE)], settings=settings, now=NOON
    )

    assert Answer.PASSES == answer.answer


def left(*deeds):
    return {(one.server, one.action): one.remaining for one in allowances(deeds, settings=Throttles(), now=NOON)}


def test_what_is_left_of_a_day_is_told_for_servers_that_were_acted_on():
    assert {("be1", A.RESTART): 2, ("be2", A.SERVER_RESTART): 0} == left(
        a_deed(A.START), a_deed(A.RESTART), a_deed(A.SERVER_RESTART, "be2"), a_deed(A.RELOAD, "be3")
    )


def test_what_lies_a_day_back_counts_no_more_and_less_than_nothing_is_never_left():
    assert {} == left(a_deed(ago=24 * HOUR))
    assert {("be1", A.RESTART): 0} == left(*[a_deed()] * 9)


def test_when_nothing_is_left_the_next_one_waits():
    deeds = [a_deed(A.START, ago=HOUR)] * 4

    assert 0 == left(*deeds)["be1", A.RESTART]
    assert Answer.WAITS == judge(A.START, *deeds).answer
