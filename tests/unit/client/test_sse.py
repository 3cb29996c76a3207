"""Reading a stream of events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.client.sse import events_in
from mailward.model.errors import PermanentFailure
from mailward.model.wire import to_plain
from mailward.testing.manager_values import EVENTS


def lines(text: str) -> list[bytes]:
    return text.encode().splitlines(keepends=True)


def test_a_message_is_an_event_and_a_comment_a_sign_of_life():
    text = f": hello\n\nid: 2\nevent: x\ndata: {json.dumps(to_plain(EVENTS[1]))}\n\n: still here\n\n"

    assert [None, EVENTS[1], None] == list(events_in(lines(text)))


def test_data_over_several_lines_is_joined():
    first, second = json.dumps(to_plain(EVENTS[0]), indent=0).split("\n", 1)
    text = f"data: {first}\n" + "".join(f"data: {line}\n" for line in second.split("\n")) + "\n"

    assert [EVENTS[0]] == list(events_in(lines(text)))


def test_a_message_cut_off_in_the_middle_is_no_event():
    assert [] == list(events_in(lines(f"data: {json.dumps(to_plain(EVENTS[0]))}\n")))


@pytest.mark.parametrize("data", ["not json", "[]", "{}", '{"id": 1}'])
def test_what_is_no_event_is_said_to_be_of_another_version(data):
    with pytest.raises(PermanentFailure, match="another version"):
        list(events_in(lines(f"data: {data}\n\n")))


@given(st.lists(st.binary(max_size=40)))
def test_no_bytes_break_it_in_another_way(raw):
    try:
        list(events_in(raw))
    except PermanentFailure:
        return
