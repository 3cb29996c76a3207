"""What a request asks for, read strictly."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.event import EventKind
from mailward.model.monitoring import AlertValue
from mailward.web.parameters import Parameters
from mailward.web.problems import Code, Problem

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_what_is_there_is_read():
    asked = Parameters({"server": ["mbx1"], "limit": ["7"], "failed": ["TRUE"], "state": ["healthy"]})

    assert "mbx1" == asked.text("server")
    assert 7 == asked.integer("limit", 50, low=1, high=10)
    assert asked.boolean("failed") is True
    assert AlertValue.HEALTHY is asked.member("state", AlertValue)
    asked.finish()


def test_moments_objects_and_needed_members_are_read():
    asked = Parameters({"since": ["2026-11-24T13:00:00+01:00"], "data": [{"a": 1}], "kind": ["Store-Lost"]})

    assert NOON == asked.moment("since")
    assert NOON == asked.required_moment("since")
    assert {"a": 1} == asked.mapping("data")
    assert EventKind.STORE_LOST is asked.required_member("kind", EventKind)
    assert NOON == asked.required_moment("until", NOON)
    assert asked.moment("until") is None
    assert {} == asked.mapping("more")
    asked.finish()


def test_what_is_absent_takes_its_default():
    asked = Parameters({})

    assert asked.text("server") is None
    assert 50 == asked.integer("limit", 50, low=1, high=100)
    assert asked.boolean("failed") is None
    assert asked.member("state", AlertValue) is None
    assert () == asked.members("kind", EventKind)
    asked.finish()


def test_an_empty_name_is_a_mistake_and_an_absent_one_is_none():
    asked = Parameters({"server": [""], "to": [None], "database": ["DB1"]})

    assert [None, None, None, "DB1"] == [asked.named_text(name) for name in ("server", "to", "subject", "database")]
    with pytest.raises(Problem, match="^server: is empty; leave it out, or give a name$"):
        asked.finish()


def test_members_may_be_repeated_or_listed():
    asked = Parameters({"kind": ["store-lost,store-back", "monitor-changed"]})

    assert (EventKind.STORE_LOST, EventKind.STORE_BACK, EventKind.MONITOR_CHANGED) == asked.members("kind", EventKind)


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        ({"limit": ["11"]}, lambda asked: asked.integer("limit", 5, low=1, high=10)),
        ({"limit": ["seven"]}, lambda asked: asked.integer("limit", 5, low=1, high=10)),
        ({"limit": ["1", "2"]}, lambda asked: asked.integer("limit", 5, low=1, high=10)),
        ({"limit": [""]}, lambda asked: asked.integer("limit", 5, low=1, high=10)),
        ({"failed": ["maybe"]}, lambda asked: asked.boolean("failed")),
        ({"state": ["Well"]}, lambda asked: asked.member("state", AlertValue)),
        ({"kind": ["lost"]}, lambda asked: asked.members("kind", EventKind)),
        ({"server": ["a\x1b[2Jb"]}, lambda asked: asked.text("server")),
        ({"server": [7]}, lambda asked: asked.text("server")),
        ({}, lambda asked: asked.required_text("server")),
        ({}, lambda asked: asked.required_moment("since")),
        ({"since": ["now"]}, lambda asked: asked.required_moment("since")),
        ({"since": ["2026-11-24T13:00:00"]}, lambda asked: asked.moment("since")),
        ({"since": ["0001-01-01T00:00:00+14:00"]}, lambda asked: asked.moment("since")),
        ({}, lambda asked: asked.required_member("kind", EventKind)),
        ({"kind": ["lost"]}, lambda asked: asked.required_member("kind", EventKind)),
        ({"data": ["{}"]}, lambda asked: asked.mapping("data")),
        ({"sever": ["a"]}, lambda asked: asked.text("server")),
    ],
)
def test_each_mistake_is_refused(given_, read):
    asked = Parameters(given_)
    read(asked)

    with pytest.raises(Problem) as caught:
        asked.finish()

    assert Code.BAD_REQUEST is caught.value.code
    assert 1 == len(caught.value.errors)


@given(st.dictionaries(st.text(max_size=5), st.lists(st.one_of(st.text(), st.integers(), st.none()), max_size=3)))
def test_nothing_that_can_be_sent_breaks_it(given_):
    asked = Parameters(given_)
    asked.text("a")
    asked.integer("b", 1, low=0, high=9)
    asked.boolean("c")
    asked.member("d", AlertValue)
    asked.members("e", EventKind)
    asked.required_member("f", EventKind)
    asked.required_moment("g")
    asked.mapping("h")
    try:
        asked.finish()
    except Problem as problem:
        assert problem.errors  # noqa: PT017 - it may pass as well


@pytest.mark.parametrize("value", ["x" * 60_000, ["x" * 60_000], {"x" * 60_000: 1}])
def test_a_mistake_is_repeated_only_in_its_beginning(value):
    asked = Parameters({**{name: [value] for name in "abcdef"}, "z" * 60_000: [1]})
    asked.text("a")
    asked.integer("b", 1, low=0, high=9)
    asked.boolean("c")
    asked.member("d", AlertValue)
    asked.members("e", EventKind)
    asked.moment("f")

    with pytest.raises(Problem) as caught:
        asked.finish()

    assert 7 == len(caught.value.errors)
    assert len(caught.value.detail) < 4000


def test_of_a_thousand_mistakes_the_first_twenty_are_listed():
    asked = Parameters({f"x{number}": ["1"] for number in range(1000)})
    asked.text("server")

    with pytest.raises(Problem) as caught:
        asked.finish()

    assert 20 == len(caught.value.errors)
