"""What follows from holds for probes and monitors."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.holds import Component, HeldState, Hold, HoldKind, Requester
from mailward.model.identity import subject_of
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.organization import (
    Database,
    HealthMailbox,
    ImapEndpoint,
    LmtpEndpoint,
    Organization,
    Role,
    SecretKind,
    SecretRef,
    Server,
)
from mailward.monitors.coverage import cover
from mailward.monitors.following_holds import HoldChange, coverage_under, orders, to_look_at, unwatched
from mailward.monitors.judging import History, order
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings
from mailward.monitors.transitions import MonitorEvent

SELF_SUBJECT = "mbx1/IMAP.Protocol/ImapSelfTestMonitor/mbx1"
HOUR = timedelta(hours=1)


@pytest.fixture
def watched(two_tiers):
    return cover(two_tiers, ProbingSettings(), MonitorSettings())


@pytest.fixture
def statuses(watched, noon):
    def of(state=AlertValue.HEALTHY, **others):
        return [
            MonitorStatus(key=one.key, state=others.get(one.key.item, state), since=noon, because="as it is")
            for one in watched.monitors
        ]

    return of


def named(found):
    return [(subject_of(one.key), one.event) for one in found]


def test_without_holds_nothing_is_ordered(watched, statuses, noon):
    assert () == orders(watched, statuses(), [], now=noon)


def test_a_repair_begins_at_the_monitor_that_is_named_and_at_no_other(watched, statuses, a_hold, noon):
    (found,) = orders(watched, statuses(), [a_hold(HoldKind.REPAIRING, SELF_SUBJECT)], now=noon)

    assert (SELF_SUBJECT, MonitorEvent.REPAIR_STARTED) == (subject_of(found.key), found.event)
    assert "under repair by eva until 2026-11-24 13:00 UTC: to see" == found.because


def test_a_repair_under_way_is_left_alone_and_ends_with_its_hold(watched, statuses, a_hold, noon):
    now = statuses(ImapSelfTestMonitor=AlertValue.REPAIRING)
    both = [
        a_hold(HoldKind.REPAIRING, SELF_SUBJECT),
        a_hold(HoldKind.REPAIRING, SELF_SUBJECT.replace("mbx1", "mbx2")),
    ]

    assert () == orders(watched, now, both, now=noon)
    assert [("mbx2/IMAP.Protocol/ImapSelfTestMonitor/mbx2", MonitorEvent.REPAIR_ENDED)] == named(
        orders(watched, now, both[:1], now=noon)
    )


@pytest.mark.parametrize(("seconds", "is_under_repair"), [(-1, False), (0, True), (3599, True), (3600, False)])
def test_a_repair_lasts_from_its_beginning_to_the_instant_of_its_end(
    seconds, is_under_repair, watched, statuses, a_hold, noon
):
    now = noon + timedelta(seconds=seconds)

    assert is_under_repair == bool(orders(watched, statuses(), [a_hold(HoldKind.REPAIRING, SELF_SUBJECT)], now=now))


def test_maintenance_orders_nothing_of_monitors_which_go_on_measuring(watched, statuses, a_hold, noon):
    holds = [a_hold(HoldKind.MAINTENANCE, "mbx1"), a_hold(HoldKind.PAUSE, "organization")]

    assert watched is coverage_under(watched, holds, now=noon)
    assert () == orders(watched, statuses(AlertValue.UNHEALTHY), holds, now=noon)


def test_an_override_switches_off_with_its_reason_and_its_end_switches_on_again(watched, statuses, an_override, noon):
    hold = an_override("mbx1/IMAP.Protocol/ImapSelfTestMonitor", "monitor", "enabled", "false")
    under = coverage_under(watched, [hold], now=noon)

    (off,) = orders(under, statuses(), [hold], now=noon)
    on = orders(watched, statuses(ImapSelfTestMonitor=AlertValue.DISABLED), [], now=noon)

    assert MonitorEvent.SWITCHED_OFF is off.event
    assert "switched off by an override of eva until 2026-11-24 13:00 UTC: to see" == off.because
    assert {MonitorEvent.SWITCHED_ON} == {one.event for one in on}


def test_a_probe_that_is_switched_off_is_the_reason_of_its_monitors(watched, statuses, an_override, noon):
    hold = an_override("proxy1/IMAP/ImapCTPProbe/DB1", "probe", "enabled", "false")
    under = coverage_under(watched, [hold], now=noon)

    (off,) = orders(under, statuses(), [hold], now=noon)

    assert "proxy1/IMAP/ImapCTPMonitor/DB1" == subject_of(off.key)
    assert "switched off by an override of eva" in off.because


def test_monitoring_that_is_inactive_disables_the_monitors_of_that_server(watched, statuses, a_hold, noon):
    hold = a_hold(HoldKind.COMPONENT_STATE, "mbx1/Monitoring", "Inactive", requester=Requester.FUNCTIONAL)
    under = coverage_under(watched, [hold], now=noon)

    found = orders(under, statuses(), [hold], now=noon)

    assert {"mbx1"} == {one.key.server for one in found}
    assert {"nothing is probed on mbx1: Monitoring is Inactive, by eva until 2026-11-24 13:00 UTC: to see"} == {
        one.because for one in found
    }


@pytest.mark.parametrize(("component", "state"), list(product(Component, HeldState)))
def test_nothing_but_monitoring_inactive_keeps_a_server_from_being_watched(component, state, a_hold, noon):
    hold = a_hold(HoldKind.COMPONENT_STATE, f"mbx1/{component.value}", state.value, requester=Requester.FUNCTIONAL)

    is_blind = component is Component.MONITORING and state is HeldState.INACTIVE
    assert (frozenset({"mbx1"}) if is_blind else frozenset()) == unwatched([hold], now=noon)
    assert frozenset() == unwatched([hold], now=noon + HOUR)


def test_a_monitor_that_is_off_in_the_configuration_stays_so_and_says_so(two_tiers, statuses, a_hold, noon):
    settings = MonitorSettings()
    off = replace(settings, self_test=replace(settings.self_test, enabled=False))
    coverage = cover(two_tiers, ProbingSettings(), off)

    found = orders(coverage, statuses(), [a_hold(HoldKind.REPAIRING, SELF_SUBJECT)], now=noon)

    assert {("switched off in the configuration", MonitorEvent.SWITCHED_OFF)} == {(o.because, o.event) for o in found}


PROBE_ENABLED = {"item_type": "probe", "property": "enabled"}
MONITOR_ENABLED = {"item_type": "monitor", "property": "enabled"}
SUBJECTS = st.sampled_from(
    [
        (HoldKind.REPAIRING, SELF_SUBJECT, "on", {}),
        (HoldKind.REPAIRING, "proxy1/IMAP/ImapCTPMonitor/DB1", "on", {}),
        (HoldKind.MAINTENANCE, "mbx1", "on", {}),
        (HoldKind.COMPONENT_STATE, "mbx1/Monitoring", "Inactive", {}),
        (HoldKind.COMPONENT_STATE, "proxy1/ImapProxy", "Inactive", {}),
        (HoldKind.OVERRIDE, "*/IMAP.Protocol/ImapSelfTestProbe", "false", PROBE_ENABLED),
        (HoldKind.OVERRIDE, "mbx1/IMAP.Protocol/ImapSelfTestMonitor", "false", MONITOR_ENABLED),
        (HoldKind.OVERRIDE, SELF_SUBJECT, "true", MONITOR_ENABLED),
    ]
)


@cache
def a_coverage():
    server = {"proxy1": Role.PROXY, "mbx1": Role.MAILBOX, "mbx2": Role.MAILBOX}
    mailbox = HealthMailbox(user="health", password=SecretRef(kind=SecretKind.FILE, name="/run/secret"))
    organization = Organization(
        name="example",
        servers={
            name: Server(name=name, roles=frozenset({role}), imap=ImapEndpoint(host=name), health_mailbox=mailbox)
            for name, role in server.items()
        },
        databases={"DB1": Database(name="DB1", copies=("mbx1",), active="mbx1", health_mailbox=mailbox)},
    )
    return cover(organization, ProbingSettings(), MonitorSettings())


HELD = st.lists(st.tuples(SUBJECTS, st.integers(0, 8), st.integers(1, 8)), max_size=6)


@given(held=HELD, looks=st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_after_any_holds_and_looks_the_monitors_are_exactly_as_the_holds_in_force_say(held, looks):
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    coverage = a_coverage()
    holds = [
        Hold(
            kind=kind,
            subject=subject,
            value=value,
            owner="eva",
            reason="r",
            since=noon + begins * HOUR,
            until=noon + (begins + lasts) * HOUR,
            data=data,
            id=number,
        )
        for number, ((kind, subject, value, data), begins, lasts) in enumerate(held, start=1)
    ]
    statuses = {
        one.key: MonitorStatus(key=one.key, state=AlertValue.HEALTHY, since=noon, because="as it is")
        for one in coverage.monitors
    }
    for look in sorted(looks):
        now = noon + look * HOUR
        under = coverage_under(coverage, holds, now=now)
        definitions = {one.key: one for one in under.monitors}
        for one in orders(under, statuses.values(), holds, now=now):
            definition, status = definitions[one.key], statuses[one.key]
            history = History(heard_at=now)
            step = order(definition, status, history, event=one.event, now=now, because=one.because)
            statuses[one.key] = step.status
        repairing = {h.subject for h in holds if h.kind is HoldKind.REPAIRING and h.is_in_force(now)}

        assert () == orders(under, statuses.values(), holds, now=now)
        assert definitions.keys() == {one.key for one in coverage.monitors}
        for key, status in statuses.items():
            is_off = not definitions[key].settings.enabled
            assert is_off == (status.state is AlertValue.DISABLED)
            assert (not is_off and subject_of(key) in repairing) == (status.state is AlertValue.REPAIRING)


def test_what_is_judged_or_probed_otherwise_is_looked_at_at_once(watched, an_override, noon):
    faster = an_override("mbx1/IMAP.Protocol/ImapSelfTestProbe", "probe", "interval", "5s")
    stricter = an_override("proxy1/IMAP.Proxy/ImapProxyTestMonitor", "monitor", "consecutive_failures", "1")
    after = coverage_under(watched, [faster, stricter], now=noon)

    found = to_look_at(HoldChange(began=(faster, stricter)), before=watched, after=after)

    assert [("ImapSelfTestProbe", "mbx1"), ("ImapProxyTestProbe", "proxy1")] == [(k.probe, k.server) for k in found]


def test_at_the_end_of_maintenance_the_server_is_looked_at_at_once(watched, a_hold):
    found = to_look_at(HoldChange(ended=(a_hold(HoldKind.MAINTENANCE, "mbx1"),)), before=watched, after=watched)

    assert {one.key for one in watched.probes if one.key.server == "mbx1"} == set(found)


def test_what_runs_only_when_asked_for_is_not_asked_for_by_the_end_of_a_hold(two_tiers):
    servers = {**two_tiers.servers, "proxy1": replace(two_tiers.servers["proxy1"], lmtp=LmtpEndpoint(host="proxy1"))}
    watched = cover(replace(two_tiers, servers=servers), ProbingSettings(), MonitorSettings())
    without = replace(watched, probes=tuple(one for one in watched.probes if one.key.server != "proxy1"))

    found = to_look_at(HoldChange(), before=without, after=watched)

    assert {"ImapProxyTestProbe", "ImapCTPProbe"} == {key.probe for key in found}


def test_at_the_end_of_a_repair_its_monitor_is_looked_at_at_once(watched, a_hold):
    ended = a_hold(HoldKind.REPAIRING, "proxy1/IMAP/ImapCTPMonitor/DB1")

    (found,) = to_look_at(HoldChange(ended=(ended,)), before=watched, after=watched)

    assert ("ImapCTPProbe", "proxy1", "DB1") == (found.probe, found.server, found.target)


def test_what_begins_without_changing_the_watching_hurries_nobody(watched, a_hold):
    began = (a_hold(HoldKind.MAINTENANCE, "mbx1"), a_hold(HoldKind.REPAIRING, SELF_SUBJECT))
    ended = (a_hold(HoldKind.PAUSE, "organization"), a_hold(HoldKind.ACTIVATION, "mbx1"))

    assert () == to_look_at(HoldChange(began=began, ended=ended), before=watched, after=watched)
    assert not HoldChange()
