"""Statuses to judge health by."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from mailward.model.holds import Hold, HoldKind, Requester
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.verdict import Confidence, Tier, Verdict

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_SETS = {"ImapCTPMonitor": "IMAP", "ImapProxyTestMonitor": "IMAP.Proxy"}


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def a_status() -> Callable[..., MonitorStatus]:
    """A status: state, item, server, target, minutes since it came to it."""

    def make(
        state: AlertValue = AlertValue.HEALTHY,
        item: str = "ImapDeepTestMonitor",
        server: str = "mbx1",
        target: str = "DB1",
        *,
        minutes: float = 10,
    ) -> MonitorStatus:
        is_bad = state is AlertValue.UNHEALTHY
        return MonitorStatus(
            key=MonitorKey(server=server, health_set=_SETS.get(item, "IMAP.Protocol"), item=item, target=target),
            state=state,
            since=NOON - timedelta(minutes=minutes),
            because="3 failures in a row" if is_bad else "as it is",
            verdict=Verdict(tier=Tier.STORE, confidence=Confidence.CERTAIN, because="unreadable") if is_bad else None,
            mailbox_server="mbx1" if is_bad else None,
        )

    return make


@pytest.fixture
def a_hold() -> Callable[..., Hold]:
    """A component state, or what `kind` says, an hour old: subject, value."""

    def make(
        subject: str = "proxy1/ImapProxy",
        value: str = "Inactive",
        *,
        kind: HoldKind = HoldKind.COMPONENT_STATE,
        requester: Requester | None = None,
        since: datetime = NOON - timedelta(hours=1),
        until: datetime | None = None,
        number: int = 0,
    ) -> Hold:
        is_state = kind is HoldKind.COMPONENT_STATE
        return Hold(
            kind=kind,
            subject=subject,
            value=value,
            owner="eva",
            reason="new disks",
            since=since,
            until=until,
            requester=requester or (Requester.MAINTENANCE if is_state else None),
            id=number,
        )

    return make
