"""A small organization, its monitors at night, and a watch that decides as time passes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailward.alerts.deciding import Telling, Told, decide
from mailward.alerts.settings import EscalationSettings
from mailward.model import items
from mailward.model.channels import Channel, ChannelKind
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.organization import Database, ImapEndpoint, Organization, Role, Server
from mailward.model.recovery import Mode, Operation, OperationKind, OperationStatus
from mailward.model.verdict import Confidence, Tier, Verdict

NIGHT = datetime(2026, 11, 24, 2, 14, tzinfo=UTC)


def _organization() -> Organization:
    servers = {
        name: Server(name=name, roles=frozenset({role}), imap=ImapEndpoint(host=name))
        for name, role in [
            ("proxy1", Role.PROXY),
            ("proxy2", Role.PROXY),
            ("be1", Role.MAILBOX),
            ("be2", Role.MAILBOX),
        ]
    }
    databases = {
        "db1": Database(name="db1", copies=("be1", "be2"), active="be1", mailboxes=1200),
        "db2": Database(name="db2", copies=("be1", "be2"), active="be1"),
        "db3": Database(name="db3", copies=("be2", "be1"), active="be2", mailboxes=800),
    }
    return Organization(name="example", servers=servers, databases=databases)


BE1_DEAD = Verdict(
    tier=Tier.MAILBOX_SERVER,
    server="be1",
    confidence=Confidence.CERTAIN,
    because="the IMAP service on be1 refuses connections and its master process is gone",
)


def _status(
    item: str = items.SELF_TEST_MONITOR,
    server: str = "be1",
    target: str = "",
    *,
    state: AlertValue = AlertValue.UNHEALTHY,
    verdict: Verdict | None = BE1_DEAD,
    health_set: str | None = None,
    broken: datetime = NIGHT,
    mailbox_server: str | None = None,
    flapping: bool = False,
    because: str = "3 of 3 failed",
) -> MonitorStatus:
    sets = {items.CTP_MONITOR: items.IMAP, items.PROXY_TEST_MONITOR: items.IMAP_PROXY}
    own = health_set or sets.get(item, items.IMAP_PROTOCOL)
    is_broken = state in (AlertValue.DEGRADED, AlertValue.UNHEALTHY)
    return MonitorStatus(
        key=MonitorKey(server=server, health_set=own, item=item, target=target),
        state=state,
        since=broken + timedelta(minutes=1) if state is AlertValue.UNHEALTHY else broken,
        because=because,
        broken_since=broken if is_broken else None,
        verdict=verdict,
        mailbox_server=mailbox_server,
        flapping=flapping,
    )


def _operation(status: OperationStatus = OperationStatus.RUNNING, number: int = 12, **changes: object) -> Operation:
    operation = Operation(
        id=number,
        kind=OperationKind.MAILBOX_SERVER,
        target="be1",
        server="be1",
        mode=Mode.ACT,
        status=status,
        because="the service does not come back",
        started_at=NIGHT,
        cause=MonitorKey(server="be1", health_set=items.IMAP_PROTOCOL, item=items.SELF_TEST_MONITOR, target=""),
    )
    return replace(operation, **changes)  # type: ignore[arg-type]


MAIL = Channel(name="mail", kind=ChannelKind.SMTP)
PAGER = Channel(name="pager", kind=ChannelKind.WEBHOOK, urgent_only=True)
MANAGER = Channel(name="am", kind=ChannelKind.ALERTMANAGER)
PING = Channel(name="ping", kind=ChannelKind.DEAD_MAN)


class Night:
    """A night's watch: time passes, statuses change, what is decided is kept as the engine keeps it."""

    status = staticmethod(_status)
    operation = staticmethod(_operation)

    def __init__(self) -> None:
        self.told = Told(
            now=NIGHT,
            organization=_organization(),
            statuses=(),
            settings=EscalationSettings(group_wait=timedelta(seconds=10), repeat_after=timedelta(hours=4)),
            channels=(MAIL, PAGER, MANAGER, PING),
        )
        self.last = Telling()

    def at(self, after: timedelta, **changes: object) -> list[tuple[str, str]]:
        """Decide so long after the night's beginning; which channel is told what: (channel, urgency or resolved)."""
        self.told = replace(self.told, now=NIGHT + after, **changes)  # type: ignore[arg-type]
        self.last = decide(self.told)
        self.told = replace(self.told, alerts=self.last.known)
        return [(notice.channel, notice.alert.title.split()[0]) for notice in self.last.notices]


@pytest.fixture
def night() -> Night:
    return Night()


@pytest.fixture
def organization() -> Organization:
    return _organization()


@pytest.fixture
def be1_dead() -> Verdict:
    return BE1_DEAD


@pytest.fixture
def a_status() -> Callable[..., MonitorStatus]:
    """A status: by default the self test of be1, Unhealthy because its service is gone."""
    return _status


@pytest.fixture
def an_operation() -> Callable[..., Operation]:
    """A recovery of be1, by default number 12 and running."""
    return _operation
