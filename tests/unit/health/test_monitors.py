import pytest

from mailward.health.monitors import health
from mailward.model.errors import Refused
from mailward.model.health import ComponentState
from mailward.model.monitoring import AlertValue


@pytest.fixture
def statuses(a_status):
    return (
        a_status(target="DB1"),
        a_status(AlertValue.UNHEALTHY, target="DB2"),
        a_status(AlertValue.DISABLED, "ImapSelfTestMonitor", target="mbx1"),
        a_status(AlertValue.DEGRADED, "ImapCTPMonitor", "proxy1"),
        a_status(AlertValue.HEALTHY, "ImapProxyTestMonitor", "proxy1", "proxy1"),
    )


def names(rows):
    return [f"{row.server} {row.name} {row.target_resource}" for row in rows]


def test_monitors_come_worst_first(statuses):
    assert [
        "mbx1 ImapDeepTestMonitor DB2",
        "proxy1 ImapCTPMonitor DB1",
        "mbx1 ImapDeepTestMonitor DB1",
        "proxy1 ImapProxyTestMonitor proxy1",
        "mbx1 ImapSelfTestMonitor mbx1",
    ] == names(health(statuses))


def test_filters_hold_together(statuses):
    assert ["mbx1 ImapDeepTestMonitor DB2"] == names(
        health(statuses, server="MBX1", health_set="IMAP*", state="unhealthy")
    )
    assert ["proxy1 ImapCTPMonitor DB1"] == names(health(statuses, health_set="IMAP"))
    assert [] == names(health(statuses, server="mbx"))


def test_an_unknown_state_is_refused_and_not_taken_for_every_state(statuses):
    with pytest.raises(Refused):
        health(statuses, state="broken")


def test_a_row_carries_state_reason_verdict_and_who_served_it(statuses):
    (row,) = health(statuses, state="Unhealthy")

    assert (AlertValue.UNHEALTHY, "3 failures in a row", "mbx1") == (row.alert_value, row.because, row.mailbox_server)
    assert row.verdict is not None
    assert (ComponentState.NOT_APPLICABLE, None) == (row.state, row.server_component)


def test_only_the_proxy_test_belongs_to_a_component_and_shows_its_state(statuses, a_hold):
    (online,) = health(statuses, health_set="IMAP.Proxy")
    (draining,) = health(statuses, health_set="IMAP.Proxy", holds=[a_hold("proxy1/ImapProxy", "Draining")])

    assert ("ImapProxy", ComponentState.ONLINE) == (online.server_component, online.state)
    assert ComponentState.DRAINING is draining.state
