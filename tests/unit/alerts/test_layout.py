import shlex
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.alerts.layout import COLUMNS, clock_time, command_lines, listed, span

NIGHT = datetime(2026, 11, 24, 2, 14, tzinfo=UTC)


@given(words=st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30), min_size=1))
def test_a_command_can_be_pasted_whatever_its_length(words):
    lines = command_lines(words)

    joined = "\n".join(lines).replace("\\\n", "")  # as a shell does (POSIX, 2.2.1), which shlex does not
    assert words == shlex.split(joined)
    assert all(len(line) <= COLUMNS or len(line.split()) <= 2 for line in lines)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (7260, "2 h 1 min"),
        (200000, "2 days"),
    ],
)
def test_a_span_is_said_as_people_do(seconds, shown):
    assert shown == span(timedelta(seconds=seconds))


def test_a_moment_of_another_day_says_which():
    assert "02:14 UTC" == clock_time(NIGHT, NIGHT + timedelta(hours=5))
    assert "24 Nov 02:14 UTC" == clock_time(NIGHT, NIGHT + timedelta(days=1))


def test_a_long_list_says_how_many_are_left_out():
    assert "a, b and 2 more" == listed(["a", "b", "c", "d"], most=2)
    assert "a, b" == listed(["a", "b"], most=2)


def test_a_statement_is_not_quoted_for_a_shell_and_not_continued():
    words = (
        "sql",
        "UPDATE",
        "databases",
        "SET",
        "active",
        "=",
        "'be2'",
        "WHERE",
        "name",
        "=",
        "'DB1'",
        "AND",
        "x",
        "=",
        "1",
    )

    lines = command_lines(words)

    assert " ".join(words) == " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= 78
