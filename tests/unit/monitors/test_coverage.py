from dataclasses import replace
from datetime import timedelta
from time import process_time

import pytest

from mailward.model import items
from mailward.model.organization import Database, LmtpEndpoint, Organization
from mailward.monitors.cost import cost
from mailward.monitors.coverage import Coverage, cover, rule_of
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.rules import AnyOf, ConsecutiveFailures
from mailward.monitors.settings import ItemSettings, MonitorSettings, ServiceMonitorSettings


def covered(organization: Organization, settings: MonitorSettings | None = None) -> Coverage:
    return cover(organization, ProbingSettings(), settings or MonitorSettings())


def monitors(coverage: Coverage, item: str) -> list[tuple[str, str, str]]:
    return sorted(
        (monitor.key.server, monitor.key.health_set, monitor.key.target)
        for monitor in coverage.monitors
        if monitor.key.item == item
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (items.SELF_TEST_MONITOR, ["mbx1 mbx1", "mbx2 mbx2"]),
        (items.DEEP_TEST_MONITOR, ["mbx1 DB1", "mbx1 DB2", "mbx2 DB2:passive", "mbx2 mbx2"]),
        (items.PROXY_TEST_MONITOR, ["proxy1 proxy1", "proxy2 proxy2"]),
        (items.CTP_MONITOR, ["imap DB1", "imap DB2", "proxy1 DB1", "proxy1 DB2", "proxy2 DB1", "proxy2 DB2"]),
        (items.CERTIFICATE_MONITOR, ["imap imap", "mbx1 mbx1", "mbx2 mbx2", "proxy1 proxy1", "proxy2 proxy2"]),
        (items.HEALTH_MAILBOX_MONITOR, ["mbx1 DB1", "mbx1 DB2", "mbx1 mbx1", "mbx2 mbx2"]),
        (items.PUSH_MONITOR, ["mbx1 DB1", "mbx1 DB2", "mbx2 mbx2"]),
        (items.DISK_SPACE_MONITOR, []),
        (items.HEALTH_MANAGER_MONITOR, ["mailward mailward"]),
    ],
)
def test_two_tiers_have_these_monitors(two_tiers, item, expected):
    assert expected == [f"{server} {target}" for server, _, target in monitors(covered(two_tiers), item)]


def test_one_box_has_no_proxy_and_is_touched_at_its_public_name(one_box):
    coverage = covered(one_box)

    assert [] == [monitor for monitor in coverage.monitors if monitor.key.health_set == items.IMAP_PROXY]
    assert [("mail.example.net", "IMAP", "DB1")] == monitors(coverage, items.CTP_MONITOR)
    assert [("box", "IMAP.Protocol", "DB1")] == monitors(coverage, items.DEEP_TEST_MONITOR)
    assert [("box", "DiskSpace", "/srv/mail")] == monitors(coverage, items.DISK_SPACE_MONITOR)


def test_every_monitor_judges_probes_that_are_run_and_has_a_key_of_its_own(two_tiers, one_box):
    for organization in (two_tiers, one_box):
        coverage = covered(organization)
        probes = {probe.key for probe in coverage.probes}
        keys = [monitor.key for monitor in coverage.monitors]

        assert len(keys) == len(set(keys))
        assert len(coverage.probes) == len(probes)
        assert all(probe in probes for monitor in coverage.monitors for probe in monitor.probes)
        assert all(any(probe in monitor.probes for monitor in coverage.monitors) for probe in probes)


def test_every_monitor_stands_in_a_health_set_its_item_is_listed_in(two_tiers, one_box):
    known = {item.name: item for item in items.MONITORS}
    for monitor in (*covered(two_tiers).monitors, *covered(one_box).monitors):
        item = known[monitor.key.item]

        assert monitor.key.health_set in item.health_sets
        assert all(probe.probe in item.probes for probe in monitor.probes)
        assert (item.dependencies, item.component) == (monitor.dependencies, monitor.component)


def test_a_move_ends_the_monitors_on_the_old_server_and_begins_them_on_the_new(two_tiers, moved):
    before = {monitor.key for monitor in covered(two_tiers).monitors}
    after = {monitor.key for monitor in covered(moved(two_tiers, "DB2", "mbx2")).monitors}

    assert {"mbx1 DB2", "mbx2 DB2:passive", "mbx2 mbx2"} == {
        f"{key.server} {key.target}" for key in before - after if key.item == items.DEEP_TEST_MONITOR
    }
    assert {"mbx2 DB2", "mbx1 DB2:passive"} == {
        f"{key.server} {key.target}" for key in after - before if key.item == items.DEEP_TEST_MONITOR
    }


@pytest.mark.parametrize(
    ("server", "item", "target", "databases"),
    [
        ("mbx1", items.SELF_TEST_MONITOR, "mbx1", ("DB1", "DB2")),
        ("mbx2", items.SELF_TEST_MONITOR, "mbx2", ()),
        ("mbx1", items.DEEP_TEST_MONITOR, "DB2", ("DB2",)),
        ("mbx2", items.DEEP_TEST_MONITOR, "DB2:passive", ()),
        ("proxy1", items.PROXY_TEST_MONITOR, "proxy1", ("DB1", "DB2")),
        ("proxy2", items.CTP_MONITOR, "DB1", ("DB1",)),
        ("mbx1", items.HEALTH_MAILBOX_MONITOR, "DB1", ()),
        ("mailward", items.HEALTH_MANAGER_MONITOR, "mailward", ()),
    ],
)
def test_a_monitor_knows_whose_users_feel_it(two_tiers, server, item, target, databases):
    monitor = next(
        monitor
        for monitor in covered(two_tiers).monitors
        if (monitor.key.server, monitor.key.item, monitor.key.target) == (server, item, target)
    )

    assert databases == monitor.databases


def test_patience_is_longer_than_the_time_until_the_next_result_even_for_writing_turns(two_tiers):
    coverage = covered(two_tiers)
    intervals = {probe.key: probe.interval for probe in coverage.probes}

    for monitor in coverage.monitors:
        assert monitor.patience >= 3 * min(intervals[probe] for probe in monitor.probes)
        if monitor.key.item == items.PUSH_MONITOR:
            assert monitor.patience > timedelta(minutes=15)


def test_a_disabled_item_stays_as_a_monitor_that_says_so(two_tiers):
    settings = MonitorSettings(deep_test=ServiceMonitorSettings(enabled=False))

    deep = [m for m in covered(two_tiers, settings).monitors if m.key.item == items.DEEP_TEST_MONITOR]

    assert [False] * 4 == [monitor.settings.enabled for monitor in deep]


def test_the_customer_touch_point_is_judged_by_percentage_too():
    assert isinstance(rule_of(MonitorSettings().ctp), AnyOf)
    assert ConsecutiveFailures(failures=3) == rule_of(MonitorSettings().deep_test)


def test_settings_without_a_rule_are_a_mistake_of_ours():
    with pytest.raises(TypeError):
        rule_of(ItemSettings())


def test_the_same_organization_is_covered_the_same_way_twice(two_tiers):
    assert covered(two_tiers) == covered(two_tiers)


def test_databases_without_a_health_mailbox_are_left_out_rather_than_guessed(two_tiers):
    bare = replace(two_tiers.databases["DB1"], health_mailbox=None)
    organization = replace(two_tiers, databases={**two_tiers.databases, "DB1": bare})

    assert {"DB2"} == {target for _, _, target in monitors(covered(organization), items.CTP_MONITOR)}


def test_thousands_of_servers_are_covered_without_squaring(two_tiers):
    template, count = two_tiers.servers["mbx1"], 1500
    servers = {f"s{place}": replace(template, name=f"s{place}", known_as=frozenset()) for place in range(count)}
    database = two_tiers.databases["DB1"]
    databases: dict[str, Database] = {
        f"D{place}": replace(database, name=f"D{place}", copies=(f"s{place}",), active=f"s{place}")
        for place in range(count)
    }
    organization = replace(two_tiers, servers=servers, databases=databases, access_points={})

    started = process_time()
    coverage = covered(organization)

    assert 1 + 2 * count == len(coverage.probes)
    assert process_time() - started < 5  # 0.1 s here; by squaring it would be minutes


def test_delivery_is_planned_where_a_proxy_takes_mail_and_runs_only_when_asked(two_tiers):
    servers = {**two_tiers.servers, "proxy1": replace(two_tiers.servers["proxy1"], lmtp=LmtpEndpoint(host="proxy1"))}

    coverage = covered(replace(two_tiers, servers=servers))

    planned = [probe for probe in coverage.probes if probe.key.probe == items.DELIVERY_PROBE]
    assert [("proxy1", "DB1", True), ("proxy1", "DB2", True)] == [
        (probe.key.server, probe.key.target, probe.on_request) for probe in planned
    ]
    assert {key for monitor in coverage.monitors for key in monitor.probes}.isdisjoint(probe.key for probe in planned)
    before = cost(covered(two_tiers), two_tiers)
    assert before == cost(coverage, replace(two_tiers, servers=servers)), "it costs nothing by itself"
