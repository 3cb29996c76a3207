"""Copies of one, eight and a thousand databases, laid out to be read."""

from dataclasses import replace

from mailward.model.copies import CopyState
from mailward.testing.copy_values import COPIES
from mailward.web.pages.choosing import ROWS_A_PAGE, Wanted
from mailward.web.pages.copy_matrix import COLUMNS_MOST, copy_matrix

ACTIVE, PASSIVE = COPIES[0], COPIES[1]


def many(databases: int, *, servers: int, wrong: int = 0):
    return [
        replace(
            row,
            database=f"DB{number:04}",
            server=f"mbx{(number + shift) % servers}",
            state=CopyState.FAILED if shift and number < wrong else row.state,
        )
        for number in range(databases)
        for shift, row in enumerate((ACTIVE, PASSIVE))
    ]


def test_a_few_servers_are_a_column_each():
    shown = copy_matrix(COPIES, Wanted())

    assert ("archive1", "mbx1", "mbx2") == shown.columns
    assert ["DB2", "DB1"] == [row.database for row in shown.rows]
    assert [CopyState.FAILED, CopyState.HEALTHY, CopyState.MOUNTED] == [cell.state for cell in shown.rows[0].cells]
    assert None is shown.rows[1].cells[0]
    assert "mbx2" == shown.rows[0].active.server


def test_copies_on_many_servers_stand_in_the_order_of_their_preference():
    shown = copy_matrix(many(8, servers=COLUMNS_MOST + 1), Wanted())

    assert (False, ("copy 1", "copy 2")) == (shown.by_server, shown.columns)
    assert all((1, 2) == tuple(cell.preference for cell in row.cells) for row in shown.rows)


def test_of_a_thousand_databases_only_what_is_wrong_is_shown():
    shown = copy_matrix(many(1000, servers=40, wrong=3), Wanted())

    assert (1000, 3, True) == (shown.databases, shown.matching, shown.only_wrong)
    assert ["DB0000", "DB0001", "DB0002"] == [row.database for row in shown.rows]


def test_all_of_a_thousand_databases_come_in_pages():
    shown = copy_matrix(many(1000, servers=40), Wanted(only_wrong=False, page=99))

    assert (10, 10, ROWS_A_PAGE) == (shown.page, shown.pages, len(shown.rows))


def test_a_database_is_found_by_its_name_and_by_a_server_that_holds_a_copy():
    assert ["DB1"] == [row.database for row in copy_matrix(COPIES, Wanted(text="db1")).rows]
    assert ["DB2"] == [row.database for row in copy_matrix(COPIES, Wanted(text="archive")).rows]


def test_a_copy_that_may_not_become_active_is_something_to_look_at():
    blocked = [ACTIVE, replace(PASSIVE, activation_blocked="root: new disks")]

    assert [False] == [row.is_well for row in copy_matrix(blocked, Wanted()).rows]


def test_one_copy_each_is_no_choice():
    shown = copy_matrix([ACTIVE], Wanted())

    assert (False, False) == (shown.has_copies, shown.rows[0].may_move)
