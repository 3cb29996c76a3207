"""Two organizations: two tiers with proxies, and one box without."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailward.model.holds import Hold, HoldKind
from mailward.model.organization import (
    AccessPoint,
    Database,
    HealthMailbox,
    HostAccess,
    ImapEndpoint,
    Organization,
    Role,
    SecretKind,
    SecretRef,
    Server,
)


def _mailbox(user: str) -> HealthMailbox:
    return HealthMailbox(user=user, password=SecretRef(kind=SecretKind.FILE, name="/run/secret"))


def _server(name: str, role: Role) -> Server:
    return Server(
        name=name,
        roles=frozenset({role}),
        imap=ImapEndpoint(host=f"{name}.example.net"),
        health_mailbox=_mailbox("health-local") if role is Role.MAILBOX else None,
        backend_timeout=timedelta(seconds=8),
        known_as=frozenset({f"{name}.example.net"}),
    )


@pytest.fixture
def two_tiers() -> Organization:
    """proxy1, proxy2; mbx1 with DB1 and DB2 active, mbx2 with DB2's passive copy and none active."""
    servers = [_server("proxy1", Role.PROXY), _server("proxy2", Role.PROXY)]
    servers += [_server("mbx1", Role.MAILBOX), _server("mbx2", Role.MAILBOX)]
    return Organization(
        name="example",
        servers={server.name: server for server in servers},
        access_points={"imap": AccessPoint(name="imap", imap=ImapEndpoint(host="imap.example.net"))},
        databases={
            "DB1": Database(
                name="DB1", copies=("mbx1",), active="mbx1", health_mailbox=_mailbox("health-db1"), mailboxes=120
            ),
            "DB2": Database(
                name="DB2", copies=("mbx1", "mbx2"), active="mbx1", health_mailbox=_mailbox("health-db2"), mailboxes=80
            ),
        },
        identity="example-token",
    )


@pytest.fixture
def one_box() -> Organization:
    """A single mailbox server with one database and its public name."""
    server = replace(_server("box", Role.MAILBOX), host=HostAccess(store_paths=("/srv/mail",)))
    return Organization(
        name="example",
        servers={"box": server},
        access_points={
            "mail.example.net": AccessPoint(
                name="mail.example.net", imap=ImapEndpoint(host="mail.example.net"), servers=("box",)
            )
        },
        databases={"DB1": Database(name="DB1", copies=("box",), active="box", health_mailbox=_mailbox("health-db1"))},
    )


@pytest.fixture
def moved() -> Callable[[Organization, str, str], Organization]:
    """The organization after a database has moved."""

    def move(organization: Organization, database: str, server: str) -> Organization:
        databases = dict(organization.databases)
        databases[database] = replace(databases[database], active=server)
        return replace(organization, databases=databases)

    return move


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def a_hold() -> Callable[..., Hold]:
    """Something held by eva from noon on: kind, subject, value; `item` is (item type, property) of an override."""

    def make(
        kind: HoldKind,
        subject: str,
        value: str = "on",
        *,
        item: tuple[str, str] | None = None,
        until: datetime | None = NOON + timedelta(hours=1),
        **changes: object,
    ) -> Hold:
        data = {} if item is None else {"item_type": item[0], "property": item[1]}
        hold = Hold(
            kind=kind, subject=subject, value=value, owner="eva", reason="to see", since=NOON, until=until, data=data
        )
        return replace(hold, **changes)

    return make


@pytest.fixture
def an_override(a_hold) -> Callable[..., Hold]:
    """subject, item type, property, value."""

    def make(subject: str, item_type: str, name: str, value: str, **changes: object) -> Hold:
        return a_hold(HoldKind.OVERRIDE, subject, value, item=(item_type, name), **changes)

    return make
