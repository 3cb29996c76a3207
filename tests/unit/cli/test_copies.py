"""`mailward copies`: how each copy stands, in three forms, and counted by status."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.cli.copies import grouped
from mailward.cli.copy_table import colour_of_copy, why_lines
from mailward.cli.terminal import Colour, Terminal
from mailward.model.copies import CopyState
from mailward.model.holds import Hold, HoldKind
from mailward.model.wire import listing
from mailward.testing.copy_values import COPIES
from mailward.testing.repair_values import NOON

PLAIN = Terminal(width=None, colours=False)


def cells(ran):
    return [line.split() for line in ran.out.splitlines()]


def test_copies_have_exchange_s_columns_and_stand_by_database_and_preference(ask):
    ran = ask("copies")
    head, _, *rows = cells(ran)

    assert (0, "") == (ran.code, ran.err)
    assert ["Database", "Server", "Status", "Lag", "Waiting", "Preference", "Activation"] == head
    assert ["DB1", "mbx1", "Mounted", "none", "0", "1", "allowed"] == rows[0]
    assert ["DB1", "mbx2", "Healthy", "1.50", "s", "2", "2", "allowed"] == rows[1]
    assert ["DB2", "archive1", "Failed", "unknown", "3", "allowed"] == rows[4]


def test_below_the_table_stands_why_a_copy_is_not_as_it_should_be(ask):
    assert "✗ Failed: doveadm sync: No space left on device\n  DB2 on archive1\n" in ask("copies").out
    assert "✗" not in ask("copies", "--database", "DB1").out


def test_a_reason_that_several_share_stands_once_and_names_a_few():
    rows = [replace(COPIES[4], database=f"DB{number}") for number in range(9)]

    said = " ".join("\n".join(why_lines(rows, PLAIN)).split())

    assert 1 == said.count("No space left on device")
    assert said.endswith("DB5 on archive1 and 3 more")


def test_a_blocked_copy_is_shown_with_who_blocks_it(ask, served):
    served.fake.held = [
        Hold(kind=HoldKind.ACTIVATION, subject="mbx2/DB1", value="blocked", owner="eva", reason="old disks", since=NOON)
    ]

    ran = ask("copies", "--database", "db1")

    assert "blocked" == cells(ran)[3][-1]
    assert "… activation is blocked: eva: old disks\n  DB1 on mbx2\n" in ran.out
    assert "BlockedBy  : eva: old disks" in ask("copies", "--format", "list").out


def test_a_list_has_every_field(ask):
    out = ask("copies", "--server", "archive1", "--format", "list").out

    assert "Because    : doveadm sync: No space left on device" in out
    assert "Kind       : sync" in out


@pytest.mark.parametrize(
    ("words", "rows"),
    [((), COPIES), (("--server", "MBX2"), COPIES[1:3]), (("--server", "mbx2", "--database", "DB2"), COPIES[2:3])],
)
def test_json_is_what_the_api_gives(ask, words, rows):
    assert listing(rows) == json.loads(ask("copies", *words, "--format", "json").out)


def test_grouped_by_status_they_are_counted_and_named(ask):
    assert [
        ["Count", "Status", "Databases"],
        ["2", "Mounted", "DB1,", "DB2"],
        ["2", "Healthy", "DB1,", "DB2"],
        ["1", "Failed", "DB2"],
    ] == [line for line in cells(ask("copies", "--group-by", "status")) if "-" not in line[0]]
    groups = json.loads(ask("copies", "--group-by", "status", "--format", "json").out)["items"]
    assert {"count": 1, "status": "Failed", "databases": ["DB2"]} == groups[2]


def test_a_server_without_an_active_copy_has_no_row_that_says_so(ask, served):
    served.fake.copied = [replace(row, state=CopyState.HEALTHY) for row in COPIES if row.server == "mbx2"]

    shown = {line[1] for line in cells(ask("copies", "--server", "mbx2", "--group-by", "status"))[2:]}

    assert {"Healthy"} == shown


def test_a_database_with_two_copies_in_one_status_is_named_once():
    (group,) = grouped([replace(row, state=CopyState.HEALTHY) for row in COPIES[:2]])

    assert (2, ("DB1",)) == (group.count, group.databases)


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_filter_that_matches_nothing_says_so_and_fails(ask, form):
    ran = ask("copies", "--server", "proxy1", "--format", form)

    assert (1, "mailward: there is no copy on proxy1\n") == (ran.code, ran.err)


def test_an_unknown_database_names_the_nearest(ask):
    ran = ask("copies", "--database", "DB9")

    assert 1 == ran.code
    assert "there is no database 'DB9'; did you mean 'DB" in ran.err


def test_an_organization_without_databases_has_no_copies_which_is_no_failure(ask, served):
    served.fake.copied = []

    ran = ask("copies")

    assert (0, "", "mailward: the configuration names no mailbox database\n") == (ran.code, ran.out, ran.err)


@pytest.mark.parametrize("state", CopyState)
def test_what_is_not_known_to_be_well_is_coloured(state):
    well = state in (CopyState.MOUNTED, CopyState.HEALTHY)

    assert well is (colour_of_copy(state) is Colour.GOOD)


def test_a_lag_that_nobody_knows_is_unknown_but_for_the_active_copy(ask, served):
    served.fake.copied = [replace(row, lag=None) for row in COPIES[:2]]

    (_, _, active, passive) = cells(ask("copies"))
    assert ("0", "unknown") == (active[3], passive[3])
    served.fake.copied = [replace(COPIES[1], lag=timedelta(minutes=4, seconds=3))]
    assert "4 min 3 s" in ask("copies").out
