"""Guessing passwords becomes slow, and nobody is locked out for good."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.testing.platform import NOON
from mailward.web.throttling import (
    FIRST_WAIT,
    FORGIVEN_EVERY,
    FREE_ATTEMPTS,
    LONGEST_WAIT,
    LONGEST_WAIT_OF_ADDRESS,
    TOLD_AT_MOST,
    TOLD_WITHIN,
    Failures,
    Throttle,
    Told,
    forgiven,
    network_of,
    one_more,
    seconds_of,
    wait_left,
)

SECOND = timedelta(seconds=1)


def failed(count: int) -> Failures:
    return Failures(count=count, last_at=NOON)


@pytest.mark.parametrize(
    ("count", "wait"),
    [(0, 0), (FREE_ATTEMPTS - 1, 0), (FREE_ATTEMPTS, 1), (FREE_ATTEMPTS + 1, 2), (FREE_ATTEMPTS + 4, 16), (99, 60)],
)
def test_after_a_few_free_attempts_the_wait_doubles_up_to_an_end(count, wait):
    assert wait * SECOND == wait_left(failed(count), longest=LONGEST_WAIT, now=NOON)


@given(count=st.integers(0, 10**9), passed=st.timedeltas(-timedelta(days=9), timedelta(days=9)))
def test_no_wait_is_longer_than_the_longest_whatever_the_clock_does(count, passed):
    left = wait_left(failed(count), longest=LONGEST_WAIT, now=NOON + passed)

    assert timedelta(0) <= left <= LONGEST_WAIT


@given(count=st.integers(1, 10**6))
def test_whoever_waits_as_told_is_looked_at(count):
    wait = wait_left(failed(count), longest=LONGEST_WAIT_OF_ADDRESS, now=NOON)

    assert timedelta(0) == wait_left(failed(count), longest=LONGEST_WAIT_OF_ADDRESS, now=NOON + wait)


def test_quiet_minutes_forgive_one_failure_after_the_other():
    assert failed(3) == forgiven(failed(3), now=NOON + FORGIVEN_EVERY - SECOND)
    assert failed(1) == forgiven(failed(3), now=NOON + 2 * FORGIVEN_EVERY)
    assert None is forgiven(failed(3), now=NOON + 3 * FORGIVEN_EVERY)
    assert 2 == one_more(failed(3), now=NOON + 2 * FORGIVEN_EVERY).count


def attempts(throttle: Throttle, user: str, address: str, *, now=NOON, of=FREE_ATTEMPTS) -> list[timedelta]:
    return [throttle.begin(user, address, now=now) for _ in range(of)]


def test_many_attempts_at_the_same_time_are_no_way_around_the_wait():
    throttle = Throttle()

    waits = attempts(throttle, "eva", "192.0.2.1", of=FREE_ATTEMPTS + 3)

    assert [timedelta(0)] * FREE_ATTEMPTS + [FIRST_WAIT] * 3 == waits


def test_a_user_is_guarded_from_many_addresses_and_an_address_may_not_try_many_users():
    throttle = Throttle()
    for number in range(FREE_ATTEMPTS):
        throttle.begin("eva", f"192.0.2.{number}", now=NOON)
        throttle.begin(f"user{number}", "198.51.100.1", now=NOON)

    assert FIRST_WAIT == throttle.begin("eva", "192.0.2.99", now=NOON)
    assert FIRST_WAIT == throttle.begin("another", "198.51.100.1", now=NOON)
    assert timedelta(0) == throttle.begin("another", "192.0.2.99", now=NOON)


def test_whoever_guesses_elsewhere_does_not_keep_out_a_user_who_logged_in_here_before():
    throttle = Throttle()
    throttle.begin("eva", "192.0.2.1", now=NOON)
    throttle.succeeded("eva", "192.0.2.1")
    attempts(throttle, "eva", "198.51.100.1", of=50)

    assert timedelta(0) == throttle.begin("eva", "192.0.2.1", now=NOON)
    assert timedelta(0) < throttle.begin("eva", "192.0.2.2", now=NOON)


def test_a_success_forgets_the_users_failures_but_of_the_address_only_its_own_attempt():
    throttle = Throttle()
    attempts(throttle, "eva", "192.0.2.1", of=FREE_ATTEMPTS)

    throttle.succeeded("eva", "192.0.2.1")

    assert timedelta(0) == throttle.begin("eva", "198.51.100.1", now=NOON)
    assert timedelta(0) == throttle.begin("udo", "192.0.2.1", now=NOON)
    assert FIRST_WAIT == throttle.begin("udo", "192.0.2.1", now=NOON)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
    ],
)
def test_a_whole_network_of_ipv6_counts_as_one_address(address, network):
    assert network == network_of(address)


def test_so_many_failures_are_recorded_and_the_rest_is_told_with_the_next():
    told = Told()

    assert [0] * TOLD_AT_MOST + [None] * 7 == [told.next(now=NOON) for _ in range(TOLD_AT_MOST + 7)]
    assert [7, 0] == [told.next(now=NOON + TOLD_WITHIN) for _ in range(2)]


def test_seconds_are_rounded_up():
    assert [0, 1, 1, 2] == [seconds_of(timedelta(milliseconds=ms)) for ms in (0, 1, 1000, 1001)]
