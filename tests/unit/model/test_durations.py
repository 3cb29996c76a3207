from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.durations import read_duration, write_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("5m", 300), ("48h", 172800), ("1h30m", 5400), ("1.5 s", 1.5)]
)
def test_durations_are_numbers_with_units(text, seconds):
    assert timedelta(seconds=seconds) == read_duration(text)


@pytest.mark.parametrize("text", ["", "5", "5 apples", "-5s", "s", "1e3s", None, [], "9" * 30 + "d", "999999d"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a duration|is longer than"):
        read_duration(text)


@pytest.mark.parametrize("number", [5, 0.5])
def test_a_number_without_a_unit_is_told_how_to_get_one(number):
    with pytest.raises(ValueError, match=f'write "{number}s" for seconds'):
        read_duration(number)


@given(st.integers(min_value=0, max_value=10**11))
def test_what_is_written_is_read_again(milliseconds):
    duration = timedelta(milliseconds=milliseconds)

    assert duration == read_duration(write_duration(duration))
