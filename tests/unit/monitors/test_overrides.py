"""Overrides put over what is watched."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.holds import Hold, HoldKind
from mailward.model.items import CTP_PROBE, DEEP_TEST_PROBE, SELF_TEST_PROBE
from mailward.model.monitoring import MonitorKey
from mailward.model.organization import ImapEndpoint, Organization, TlsPolicy
from mailward.model.recovery import ActionClass, Mode
from mailward.monitors.coverage import cover
from mailward.monitors.overrides import mode_override, overridden, read_override
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.rules import ConsecutiveFailures
from mailward.monitors.samples import ProbeKey
from mailward.monitors.settings import MonitorSettings

SELF = "mbx1/IMAP.Protocol/ImapSelfTestProbe"
DEEP = "mbx1/IMAP.Protocol/ImapDeepTestMonitor"
SECOND = timedelta(seconds=1)


@pytest.fixture
def watched(two_tiers):
    return cover(two_tiers, ProbingSettings(), MonitorSettings())


def probe(coverage, item, server="mbx1", target=None):
    return next(
        one for one in coverage.probes if one.key == ProbeKey(probe=item, server=server, target=target or server)
    )


def monitor(coverage, item, server="mbx1", target=None):
    found = (one for one in coverage.monitors if (one.key.item, one.key.server) == (item, server))
    return next(one for one in found if target in (None, one.key.target))


def test_nothing_held_changes_nothing(watched, noon):
    assert watched is overridden(watched, [], now=noon)


def test_the_interval_and_time_out_of_one_probe_change_and_no_other(watched, an_override, noon):
    holds = [an_override(SELF, "probe", "interval", "5s"), an_override(SELF, "probe", "timeout", "9s")]

    after = overridden(watched, holds, now=noon)

    changed = probe(after, SELF_TEST_PROBE)
    assert (5 * SECOND, 9 * SECOND, 9 * SECOND) == (changed.interval, changed.timeout, changed.target.timeout)
    assert [SELF_TEST_PROBE] == [
        new.key.probe for new, old in zip(after.probes, watched.probes, strict=True) if new != old
    ]
    assert watched.monitors == after.monitors


@pytest.mark.parametrize(("offset", "interval"), [(-1, 20), (0, 5), (3599, 5), (3600, 20)])
def test_an_override_holds_from_its_beginning_to_the_instant_of_its_end(offset, interval, watched, an_override, noon):
    now = noon + offset * SECOND

    after = overridden(watched, [an_override(SELF, "probe", "interval", "5s")], now=now)

    assert interval * SECOND == probe(after, SELF_TEST_PROBE).interval


def test_an_override_of_every_server_meets_all_of_them(watched, an_override, noon):
    after = overridden(watched, [an_override("*/IMAP.Protocol/ImapSelfTestProbe", "probe", "interval", "7s")], now=noon)

    assert [7 * SECOND] * 2 == [one.interval for one in after.probes if one.key.probe == SELF_TEST_PROBE]


def test_the_more_precise_override_wins_whatever_the_order_and_age(watched, an_override, noon):
    item = "IMAP.Protocol/ImapDeepTestProbe"
    holds = [
        an_override(f"*/{item}", "probe", "interval", "11s", since=noon, id=9),
        an_override(f"mbx1/{item}", "probe", "interval", "12s", since=noon - 5 * SECOND, id=2),
        an_override(f"mbx1/{item}/DB1", "probe", "interval", "13s", since=noon - 9 * SECOND, id=1),
    ]

    for order in permutations(holds):
        after = overridden(watched, order, now=noon)
        assert 13 * SECOND == probe(after, DEEP_TEST_PROBE, target="DB1").interval
        assert 12 * SECOND == probe(after, DEEP_TEST_PROBE, target="DB2").interval
        assert 11 * SECOND == probe(after, DEEP_TEST_PROBE, "mbx2", "DB2:passive").interval


def test_of_equals_the_newest_wins(watched, an_override, noon):
    holds = [
        an_override(SELF, "probe", "interval", "11s", since=noon, id=2),
        an_override(SELF, "probe", "interval", "12s", since=noon - SECOND, id=3),
    ]

    assert 11 * SECOND == probe(overridden(watched, holds, now=noon), SELF_TEST_PROBE).interval


def test_writing_turns_of_a_deep_test_can_be_made_rarer(watched, an_override, noon):
    hold = an_override("mbx1/IMAP.Protocol/ImapDeepTestProbe/DB1", "probe", "write_turn_every", "1h")

    after = overridden(watched, [hold], now=noon)

    assert timedelta(hours=1) == probe(after, DEEP_TEST_PROBE, target="DB1").write_every


def test_a_slower_probe_makes_its_monitors_more_patient(watched, an_override, noon):
    after = overridden(watched, [an_override(SELF, "probe", "interval", "10m")], now=noon)

    assert timedelta(minutes=30, seconds=3) == monitor(after, "ImapSelfTestMonitor").patience
    assert monitor(watched, "ImapDeepTestMonitor").patience == monitor(after, "ImapDeepTestMonitor").patience


def test_a_probe_that_is_switched_off_is_not_run_and_its_monitors_are_disabled_not_silent(watched, an_override, noon):
    after = overridden(watched, [an_override(SELF, "probe", "enabled", "false")], now=noon)

    assert ProbeKey(probe=SELF_TEST_PROBE, server="mbx1", target="mbx1") not in {one.key for one in after.probes}
    off = {one.key.item for one in after.monitors if not one.settings.enabled}
    assert {"ImapSelfTestMonitor", "ImapCertificateMonitor", "ImapHealthMailboxMonitor"} == off
    assert {one.key for one in watched.monitors} == {one.key for one in after.monitors}


def test_a_touch_point_that_is_switched_off_leaves_its_lane_to_the_others(watched, an_override, noon):
    after = overridden(watched, [an_override("proxy1/IMAP/ImapCTPProbe/DB1", "probe", "enabled", "false")], now=noon)

    lane = next(lane for lane in after.lanes if lane.server == "proxy1")
    assert [ProbeKey(probe=CTP_PROBE, server="proxy1", target="DB2")] == list(lane.members)


def test_a_lane_without_members_is_gone(watched, an_override, noon):
    after = overridden(watched, [an_override("*/IMAP/ImapCTPProbe", "probe", "enabled", "false")], now=noon)

    assert () == after.lanes
    assert not monitor(after, "ImapCertificateMonitor", "imap").settings.enabled


def test_thresholds_of_a_monitor_change_its_rule(watched, an_override, noon):
    holds = [
        an_override(DEEP, "monitor", "consecutive_failures", "9"),
        an_override(DEEP, "monitor", "grace", "5m"),
    ]

    after = monitor(overridden(watched, holds, now=noon), "ImapDeepTestMonitor")

    assert ConsecutiveFailures(failures=9) == after.rule
    assert timedelta(minutes=5) == after.settings.grace


def test_one_target_of_a_monitor_can_be_switched_off(watched, an_override, noon):
    after = overridden(watched, [an_override(f"{DEEP}/DB1", "monitor", "enabled", "false")], now=noon)

    assert not monitor(after, "ImapDeepTestMonitor", target="DB1").settings.enabled
    assert monitor(after, "ImapDeepTestMonitor", target="DB2").settings.enabled
    assert watched.probes == after.probes


def test_an_override_of_a_certificate_monitor_leaves_whether_it_must_verify(two_tiers: Organization, an_override, noon):
    mbx1 = two_tiers.servers["mbx1"]
    lax = replace(mbx1, imap=ImapEndpoint(host="mbx1", tls=TlsPolicy(verify=False)))
    coverage = cover(
        replace(two_tiers, servers={**two_tiers.servers, "mbx1": lax}), ProbingSettings(), MonitorSettings()
    )
    hold = an_override("mbx1/IMAP.Protocol/ImapCertificateMonitor", "monitor", "unhealthy_below", "2d")

    rule = monitor(overridden(coverage, [hold], now=noon), "ImapCertificateMonitor").rule

    assert (timedelta(days=2), False) == (rule.unhealthy_below, rule.verify)


def test_on_an_unwatched_server_nothing_is_probed_and_everything_is_disabled(watched, noon):
    after = overridden(watched, [], now=noon, unwatched={"mbx1"})

    assert "mbx1" not in {one.key.server for one in after.probes}
    assert {"mbx1"} == {one.key.server for one in after.monitors if not one.settings.enabled}


@pytest.mark.parametrize(
    ("subject", "item_type", "name", "value"),
    [
        ("mbx1/IMAP.Protocol/NewProbe", "monitor", "enabled", "false"),
        (SELF, "probe", "new", "1"),
        (SELF, "probe", "interval", "soon"),
        (SELF, "novelty", "interval", "5s"),
        ("mbx1", "probe", "interval", "5s"),
    ],
)
def test_what_cannot_be_read_changes_nothing(subject, item_type, name, value, watched, an_override, noon):
    hold = an_override(subject, item_type, name, value)

    assert read_override(hold) is None
    assert watched == overridden(watched, [hold], now=noon)


@given(value=st.text(max_size=12), name=st.sampled_from(["interval", "timeout", "enabled", "grace", "percent.window"]))
def test_no_text_whatever_breaks_the_watching(value, name):
    for item_type in ("probe", "monitor", "responder"):
        hold = Hold(
            kind=HoldKind.OVERRIDE,
            subject=DEEP,
            value=value,
            owner="eva",
            reason="to see",
            since=datetime(2026, 11, 24, 12, tzinfo=UTC),
            data={"item_type": item_type, "property": name},
        )
        read = read_override(hold)
        assert read is None or name == read.property


KEY = MonitorKey(server="proxy1", health_set="IMAP", item="ImapCTPMonitor", target="DB1")


def mode(holds, noon, *, server="mbx1", action=ActionClass.RESTART, key=KEY):
    found = mode_override(holds, server=server, action=action, key=key, now=noon)
    return None if found is None else found[0]


def test_the_mode_of_a_responder_is_by_the_server_touched_the_monitor_and_the_class(an_override, noon):
    hold = an_override("mbx1/IMAP/ImapCTPMonitor", "responder", "restart", "approve")

    assert Mode.APPROVE is mode([hold], noon)
    assert mode([hold], noon, server="mbx2") is None
    assert mode([hold], noon, action=ActionClass.START) is None
    assert mode([hold], noon, key=replace(KEY, item="ImapSelfTestMonitor")) is None
    assert (Mode.APPROVE, hold) == mode_override([hold], server="mbx1", action=ActionClass.RESTART, key=KEY, now=noon)


def test_a_mode_for_this_server_goes_before_a_class_by_name_for_every_server(an_override, noon):
    holds = [
        an_override("*/*/*", "responder", "restart", "act"),
        an_override("mbx1/*/*", "responder", "mode", "observe"),
    ]

    assert Mode.OBSERVE is mode(holds, noon)
    assert Mode.ACT is mode(holds, noon, server="mbx2")


def test_a_class_by_name_is_more_precise_than_all_of_them(an_override, noon):
    holds = [
        an_override("*/*/*", "responder", "mode", "observe"),
        an_override("*/*/*", "responder", "start", "act"),
    ]

    assert Mode.ACT is mode(holds, noon, action=ActionClass.START)
    assert Mode.OBSERVE is mode(holds, noon)


def test_an_order_by_hand_is_met_only_by_an_override_of_everything(an_override, noon):
    one = an_override("mbx1/IMAP/ImapCTPMonitor", "responder", "restart", "observe")
    all_of_them = an_override("mbx1/*/*", "responder", "restart", "recommend")

    assert mode([one], noon, key=None) is None
    assert Mode.RECOMMEND is mode([one, all_of_them], noon, key=None)


def test_an_override_of_a_mode_that_is_over_says_nothing(an_override, noon):
    assert mode([an_override("*/*/*", "responder", "mode", "observe")], noon + timedelta(hours=1)) is None
