"""`mailward component`: component states, with everybody who holds them."""

import json

import pytest

from mailward.cli import held
from mailward.engine.health_page_point import HealthPagePoint
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.ports.access_point_control import PUT_BACK, TAKE_OUT


class Nothing:
    """Nothing is held."""

    def present(self) -> tuple[Hold, ...]:
        return ()


@pytest.fixture
def holding(served):
    """Let the manager hold exactly these: subject, value, requester."""

    def these(*entries):
        served.fake.now = held.now()
        served.fake.held = [
            Hold(
                id=number,
                kind=HoldKind.COMPONENT_STATE if requester else HoldKind.MAINTENANCE,
                subject=subject,
                value=value,
                owner="eva",
                reason="new disks",
                since=served.fake.now,
                requester=requester,
            )
            for number, (subject, value, requester) in enumerate(entries, start=1)
        ]

    return these


def rows(ran):
    """(server, component, state, held by, for) of the table."""
    return [tuple(line.split()[:5]) for line in ran.out.splitlines()[2:]]


def test_a_component_that_two_hold_is_shown_with_both_of_them(ask, holding):
    holding(
        ("proxy1/ImapProxy", "Draining", Requester.DEPLOYMENT), ("proxy1/ImapProxy", "Inactive", Requester.FUNCTIONAL)
    )

    ran = ask("component", "get", "proxy1")

    assert [
        ("proxy1", "ImapProxy", "Inactive", "eva", "Functional"),
        ("proxy1", "ImapProxy", "Inactive", "eva", "Deployment"),
        ("proxy1", "ServerWideOffline", "Active"),
        ("proxy1", "RecoveryActionsEnabled", "Active"),
        ("proxy1", "Monitoring", "Active"),
    ] == rows(ran)
    assert "new disks" in ran.out


def test_maintenance_is_shown_as_what_holds_a_component(ask, holding):
    holding(("proxy1", "on", None))

    assert ("proxy1", "ImapProxy", "Inactive", "eva", "maintenance") == rows(ask("component", "get", "proxy1"))[0]


def test_without_a_server_every_server_is_shown_with_the_components_it_has(ask, holding):
    holding()

    shown = {(server, component) for server, component, *_ in rows(ask("component", "get"))}

    assert {("proxy1", "ImapProxy"), ("mbx2", "Imap"), ("mbx2", "Monitoring")} <= shown
    assert not {("proxy1", "Imap"), ("mbx2", "ImapProxy")} & shown


def test_json_has_the_state_and_its_holders(ask, holding):
    holding(("proxy1/ImapProxy", "Draining", Requester.DEPLOYMENT))

    first = json.loads(ask("component", "get", "proxy1", "--format", "json").out)["items"][0]

    assert ("proxy1", "ImapProxy", "Draining", ["eva"]) == (
        first["server"],
        first["component"],
        first["state"],
        [holder["owner"] for holder in first["holders"]],
    )


def test_the_list_form_has_every_field(ask, holding):
    holding(("proxy1/ImapProxy", "Draining", Requester.DEPLOYMENT))

    assert "Reason    : new disks" in ask("component", "get", "proxy1", "--format", "list").out


SET = ("component", "set", "proxy1", "ImapProxy")


def test_setting_it_says_what_holds_now_and_warns_when_nothing_ends_it(ask, served, holding):
    holding()

    ran = ask(*SET, "inactive", "--requester", "maintenance", "--reason", "new disks")

    (kept,) = served.fake.held
    assert (HoldKind.COMPONENT_STATE, "proxy1/ImapProxy", "Inactive") == (kept.kind, kept.subject, kept.value)
    assert (Requester.MAINTENANCE, None) == (kept.requester, kept.until)
    assert 0 == ran.code
    assert "ImapProxy of proxy1 is Inactive for Maintenance until it is taken back (hold 1)" in ran.out
    assert "it has no end" in ran.err


def test_with_an_end_it_warns_of_nothing(ask, served, holding):
    holding()

    ran = ask(*SET, "Draining", "--requester", "Functional", "--reason", "r", "--for", "2h")

    assert "" == ran.err
    assert 7200 == (served.fake.held[0].until - served.fake.held[0].since).total_seconds()


def test_setting_it_active_names_who_still_holds_it(ask, holding):
    holding(("proxy1/ImapProxy", "Inactive", Requester.SIDELINED))

    ran = ask(*SET, "Active", "--requester", "Maintenance", "--reason", "done")

    assert 0 == ran.code
    assert "ImapProxy of proxy1 is Inactive: ImapProxy Inactive for Sidelined by eva" in ran.out


def test_a_rehearsal_says_what_would_change_and_changes_nothing(ask, served, holding):
    holding(("proxy1/ImapProxy", "Draining", Requester.MAINTENANCE))
    before = list(served.fake.held)

    ran = ask(*SET, "Inactive", "--requester", "Maintenance", "--reason", "r", "--dry-run")

    assert (0, before) == (ran.code, served.fake.held)
    assert "would say that ImapProxy of proxy1 is Inactive for Maintenance" in ran.out
    assert "would end hold 1 by eva: new disks" in ran.out


@pytest.mark.parametrize("deed", [TAKE_OUT, PUT_BACK])
def test_the_command_a_health_page_shows_is_one_that_can_be_typed(deed, ask, holding):
    holding()
    point = HealthPagePoint(("proxy1",), Nothing(), now=held.now)

    words = point.command(deed, "proxy1")

    assert "mailward" == words[0]
    assert 0 == ask(*words[1:], "--dry-run").code


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("proxy11", "ImapProxy", "Active", "--requester", "Functional", "--reason", "r"), 1, "did you mean 'proxy1'"),
        (("proxy1", "ImapPrxy", "Active", "--requester", "Functional", "--reason", "r"), 3, "ImapPrxy"),
        (("proxy1", "ImapProxy", "Off", "--requester", "Functional", "--reason", "r"), 3, "Off"),
        (("proxy1", "ImapProxy", "Active", "--requester", "Eva", "--reason", "r"), 3, "Eva"),
        (("proxy1", "ImapProxy", "Active", "--reason", "r"), 3, "--requester"),
        (("proxy1", "ImapProxy", "Inactive", "--requester", "Functional"), 3, "--reason"),
        (("proxy1", "ImapProxy", "Inactive", "--requester", "Functional", "--reason", " "), 3, "--reason is empty"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_held(words, code, said, ask, served, holding):
    holding()

    ran = ask("component", "set", *words)

    assert (code, []) == (ran.code, served.fake.held)
    assert said in ran.err


def test_an_unknown_server_has_no_components(ask, holding):
    holding()

    assert 1 == ask("component", "get", "proxy11").code
