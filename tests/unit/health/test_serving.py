"""Whether load balancers should send clients to a server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from mailward.health.serving import serving
from mailward.model.errors import Refused
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.organization import AccessPoint, ImapEndpoint, Organization, Role, Server
from mailward.model.verdict import Confidence, Tier, Verdict

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
UNHEALTHY, HEALTHY = AlertValue.UNHEALTHY, AlertValue.HEALTHY
PEOPLE = [requester for requester in Requester if requester is not Requester.HEALTH_API]


def a_server(name, *roles):
    return Server(
        name=name,
        roles=frozenset(roles or {Role.PROXY}),
        imap=ImapEndpoint(host="127.0.0.1"),
        known_as=frozenset({f"{name}.example.net"}),
    )


def an_organization(*servers, **access_points):
    imap = ImapEndpoint(host="imap.example.net")
    return Organization(
        name="example",
        servers={server.name: server for server in servers},
        access_points={
            name: AccessPoint(name=name, imap=imap, servers=behind) for name, behind in access_points.items()
        },
    )


TWO_PROXIES = an_organization(a_server("p1"), a_server("p2"), access=("p1", "p2"))


def a_status(server, state=UNHEALTHY, item="ImapProxyTestMonitor", *, verdict=None):
    key = MonitorKey(server=server, health_set="IMAP.Proxy", item=item, target=server)
    return MonitorStatus(key=key, state=state, since=NOON, because="3 failures in a row", verdict=verdict)


def a_hold(kind=HoldKind.COMPONENT_STATE, subject="p1/ImapProxy", value="Inactive", requester=None, **other):
    return replace(
        Hold(
            kind=kind,
            subject=subject,
            value=value,
            owner="eva",
            reason="new disks",
            since=NOON - timedelta(hours=1),
            requester=requester or (Requester.FUNCTIONAL if kind is HoldKind.COMPONENT_STATE else None),
        ),
        **other,
    )


def maintenance(server="p1", **other):
    return a_hold(HoldKind.MAINTENANCE, server, "on", **other)


def pause(subject):
    return a_hold(HoldKind.PAUSE, subject, "on")


def ask(server="p1", *, organization=TWO_PROXIES, statuses=(), holds=(), now=NOON):
    return serving(server, organization=organization, statuses=statuses, holds=holds, now=now)


def answers(organization, statuses, holds=()):
    return {
        name: ask(name, organization=organization, statuses=statuses, holds=holds).is_serving
        for name in organization.servers
    }


# --- the table: every state of two proxies, under every hold ---

_HOLDS = {
    "none": lambda _: (),
    "maintenance": lambda server: (maintenance(server),),
    "inactive": lambda server: (a_hold(subject=f"{server}/ImapProxy"),),
    "draining": lambda server: (a_hold(subject=f"{server}/ImapProxy", value="Draining"),),
    "server-wide": lambda server: (a_hold(subject=f"{server}/ServerWideOffline"),),
    "ours": lambda server: (a_hold(subject=f"{server}/ImapProxy", requester=Requester.HEALTH_API),),
}
_BY_PEOPLE = {"maintenance", "inactive", "draining", "server-wide"}
_STATES = [None, *AlertValue]


@pytest.mark.parametrize(("hold1", "hold2"), list(product(_HOLDS, repeat=2)))
def test_in_every_state_of_two_proxies_people_win_and_mailward_never_takes_out_the_last(hold1, hold2):
    holds = (*_HOLDS[hold1]("p1"), *_HOLDS[hold2]("p2"))
    for states in product(_STATES, repeat=2):
        statuses = [a_status(name, state) for name, state in zip(("p1", "p2"), states, strict=True) if state]
        well = [hold == "none" and state is not UNHEALTHY for hold, state in zip((hold1, hold2), states, strict=True)]
        expected = {
            "p1": hold1 not in _BY_PEOPLE and (well[0] or not well[1]),
            "p2": hold2 not in _BY_PEOPLE and (well[1] or not well[0]),
        }
        assert expected == answers(TWO_PROXIES, statuses, holds), states


@pytest.mark.parametrize("value", ["Active", "Draining", "Inactive"])
@pytest.mark.parametrize(
    "component", ["ImapProxy", "Imap", "ServerWideOffline", "Monitoring", "RecoveryActionsEnabled"]
)
@pytest.mark.parametrize("requester", PEOPLE)
def test_of_the_components_of_a_proxy_its_own_and_the_server_wide_one_keep_clients_away(value, component, requester):
    hold = a_hold(subject=f"p1/{component}", value=value, requester=requester)

    expected = value == "Active" or component not in ("ImapProxy", "ServerWideOffline")
    assert {"p1": expected, "p2": True} == answers(TWO_PROXIES, (), (hold,))


@pytest.mark.parametrize(
    "kind", [HoldKind.REPAIRING, HoldKind.PAUSE, HoldKind.OVERRIDE, HoldKind.UPGRADE, HoldKind.ACTIVATION]
)
def test_no_other_hold_keeps_clients_away(kind):
    subject = "p1/IMAP.Proxy/ImapProxyTestMonitor/p1" if kind is HoldKind.REPAIRING else "p1"
    assert ask(holds=[a_hold(kind, subject, "on")]).is_serving


def test_any_inactive_wins_over_an_active_of_another_requester():
    holds = [a_hold(value="Active", requester=Requester.MAINTENANCE), a_hold(requester=Requester.SIDELINED)]

    assert not ask(holds=holds).is_serving


def test_both_being_taken_out_by_people_is_what_people_wanted():
    assert {"p1": False, "p2": False} == answers(TWO_PROXIES, (), (maintenance("p1"), maintenance("p2")))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOON - timedelta(seconds=1), True),
        (NOON, False),
        (NOON + timedelta(minutes=59), False),
        (NOON + timedelta(hours=1), True),
    ],
)
def test_a_hold_counts_from_its_beginning_to_just_before_its_end(at, expected):
    hold = maintenance(since=NOON, until=NOON + timedelta(hours=1))

    assert expected == ask(holds=[hold], now=at).is_serving


def test_a_hold_that_was_taken_back_counts_no_more():
    assert ask(holds=[maintenance(ended_at=NOON, ended_by="eva")]).is_serving


# --- mailbox servers, roles, access points ---


def test_a_mailbox_server_is_judged_by_its_self_test_and_its_component_imap():
    organization = an_organization(a_server("m1", Role.MAILBOX), a_server("m2", Role.MAILBOX))

    proxy_test, self_test = a_status("m1"), a_status("m1", item="ImapSelfTestMonitor")
    assert {"m1": True, "m2": True} == answers(organization, [proxy_test])
    assert {"m1": False, "m2": True} == answers(organization, [self_test])
    assert {"m1": False, "m2": True} == answers(organization, (), [a_hold(subject="m1/Imap")])
    assert {"m1": True, "m2": True} == answers(organization, (), [a_hold(subject="m1/ImapProxy")])


def test_a_server_with_both_roles_is_judged_as_the_proxy_clients_are_sent_to():
    organization = an_organization(a_server("b1", Role.PROXY, Role.MAILBOX), a_server("p1"))

    assert not ask("b1", organization=organization, statuses=[a_status("b1")]).is_serving
    assert ask("b1", organization=organization, statuses=[a_status("b1", item="ImapSelfTestMonitor")]).is_serving
    assert ask("b1", organization=organization, holds=[a_hold(subject="b1/Imap")]).is_serving


def test_no_other_monitor_takes_a_proxy_out():
    for item in ("ImapCTPMonitor", "ImapCertificateMonitor", "ImapDeepTestMonitor", "ImapSelfTestMonitor"):
        assert ask(statuses=[a_status("p1", item=item)]).is_serving


def test_a_well_proxy_behind_another_access_point_is_no_replacement():
    organization = an_organization(*(a_server(name) for name in ("p1", "p2", "p3")), north=("p1", "p2"), south=("p3",))

    both_of_north = [a_status("p1"), a_status("p2")]
    assert {"p1": True, "p2": True, "p3": True} == answers(organization, both_of_north)
    assert {"p1": False, "p2": True, "p3": True} == answers(organization, both_of_north[:1])


def test_a_proxy_behind_two_access_points_stays_when_it_is_the_last_of_one():
    organization = an_organization(a_server("p1"), a_server("p2"), north=("p1", "p2"), south=("p1",))

    found = ask("p1", organization=organization, statuses=[a_status("p1")])
    assert (True, "nothing better is left behind south") == (found.is_serving, found.because.split("but ")[1])


def test_one_alone_stays_whatever_its_monitor_says_and_leaves_when_people_say_so():
    organization = an_organization(a_server("p1"))

    assert {"p1": True} == answers(organization, [a_status("p1")])
    assert {"p1": False} == answers(organization, (), [maintenance("p1")])


def test_mailbox_servers_do_not_replace_proxies():
    organization = an_organization(a_server("p1"), a_server("m1", Role.MAILBOX))

    assert {"p1": True, "m1": True} == answers(organization, [a_status("p1")])


# --- what is not known does not act ---


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (None, False),
        (Verdict(tier=Tier.PROXY, confidence=Confidence.PROBABLE, because="it hangs"), False),
        (Verdict(tier=Tier.UNKNOWN, confidence=Confidence.CERTAIN, because="it hangs"), False),
        (Verdict(tier=Tier.MONITORING, confidence=Confidence.CERTAIN, because="we are banned"), True),
        (Verdict(tier=Tier.PROXY, confidence=Confidence.UNKNOWN, because="who knows"), True),
    ],
)
def test_a_verdict_that_blames_the_measuring_or_nobody_takes_nothing_out(verdict, expected):
    assert expected == ask(statuses=[a_status("p1", verdict=verdict)]).is_serving


@pytest.mark.parametrize(("subject", "expected"), [("organization", True), ("P1", True), ("p2", False)])
def test_while_actions_are_paused_a_monitor_alone_takes_nothing_out(subject, expected):
    found = ask(statuses=[a_status("p1")], holds=[pause(subject)])

    assert expected == found.is_serving


def test_a_pause_neither_takes_back_what_was_done_before_nor_what_people_said():
    ours = a_hold(requester=Requester.HEALTH_API)

    assert not ask(holds=[ours, pause("organization")]).is_serving
    assert not ask(holds=[maintenance(), pause("organization")]).is_serving


# --- names and sentences ---


@pytest.mark.parametrize("name", ["p1", "P1", "p1.example.net", "P1.EXAMPLE.NET"])
def test_a_server_is_found_by_any_of_its_names_and_answered_by_its_own(name):
    found = ask(name, holds=[maintenance("P1")])

    assert ("p1", False) == (found.server, found.is_serving)


def test_a_name_that_is_no_server_is_refused_and_names_the_nearest():
    with pytest.raises(Refused, match="did you mean 'p1'"):
        ask("p11")


def test_the_reason_says_who_holds_it_why_and_until_when():
    until = NOON + timedelta(minutes=30)

    assert "maintenance by eva until 2026-11-24 12:30 UTC: new disks" == ask(holds=[maintenance(until=until)]).because
    assert "ImapProxy is Inactive for Functional, by eva: new disks" == ask(holds=[a_hold()]).because


def test_of_several_holds_the_strongest_speaks():
    holds = [a_hold(value="Draining", requester=Requester.DEPLOYMENT), a_hold()]

    assert ask(holds=holds).because.startswith("ImapProxy is Inactive")
    assert ask(holds=[*holds, maintenance()]).because.startswith("maintenance")


def test_the_reason_says_what_the_monitor_says_and_why_it_stays():
    verdict = Verdict(tier=Tier.PROXY, confidence=Confidence.CERTAIN, because="the proxy hangs")
    statuses = [a_status("p1", verdict=verdict), a_status("p2")]

    fault = "ImapProxyTestMonitor is Unhealthy: 3 failures in a row (the proxy hangs)"
    assert fault == ask(statuses=statuses[:1]).because
    assert f"{fault}; but nothing better is left behind access" == ask(statuses=statuses).because
    assert "ImapProxyTestMonitor is Healthy" == ask(statuses=[a_status("p1", HEALTHY)]).because
    assert "nothing is known against it" == ask().because
