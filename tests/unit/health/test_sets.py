from datetime import timedelta

import pytest

from mailward.health.sets import report, set_report
from mailward.model.health import ComponentState
from mailward.model.items import HealthGroup
from mailward.model.monitoring import AlertValue


def test_a_health_set_is_as_healthy_as_its_worst_monitor(a_status, noon):
    row = set_report(
        [
            a_status(minutes=60),
            a_status(AlertValue.UNHEALTHY, target="DB2", minutes=5),
            a_status(AlertValue.UNHEALTHY, target="DB3", minutes=3),
        ]
    )

    assert ("mbx1", "IMAP.Protocol", AlertValue.UNHEALTHY, 3) == (
        row.server,
        row.health_set,
        row.alert_value,
        row.monitor_count,
    )
    assert "ImapDeepTestMonitor DB2: 3 failures in a row (1 more Unhealthy)" == row.because
    assert noon - timedelta(minutes=5) == row.last_transition
    assert HealthGroup.SERVICE_COMPONENTS is row.group


def test_a_healthy_set_is_so_since_its_last_monitor_became_healthy(a_status, noon):
    row = set_report([a_status(minutes=60), a_status(target="DB2", minutes=2)])

    assert noon - timedelta(minutes=2) == row.last_transition
    assert "all 2 monitors are healthy" == row.because


def test_a_set_says_that_part_of_it_is_not_looked_at(a_status):
    row = set_report([a_status(), a_status(AlertValue.DISABLED, target="DB2")])

    assert (AlertValue.HEALTHY, "its monitor is healthy, 1 more disabled") == (row.alert_value, row.because)


def test_a_set_of_disabled_monitors_is_disabled(a_status):
    assert AlertValue.DISABLED is set_report([a_status(AlertValue.DISABLED)]).alert_value


def test_a_set_without_monitors_does_not_exist():
    with pytest.raises(ValueError, match="empty"):
        set_report([])


def test_reports_are_of_each_server_and_set_worst_first(a_status):
    statuses = [
        a_status(),
        a_status(server="mbx2"),
        a_status(AlertValue.DEGRADED, server="mbx2", target="DB2"),
        a_status(AlertValue.HEALTHY, "ImapProxyTestMonitor", "proxy1", "proxy1"),
    ]

    assert [("mbx2", "IMAP.Protocol"), ("mbx1", "IMAP.Protocol"), ("proxy1", "IMAP.Proxy")] == [
        (row.server, row.health_set) for row in report(statuses)
    ]
    assert ["proxy1"] == [row.server for row in report(statuses, health_set="imap.proxy")]
    assert ["mbx1"] == [row.server for row in report(statuses, server="mbx1")]


def test_a_set_shows_the_state_of_its_component(a_status, a_hold):
    statuses = [a_status(AlertValue.HEALTHY, "ImapProxyTestMonitor", "proxy1", "proxy1")]

    (row,) = report(statuses, holds=[a_hold("proxy1/ImapProxy", "Inactive")])

    assert ComponentState.OFFLINE is row.state
