"""When a recovery starts, and for what."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model import items
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.organization import Database, ImapEndpoint, Organization, Role, Server
from mailward.model.recovery import Mode, Operation, OperationKind, OperationStatus
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.recovery.settings import RecoverySettings
from mailward.recovery.triggers import Trigger, exit_trigger, may_start, trigger_of
from mailward.testing.platform import NOON

from .conftest import MINUTE

U, D = AlertValue.UNHEALTHY, AlertValue.DEGRADED
AT_STORE = Verdict(tier=Tier.STORE, confidence=Confidence.CERTAIN, server="be1", because="unreadable")
AT_SERVER = Verdict(tier=Tier.MAILBOX_SERVER, confidence=Confidence.CERTAIN, server="be1", because="down")
ORGANIZATION = Organization(
    name="example",
    servers={
        "be1": Server(name="be1", roles=frozenset({Role.MAILBOX}), imap=ImapEndpoint(host="be1")),
        "proxy1": Server(name="proxy1", roles=frozenset({Role.PROXY}), imap=ImapEndpoint(host="proxy1")),
    },
    databases={
        "DB1": Database(name="DB1", copies=("be1",), active="be1"),
        "DB2": Database(name="DB2", copies=("be1",), active="be1"),
    },
)


def a_status(item=items.SELF_TEST_MONITOR, server="be1", target=None, state=U, **changes):
    known = MonitorStatus(
        key=MonitorKey(server=server, health_set="IMAP", item=item, target=target or server),
        state=state,
        since=NOON - MINUTE,
        because="3 failures",
        broken_since=NOON - 2 * MINUTE,
        verdict=AT_SERVER,
        last_result_at=NOON,
    )
    return replace(known, **changes)


@pytest.mark.parametrize(
    ("status", "kind", "target"),
    [
        (a_status(), OperationKind.MAILBOX_SERVER, "be1"),
        (a_status(state=D), OperationKind.MAILBOX_SERVER, "be1"),
        (a_status(items.DEEP_TEST_MONITOR, target="DB1"), OperationKind.MAILBOX_SERVER, "be1"),
        (a_status(items.DEEP_TEST_MONITOR, target="DB1", verdict=AT_STORE), OperationKind.MAILBOX_SERVER, "be1/DB1"),
        (a_status(items.PROXY_TEST_MONITOR, "proxy1"), OperationKind.PROXY, "proxy1"),
        (a_status(items.CTP_MONITOR, "proxy1", "DB1"), OperationKind.CUSTOMER_TOUCH_POINT, "proxy1/be1"),
        (a_status(items.CTP_MONITOR, "proxy1", "DB2"), OperationKind.CUSTOMER_TOUCH_POINT, "proxy1/be1"),
    ],
)
def test_a_broken_monitor_asks_for_the_recovery_of_what_it_is_about(status, kind, target):
    trigger = trigger_of(status, ORGANIZATION)

    assert (kind, target) == (trigger.kind, trigger.target)
    assert trigger.databases


def test_a_local_health_mailbox_whose_store_is_at_fault_is_about_its_server():
    assert "be1" == trigger_of(a_status(items.DEEP_TEST_MONITOR, verdict=AT_STORE), ORGANIZATION).target


@pytest.mark.parametrize("state", [state for state in AlertValue if state not in (U, D)])
def test_a_monitor_that_is_not_broken_asks_for_nothing(state):
    assert trigger_of(a_status(state=state), ORGANIZATION) is None


@pytest.mark.parametrize(
    "item",
    [items.HEALTH_MAILBOX_MONITOR, items.PUSH_MONITOR, items.DISK_SPACE_MONITOR, items.HEALTH_MANAGER_MONITOR],
)
def test_what_no_action_mends_asks_for_nothing(item):
    assert trigger_of(a_status(item), ORGANIZATION) is None


def test_a_certificate_asks_for_a_recovery_only_where_another_one_waits_on_disk():
    status = a_status(items.CERTIFICATE_MONITOR)

    assert trigger_of(status, ORGANIZATION) is None
    assert OperationKind.CERTIFICATE == trigger_of(status, ORGANIZATION, certificate_is_stale=True).kind


def test_a_failed_service_asks_for_the_recovery_of_its_server():
    assert OperationKind.MAILBOX_SERVER == exit_trigger("be1", "SIGKILL", ORGANIZATION).kind
    assert OperationKind.PROXY == exit_trigger("proxy1", "SIGKILL", ORGANIZATION).kind
    assert exit_trigger("be9", "SIGKILL", ORGANIZATION) is None


def ended(status: OperationStatus, ago: timedelta, verdict=AT_SERVER) -> Operation:
    return Operation(
        id=1,
        kind=OperationKind.MAILBOX_SERVER,
        target="be1",
        server="be1",
        mode=Mode.ACT,
        status=status,
        because="over",
        started_at=NOON - ago - MINUTE,
        ended_at=None if not status.is_over else NOON - ago,
        verdict=verdict,
    )


OLD = a_status(broken_since=NOON - 600 * MINUTE)


@pytest.mark.parametrize(
    ("status", "former", "may"),
    [
        (OLD, [], True),
        (OLD, [ended(OperationStatus.RUNNING, MINUTE)], False),
        (OLD, [ended(OperationStatus.WAITING, MINUTE)], False),
        (OLD, [ended(OperationStatus.ESCALATED, 29 * MINUTE)], False),
        (OLD, [ended(OperationStatus.ESCALATED, 31 * MINUTE)], False),
        (OLD, [ended(OperationStatus.ESCALATED, 31 * MINUTE, AT_STORE)], True),
        (OLD, [ended(OperationStatus.ESCALATED, 241 * MINUTE)], True),
        (OLD, [ended(OperationStatus.DENIED, 31 * MINUTE)], False),
        (OLD, [ended(OperationStatus.HEALED, timedelta(seconds=5))], False),
        (OLD, [ended(OperationStatus.HEALED, MINUTE)], True),
        (a_status(broken_since=NOON - MINUTE), [ended(OperationStatus.ESCALATED, 2 * MINUTE)], True),
        (a_status(broken_since=NOON), [ended(OperationStatus.DENIED, timedelta(seconds=5))], False),
        (a_status(last_result_at=NOON - 3 * MINUTE), [ended(OperationStatus.HEALED, MINUTE)], False),
        (None, [ended(OperationStatus.ESCALATED, timedelta(0))], True),
        (None, [ended(OperationStatus.RUNNING, timedelta(0))], False),
    ],
)
def test_another_recovery_starts_only_for_news(status, former, may):
    trigger = Trigger(kind=OperationKind.MAILBOX_SERVER, target="be1", server="be1", because="x", verdict=AT_SERVER)

    assert may == may_start(trigger, status, former, settings=RecoverySettings(), now=NOON)
