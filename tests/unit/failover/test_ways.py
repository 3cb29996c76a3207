"""Whether users and their mail have come to the copy they were sent to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailward.failover.ways import Way, arrived, way_of_mail, way_of_user
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType

WELL = ProbeResult(
    probe="ImapCTPProbe",
    health_set="IMAP",
    server="proxy1",
    target="DB1",
    at=datetime(2026, 1, 1, tzinfo=UTC),
    took=timedelta(0),
    result=ResultType.SUCCEEDED,
    mailbox_server="be2",
)
DELIVERED = replace(WELL, probe="LmtpDeliveryProbe")
LATER = replace(
    DELIVERED, result=ResultType.FAILED, failed_phase=Phase.DELIVERY, cause=Cause.BACKEND_UNAVAILABLE, detail="451"
)
NEVER = replace(LATER, cause=Cause.COMMAND_REJECTED, detail="550")
OURS = replace(LATER, result=ResultType.PROBER_OVERLOADED, cause=Cause.TIMEOUT)


@pytest.mark.parametrize(
    ("result", "leads_there"),
    [
        (WELL, True),
        (replace(WELL, mailbox_server="be1"), False),
        (replace(WELL, mailbox_server=None), None),
        (replace(WELL, result=ResultType.FAILED), False),
        (replace(WELL, result=ResultType.TIMED_OUT), False),
        (replace(WELL, result=ResultType.PROBER_OVERLOADED), None),
        (replace(WELL, result=ResultType.NOT_APPLICABLE), None),
        (None, None),
    ],
)
def test_a_user_has_come_where_a_session_was_served_and_what_nobody_saw_says_nothing(result, leads_there):
    assert leads_there is way_of_user("proxy1", result, "be2").leads_there


@pytest.mark.parametrize("took_before", [True, False, None])
@pytest.mark.parametrize(
    ("result", "leads_there"),
    [
        (DELIVERED, True),
        (replace(DELIVERED, mailbox_server="be1"), False),
        (replace(DELIVERED, detail="it was there 1.2 s after it was answered for"), None),
        (LATER, False),
        (replace(LATER, result=ResultType.TIMED_OUT, cause=Cause.TIMEOUT), False),
        (replace(LATER, failed_phase=Phase.AUTH), None),
        (replace(LATER, cause=Cause.PROBER_FAULT), None),
        (OURS, None),
        (None, None),
    ],
)
def test_mail_has_come_where_it_was_at_once_and_what_is_our_own_fault_says_nothing(result, leads_there, took_before):
    way = way_of_mail("proxy1", result, "be2", took_before)

    assert (leads_there, False) == (way.leads_there, way.is_grave)


@pytest.mark.parametrize(
    ("took_before", "leads_there", "is_grave"), [(True, False, False), (False, None, False), (None, None, True)]
)
def test_what_is_refused_for_good_means_what_it_meant_before_the_move(took_before, leads_there, is_grave):
    way = way_of_mail("proxy1", NEVER, "be2", took_before)

    assert (leads_there, is_grave) == (way.leads_there, way.is_grave)


def a_way(*, there: bool | None = True, said: str = "served by be2", door: str = "proxy1", grave: bool = False) -> Way:
    return Way(door=door, leads_there=there, said=said, is_grave=grave)


@pytest.mark.parametrize(
    ("users", "mail", "expected"),
    [
        ([a_way()], [a_way()], (True, "users are served by be2 through proxy1, and mail is delivered")),
        (
            [a_way(), a_way(door="proxy2")],
            [a_way()],
            (True, "users are served by be2 through proxy1, proxy2, and mail is delivered through proxy1"),
        ),
        (
            [a_way()],
            [],
            (True, "users are served by be2 through proxy1; delivery was not tried: no proxy has `lmtp`"),
        ),
        (
            [a_way()],
            [a_way(there=None, said="it was late")],
            (True, "users are served by be2 through proxy1; of delivery nothing is known: proxy1: it was late"),
        ),
        (
            [a_way()],
            [a_way(there=None, said="550", grave=True)],
            (None, "users are served; whether their mail is delivered to be2 is not known: proxy1: 550"),
        ),
        (
            [a_way()],
            [a_way(there=False, said="451")],
            (False, "users are served, but mail is not delivered to be2: proxy1: 451"),
        ),
        (
            [a_way(there=None, said="nobody looked")],
            [a_way()],
            (None, "whether users are served by be2 is not known: proxy1: nobody looked"),
        ),
        (
            [a_way(), a_way(there=False, said="served by be1", door="proxy2")],
            [],
            (False, "not every user is served by be2: proxy2: served by be1"),
        ),
    ],
)
def test_the_sentence_says_what_is_known_and_the_worst_first(users, mail, expected):
    assert expected == arrived(users, mail, "be2")
