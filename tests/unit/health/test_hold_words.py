"""How holds are said."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.health.hold_words import began, end_words, ended, what_is_held
from mailward.model.event import EventKind
from mailward.model.holds import HoldKind, Requester

ITEM = {"item_type": "probe", "property": "interval"}


@pytest.mark.parametrize(
    ("kind", "subject", "value", "said"),
    [
        (HoldKind.COMPONENT_STATE, "p1/ImapProxy", "Draining", "ImapProxy of p1 is Draining for Maintenance"),
        (HoldKind.MAINTENANCE, "be1", "on", "be1 is in maintenance"),
        (HoldKind.REPAIRING, "be1/IMAP.Protocol/X/DB1", "on", "be1/IMAP.Protocol/X/DB1 is under repair"),
        (HoldKind.PAUSE, "organization", "on", "actions are paused everywhere"),
        (HoldKind.PAUSE, "be1", "on", "actions are paused on be1"),
        (HoldKind.OVERRIDE, "be1/IMAP/P", "5s", "interval of the probe be1/IMAP/P is 5s"),
        (HoldKind.UPGRADE, "be1", "on", "a package upgrade is at work on be1"),
        (HoldKind.ACTIVATION, "be1", "blocked", "activation of copies on be1 is blocked"),
        (HoldKind.ACTIVATION, "be1/DB1", "blocked", "activation of the copy of DB1 on be1 is blocked"),
    ],
)
def test_every_kind_is_said_in_a_sentence(kind, subject, value, said, a_hold):
    hold = a_hold(subject, value, kind=kind)

    assert said == what_is_held(replace(hold, data=ITEM) if kind is HoldKind.OVERRIDE else hold)


def test_an_event_says_who_why_and_until_when(a_hold, noon):
    hold = a_hold("be1", "on", kind=HoldKind.MAINTENANCE, until=noon)

    event = began(hold, is_scheduled=False)

    assert (EventKind.HOLD_BEGAN, "be1", "on", "eva") == (event.kind, event.subject, event.after, event.actor)
    assert "be1 is in maintenance until 2026-11-24 12:00 UTC, by eva: new disks" == event.because
    assert ("maintenance", "new disks") == (event.data["kind"], event.data["reason"])


def test_what_only_begins_later_is_said_to_be_scheduled(a_hold, noon):
    event = began(a_hold("be1", "on", kind=HoldKind.MAINTENANCE, since=noon), is_scheduled=True)

    assert "scheduled" == event.after
    assert "from 2026-11-24 12:00 UTC until it is taken back" in event.because


def test_the_end_says_by_whom_and_why(a_hold, noon):
    hold = replace(a_hold(requester=Requester.SIDELINED), ended_at=noon + timedelta(minutes=1))

    event = ended(hold, by="mailward", why="it ran until its end")

    assert (EventKind.HOLD_ENDED, "Inactive", None, "mailward") == (event.kind, event.before, event.after, event.actor)
    assert noon + timedelta(minutes=1) == event.at
    assert "no longer: ImapProxy of proxy1 is Inactive for Sidelined; it ran until its end" == event.because


def test_the_end_of_a_hold_is_a_moment_or_somebody(a_hold, noon):
    assert "until it is taken back" == end_words(a_hold())
    assert "until 2026-11-24 12:00 UTC" == end_words(a_hold(until=noon))
    assert "until 2026-11-24 12:00:07 UTC" == end_words(a_hold(until=noon + timedelta(seconds=7)))
