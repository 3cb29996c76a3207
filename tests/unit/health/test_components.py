"""Component states: who holds what, and what comes of several who do."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from mailward.health.components import ShownStates, component_standing, component_standings, holder_words
from mailward.model.health import ComponentState
from mailward.model.holds import APART, Component, HeldState, HoldKind, Requester, components_of
from mailward.model.monitoring import AlertValue
from mailward.model.organization import ImapEndpoint, Role, Server

ACTIVE, INACTIVE, DRAINING = HeldState.ACTIVE, HeldState.INACTIVE, HeldState.DRAINING
HOUR = timedelta(hours=1)


def entries(a_hold, states, subject="p1/ImapProxy"):
    """One entry of each requester; None where it has none."""
    return [
        a_hold(subject, state.value, requester=requester, number=number)
        for number, (requester, state) in enumerate(zip(Requester, states, strict=False), start=1)
        if state is not None
    ]


def by_the_rule(states):
    """Any Inactive wins, Draining next."""
    return INACTIVE if INACTIVE in states else DRAINING if DRAINING in states else ACTIVE


@pytest.mark.parametrize("states", list(product((None, *HeldState), repeat=3)), ids=str)
def test_any_inactive_wins_then_any_draining_whoever_asked(states, a_hold, noon):
    holds = entries(a_hold, states)

    found = component_standing("p1", Component.IMAP_PROXY, holds=holds, now=noon)

    assert by_the_rule(states) == found.state
    assert {hold.id for hold in holds if hold.value != "Active"} == {hold.id for hold in found.holders}


@pytest.mark.parametrize(("own", "wide"), list(product((None, *HeldState), repeat=2)))
@pytest.mark.parametrize("component", [one for one in Component if one is not Component.SERVER_WIDE_OFFLINE])
def test_server_wide_offline_reaches_every_component_but_the_two_that_stand_apart(component, own, wide, a_hold, noon):
    holds = [
        *entries(a_hold, (own,), f"p1/{component.value}"),
        *entries(a_hold, (None, wide), "p1/ServerWideOffline"),
    ]

    found = component_standing("p1", component, holds=holds, now=noon)

    assert by_the_rule((own,) if component in APART else (own, wide)) == found.state


@pytest.mark.parametrize("component", Component)
def test_maintenance_takes_a_server_out_but_for_monitoring_and_actions(component, a_hold, noon):
    holds = [a_hold("p1", "on", kind=HoldKind.MAINTENANCE)]

    found = component_standing("p1", component, holds=holds, now=noon)

    assert (ACTIVE if component in APART else INACTIVE) == found.state


@pytest.mark.parametrize(
    "kind", [HoldKind.PAUSE, HoldKind.UPGRADE, HoldKind.REPAIRING, HoldKind.OVERRIDE, HoldKind.ACTIVATION]
)
def test_other_holds_say_nothing_of_components(kind, a_hold, noon):
    holds = [a_hold("p1", "Inactive", kind=kind), a_hold("p1/ImapProxy", "Inactive", kind=kind)]

    assert ACTIVE is component_standing("p1", Component.IMAP_PROXY, holds=holds, now=noon).state


def test_an_entry_of_another_server_or_component_says_nothing(a_hold, noon):
    holds = [a_hold("p2/ImapProxy"), a_hold("p1/Imap"), a_hold("p11/ImapProxy"), a_hold("p1/Monitoring")]

    assert ACTIVE is component_standing("p1", Component.IMAP_PROXY, holds=holds, now=noon).state


@pytest.mark.parametrize(
    ("offset", "expected"), [(-1, ACTIVE), (0, INACTIVE), (59, INACTIVE), (60, ACTIVE), (61, ACTIVE)]
)
def test_an_entry_holds_from_the_instant_it_begins_until_the_instant_it_ends(offset, expected, a_hold, noon):
    holds = [a_hold("p1/ImapProxy", since=noon, until=noon + timedelta(seconds=60))]
    now = noon + timedelta(seconds=offset)

    assert expected == component_standing("p1", Component.IMAP_PROXY, holds=holds, now=now).state


def test_who_holds_a_component_is_told_with_reason_age_and_end_the_worst_first(a_hold, noon):
    draining = a_hold("p1/ImapProxy", "Draining", requester=Requester.DEPLOYMENT, since=noon - 3 * HOUR)
    inactive = a_hold("p1/ImapProxy", "Inactive", requester=Requester.SIDELINED, until=noon + HOUR)

    found = component_standing("p1", Component.IMAP_PROXY, holds=[draining, inactive], now=noon)

    assert (inactive, draining) == found.holders
    assert (
        "ImapProxy Inactive for Sidelined by eva for 1 h, until 2026-11-24 13:00 UTC: new disks; "
        "ImapProxy Draining for Deployment by eva for 3 h, until it is taken back: new disks"
    ) == found.because


def test_maintenance_is_told_as_such(a_hold, noon):
    hold = a_hold("p1", "on", kind=HoldKind.MAINTENANCE)

    assert "maintenance by eva for 1 h, until it is taken back: new disks" == holder_words(hold, now=noon)


@pytest.mark.parametrize(
    ("roles", "own"),
    [
        ({Role.PROXY}, [Component.IMAP_PROXY]),
        ({Role.MAILBOX}, [Component.IMAP]),
        ({Role.PROXY, Role.MAILBOX}, [Component.IMAP_PROXY, Component.IMAP]),
    ],
)
def test_a_server_has_the_components_of_its_roles_and_those_every_server_has(roles, own, noon):
    server = Server(name="s", roles=frozenset(roles), imap=ImapEndpoint(host="s"))
    everywhere = [Component.SERVER_WIDE_OFFLINE, Component.RECOVERY_ACTIONS_ENABLED, Component.MONITORING]

    assert (*own, *everywhere) == components_of(server)
    assert (*own, *everywhere) == tuple(one.component for one in component_standings(server, holds=[], now=noon))


@pytest.mark.parametrize(
    ("subject", "value", "expected"),
    [
        ("mbx1/Imap", "Inactive", ("Offline", "NotApplicable", "NotApplicable")),
        ("mbx1/Imap", "Draining", ("Draining", "NotApplicable", "NotApplicable")),
        ("mbx1/Imap", "Active", ("NotApplicable", "NotApplicable", "NotApplicable")),
        ("mbx1/ServerWideOffline", "Inactive", ("Offline", "Offline", "NotApplicable")),
        ("mbx1/RecoveryActionsEnabled", "Inactive", ("NotApplicable", "NotApplicable", "NotApplicable")),
        ("mbx1/Monitoring", "Inactive", ("NotApplicable", "NotApplicable", "NotApplicable")),
    ],
)
def test_rows_without_a_component_read_offline_while_what_they_watch_is(subject, value, expected, a_status, a_hold):
    shown = ShownStates([a_hold(subject, value)])
    disk = a_status(AlertValue.HEALTHY, "DiskSpaceForecastMonitor", "mbx1", "/srv")
    disk = replace(disk, key=replace(disk.key, health_set="DiskSpace"))
    rows = [
        a_status(AlertValue.HEALTHY, "ImapDeepTestMonitor", "mbx1"),
        disk,
        a_status(AlertValue.HEALTHY, "ImapDeepTestMonitor", "mbx2"),
    ]

    assert expected == tuple(shown.of(row).value for row in rows)


def test_a_touch_point_of_a_proxy_that_is_away_reads_offline(a_status, a_hold):
    row = a_status(AlertValue.UNHEALTHY, "ImapCTPMonitor", "proxy1", "DB1")

    assert ComponentState.OFFLINE is ShownStates([a_hold("proxy1/ImapProxy")]).of(row)
    assert ComponentState.OFFLINE is ShownStates([a_hold("proxy1", "on", kind=HoldKind.MAINTENANCE)]).of(row)
    assert ComponentState.NOT_APPLICABLE is ShownStates([]).of(row)
