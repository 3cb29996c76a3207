"""Which copy becomes active, and why not the others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.failover.choosing import Candidate, choose
from mailward.failover.settings import MoveSettings
from mailward.model.copies import CopyKind, CopyState, DatabaseCopy
from mailward.model.monitoring import AlertValue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
H, D, U = AlertValue.HEALTHY, AlertValue.DEGRADED, AlertValue.UNHEALTHY


def a_candidate(server: str, state: CopyState = CopyState.HEALTHY, health: AlertValue | None = H, **more) -> Candidate:
    copy = DatabaseCopy(
        database="DB1",
        server=server,
        state=state,
        because="as it was seen",
        kind=CopyKind.REPLICATOR,
        preference=more.pop("preference", 2),
        seen_at=NOW,
        lag=more.pop("lag", timedelta(0)),
        activation_blocked=more.pop("blocked", None),
    )
    return Candidate(copy=copy, health=health, **more)


def chosen(
    *candidates: Candidate, source: AlertValue = U, works: bool = False, wanted=None, mailboxes=10, capacity=None
):
    return choose(
        candidates,
        source_health=source,
        source_works=works,
        mailboxes=mailboxes,
        settings=MoveSettings(capacity=capacity),
        wanted=wanted,
    )


@pytest.mark.parametrize("state", CopyState)
def test_only_copies_that_followed_may_become_active(state):
    may = {CopyState.HEALTHY, CopyState.DISCONNECTED_AND_HEALTHY, CopyState.DISCONNECTED_AND_RESYNCHRONIZING}

    choice = chosen(a_candidate("be2", state))

    assert ("be2" if state in may else None) == choice.target
    assert state.value in choice.choices[0].because


def test_a_copy_that_lags_is_chosen_while_the_source_can_still_be_synchronised_from():
    lagging = a_candidate("be2", CopyState.RESYNCHRONIZING, lag=timedelta(minutes=9))

    assert chosen(lagging, works=True).target == "be2"
    assert chosen(lagging, works=False).target is None


@pytest.mark.parametrize(
    ("health", "source", "target"),
    [
        (H, H, "be2"),
        (H, U, "be2"),
        (D, U, "be2"),
        (D, D, None),
        (U, U, None),
        (U, D, None),
        (AlertValue.REPAIRING, U, "be2"),
        (AlertValue.DISABLED, U, None),
        (AlertValue.UNINITIALIZED, U, None),
        (None, U, None),
    ],
)
def test_the_target_is_healthy_or_better_than_the_source(health, source, target):
    assert target == chosen(a_candidate("be2", health=health), source=source).target


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"blocked": "anna: disks"}, "its activation is blocked: anna: disks"),
        ({"held_by": "anna: new kernel"}, "its server is out of service: anna: new kernel"),
    ],
)
def test_what_a_person_holds_is_no_choice(change, said):
    choice = chosen(a_candidate("be2", **change))

    assert choice.target is None
    assert said in choice.because


def test_a_server_that_is_full_is_no_choice():
    full, has_room = a_candidate("be2", active_mailboxes=95), a_candidate("be3", active_mailboxes=90, preference=3)

    choice = chosen(full, has_room, mailboxes=10, capacity=100)

    assert choice.target == "be3"
    assert "95 mailboxes are active" in next(one.because for one in choice.choices if one.server == "be2")


@pytest.mark.parametrize(
    "better",
    [
        {"health": H},
        {"state": CopyState.HEALTHY},
        {"lag": timedelta(seconds=1)},
        {"active_mailboxes": 1},
        {"preference": 1},
        {},
    ],
    ids=["health", "status", "lag", "load", "preference", "name"],
)
def test_the_order_of_what_counts(better):
    """Each of these decides between two that are alike in everything before it, whatever comes after."""
    order = ["health", "state", "lag", "active_mailboxes", "preference"]
    worse = {
        "health": D,
        "state": CopyState.DISCONNECTED_AND_HEALTHY,
        "lag": timedelta(seconds=9),
        "active_mailboxes": 50,
        "preference": 3,
    }
    key = next(iter(better), None)
    before = order[: order.index(key)] if key else order
    alike = {name: worse[name] for name in before}
    after = {name: worse[name] for name in order if key and name not in before and name != key}
    first = a_candidate("be3" if key else "be2", **{**alike, **after, **better})
    good = {"health": H, "state": CopyState.HEALTHY, "lag": timedelta(0), "active_mailboxes": 0, "preference": 1}
    second = a_candidate(
        "be2" if key else "be3",
        **{**alike, **{name: good[name] for name in after}, **({key: worse[key]} if key else {})},
    )

    assert first.copy.server == chosen(second, first).target


def test_a_person_names_the_copy_and_is_told_why_not():
    good, blocked = a_candidate("be2"), a_candidate("be3", blocked="anna: disks")

    assert chosen(good, a_candidate("be3"), wanted="be3").target == "be3"
    refused = chosen(good, blocked, wanted="be3")
    assert refused.target is None
    assert refused.because == "be3: its activation is blocked: anna: disks"
    assert "holds no copy" in chosen(good, wanted="be9").because


def test_without_a_second_copy_it_says_so():
    assert chosen().because == "there is no second copy"


states = st.sampled_from(list(CopyState))
healths = st.sampled_from([*AlertValue, None])


@given(st.lists(st.tuples(states, healths, st.booleans()), max_size=6), healths, st.booleans())
def test_every_copy_comes_with_a_reason_and_none_that_is_hindered_is_chosen(drawn, source, works):
    candidates = [
        a_candidate(f"be{number}", state, health, blocked="by somebody" if blocked else None)
        for number, (state, health, blocked) in enumerate(drawn, 2)
    ]

    choice = chosen(*candidates, source=source, works=works)

    assert {candidate.copy.server for candidate in candidates} == {one.server for one in choice.choices}
    assert all(one.because for one in choice.choices)
    assert choice.because
    if choice.target is not None:
        target = next(one for one in candidates if one.copy.server == choice.target)
        assert target.copy.activation_blocked is None
        assert target.health is not None
        assert choice.choices[0].server == choice.target
    assert choice.target in {None, *(one.server for one in choice.choices if one.is_eligible)}


def test_the_order_in_which_copies_are_given_changes_nothing():
    copies = [a_candidate("be2"), a_candidate("be3", preference=1), a_candidate("be4", health=D)]

    assert {chosen(*order).target for order in (copies, copies[::-1], copies[1:] + copies[:1])} == {"be3"}
    assert replace(copies[0].copy, lag=None)
