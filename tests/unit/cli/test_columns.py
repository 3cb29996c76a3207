"""Tables and lists at any width."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.cli.columns import Column, list_lines, table_lines, width_of
from mailward.cli.terminal import Colour, Terminal


@dataclass
class Row:
    server: str
    why: str
    state: str = "Online"
    component: str = ""


COLUMNS = (
    Column(title="Server", text=lambda row: row.server),
    Column(title="State", text=lambda row: row.state, shed=2, colour=lambda _: Colour.GOOD),
    Column(title="Why", text=lambda row: row.why, folds=True, shed=1),
    Column(title="Component", text=lambda row: row.component, shed=3, right=True),
    Column(title="Secret", text=lambda _: "only in lists", list_only=True),
)
LONG = "a reason that is long enough to need several lines where the terminal is narrow"


def reader(width, colours=False):
    return Terminal(width=width, colours=colours)


def test_without_a_terminal_everything_stands_on_one_line():
    lines = list(table_lines([Row("mbx1", LONG)], COLUMNS, reader(None)))

    assert 3 == len(lines)
    assert lines[0].split() == ["Server", "State", "Why", "Component"]
    assert lines[1].startswith("------  ------  ---")
    assert LONG in lines[2]


def test_sentences_are_folded_before_anything_is_left_out():
    lines = list(table_lines([Row("mbx1", LONG)], COLUMNS, reader(60)))

    assert "Component" in lines[0]
    assert LONG.split() == [word for line in lines[2:] for word in line.split() if word not in ("mbx1", "Online")]


def test_the_least_needed_column_leaves_first_and_the_reader_is_told():
    text = "\n".join(table_lines([Row("mbx1", LONG)], COLUMNS, reader(44)))

    assert "Component" not in text.splitlines()[0]
    assert "State" in text.splitlines()[0]
    assert "(Component left out:" in text


def test_the_note_can_be_spared():
    assert "left out" not in "\n".join(table_lines([Row("mbx1", LONG)], COLUMNS, reader(44), note=False))


def test_where_not_even_the_needed_columns_fit_each_row_becomes_a_list():
    lines = list(table_lines([Row("a-server-with-a-very-long-name", "because")], COLUMNS, reader(24)))

    assert lines[0].startswith("Server")
    assert " : " in lines[0]


def test_a_name_that_may_be_shortened_loses_its_middle_but_never_in_a_list():
    columns = (Column(title="Target", text=lambda row: row.server, shortens=True),)
    name = "/srv/mail/stores/of/the/largest/database/number-one"
    lines = list(table_lines([Row(name, "")], columns, reader(30)))

    assert "/srv/mail…base/number-one" != lines[2]
    assert (30, "…") == (len(lines[2]), lines[2][9])
    assert lines[2].endswith("number-one")
    assert name in "".join("".join(list_lines([Row(name, "")], columns, reader(60))).split(" : ")[1:])


def test_no_rows_are_no_lines():
    assert [] == list(table_lines([], COLUMNS, reader(80)))


def test_colours_do_not_move_the_columns():
    rows = [Row("a", "x"), Row("bbbbbbbb", "y", state="Off")]
    plain = list(table_lines(rows, COLUMNS, reader(100)))
    painted = list(table_lines(rows, COLUMNS, reader(100, colours=True)))

    import re

    assert plain == [re.sub(r"\x1b\[\d*m", "", line) for line in painted]
    assert plain != painted


def test_lists_align_leave_out_what_is_empty_and_show_what_tables_do_not():
    lines = list(list_lines([Row("a", "first\nsecond"), Row("b", "")], COLUMNS, reader(None)))

    assert [
        "Server    : a",
        "State     : Online",
        "Why       : first",
        "            second",
        "Secret    : only in lists",
    ] == lines[:5]
    assert ["", "Server    : b", "State     : Online", "Secret    : only in lists"] == lines[5:]


def test_what_a_server_says_cannot_steer_the_terminal():
    lines = "\n".join(table_lines([Row("evil\x1b[2J\x07", "\x9b31m")], COLUMNS, reader(None)))

    assert r"evil\x1b[2J\x07" in lines
    assert "\x1b" not in lines
    assert "\x9b" not in lines


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("Müller", 6), ("メール", 6), ("e\u0301", 1)])
def test_width_is_counted_in_cells(text, width):
    assert width == width_of(text)


@given(
    st.lists(
        st.builds(Row, server=st.text("abc-", min_size=1, max_size=30), why=st.text("ab ", max_size=90)), min_size=1
    ),
    st.integers(20, 200),
)
def test_no_line_of_a_table_is_wider_than_the_terminal(rows, width):
    lines = list(table_lines(rows, COLUMNS, reader(width)))

    if " : " not in lines[0]:  # a table, no list
        assert all(width_of(line) <= width for line in lines)
