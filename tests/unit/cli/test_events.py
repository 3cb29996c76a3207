"""One event on one line, or on as many as a narrow terminal needs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.cli.columns import width_of
from mailward.cli.events import brief_line_of, change_text, line_of
from mailward.cli.terminal import Terminal
from mailward.testing.manager_values import EVENTS

STARTED, DEGRADED = EVENTS


def lines(event, width):
    return list(line_of(event, Terminal(width=width, colours=False)))


def test_with_room_it_is_one_line():
    assert 1 == len(lines(DEGRADED, None))
    assert lines(DEGRADED, 140)[0].endswith(
        "mbx2/IMAP.Protocol/ImapDeepTestMonitor/DB2  Healthy → Degraded  3 consecutive failures"
    )


def test_where_day_and_change_do_not_fit_the_day_goes_and_the_reason_moves_below():
    first, second = lines(DEGRADED, 76)

    assert first.endswith("DB2  Healthy → Degraded")
    assert first[2] == ":"
    assert "  3 consecutive failures" == second


@given(st.integers(30, 200), st.text("ab cd/", max_size=120))
def test_no_word_is_lost_at_any_width(width, because):
    event = replace(DEGRADED, because=because)

    assert because.split() == " ".join(lines(event, width)).split("Degraded")[1].split()


@given(st.integers(30, 200), st.text(max_size=120))
def test_a_brief_line_never_wraps(width, because):
    line = brief_line_of(replace(DEGRADED, because=because), Terminal(width=width, colours=False))

    assert "\n" not in line
    assert width_of(line) <= width


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [("Healthy", "Degraded", "Healthy → Degraded"), (None, "Healthy", "Healthy"), (None, None, "")],
)
def test_a_change_is_shown_as_far_as_it_is_known(before, after, text):
    assert text == change_text(replace(STARTED, before=before, after=after))
