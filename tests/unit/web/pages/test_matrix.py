"""Servers × health sets: which rows, in which order, and how many are left out."""

from datetime import UTC, datetime

import pytest

from mailward.model.health import ComponentState, HealthSetReport
from mailward.model.items import HealthGroup
from mailward.model.monitoring import AlertValue
from mailward.ports.manager import ServerEntry, ServerKind
from mailward.web.pages.choosing import ALL_SHOWN_UP_TO, ROWS_A_PAGE, Wanted
from mailward.web.pages.matrix import is_wrong, matrix

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def report(server, health_set="IMAP", state=AlertValue.HEALTHY):
    return HealthSetReport(
        server=server,
        state=ComponentState.NOT_APPLICABLE,
        health_set=health_set,
        group=HealthGroup.SERVICE_COMPONENTS,
        alert_value=state,
        last_transition=NOON,
        monitor_count=1,
        because=f"{health_set} of {server}",
    )


def entry(name, kind=ServerKind.MAILBOX):
    return ServerEntry(name=name, kind=kind, address=f"{name}:993")


def names(shown):
    return [(section.title, [row.server for row in section.rows]) for section in shown.sections]


def test_servers_stand_from_the_outside_in_and_mailward_itself_last():
    servers = [entry("imap", ServerKind.ACCESS_POINT), entry("be1"), entry("proxy1", ServerKind.PROXY)]

    shown = matrix([report(name) for name in ("mailward", "be1", "proxy1", "imap")], servers, Wanted())

    assert [
        ("access point", ["imap"]),
        ("proxy", ["proxy1"]),
        ("mailbox server", ["be1"]),
        ("mailward itself", ["mailward"]),
    ] == names(shown)


def test_a_server_is_as_bad_as_its_worst_health_set_and_the_worst_comes_first():
    reports = [
        report("a"),
        report("b", "IMAP"),
        report("b", "IMAP.Protocol", AlertValue.UNHEALTHY),
        report("c", state=AlertValue.DEGRADED),
    ]

    shown = matrix(reports, [entry(name) for name in "abc"], Wanted())

    assert [("mailbox server", ["b", "c", "a"])] == names(shown)
    assert AlertValue.UNHEALTHY is shown.sections[0].rows[0].worst
    assert ("IMAP", "IMAP.Protocol") == shown.health_sets
    assert {"Healthy": 1, "Unhealthy": 1, "Degraded": 1} == {
        state.value: number for state, number in shown.counts.items() if number
    }


def test_of_few_servers_all_are_shown_and_of_many_only_what_is_wrong():
    few = [report(f"s{number:03}") for number in range(ALL_SHOWN_UP_TO)]
    many = [*few, report("s999", state=AlertValue.UNHEALTHY)]

    assert (ALL_SHOWN_UP_TO, False) == (matrix(few, [], Wanted()).matching, matrix(few, [], Wanted()).only_wrong)
    assert [("mailward itself", ["s999"])] == names(matrix(many, [], Wanted()))
    assert ALL_SHOWN_UP_TO + 1 == matrix(many, [], Wanted(only_wrong=False)).matching


def test_a_part_of_a_name_finds_servers_without_regard_to_case():
    shown = matrix([report("BE1"), report("be12"), report("proxy1")], [], Wanted(text="Be1"))

    assert [("mailward itself", ["BE1", "be12"])] == names(shown)
    assert (3, 2) == (shown.servers, shown.matching)


@pytest.mark.parametrize(
    ("page", "given", "first"), [(0, 1, "s0000"), (2, 2, "s0100"), (3, 3, "s0200"), (99, 3, "s0200")]
)
def test_many_come_in_pages_and_a_page_beyond_the_last_is_the_last(page, given, first):
    reports = [report(f"s{number:04}") for number in range(2 * ROWS_A_PAGE + 1)]

    shown = matrix(reports, [], Wanted(only_wrong=False, page=page))

    assert (given, 3) == (shown.page, shown.pages)
    assert first == shown.sections[0].rows[0].server


def test_nothing_measured_is_an_empty_matrix_of_one_page():
    shown = matrix([], [entry("be1")], Wanted())

    assert ((), 0, 1) == (shown.sections, shown.matching, shown.pages)


def test_what_somebody_set_aside_is_not_wrong_and_what_gives_no_answer_is():
    assert {AlertValue.HEALTHY, AlertValue.DISABLED} == {state for state in AlertValue if not is_wrong(state)}
