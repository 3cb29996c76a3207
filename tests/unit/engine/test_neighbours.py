from datetime import UTC, datetime, timedelta

import pytest

from mailward.engine.neighbours import Neighbourhood
from mailward.model import items
from mailward.model.organization import (
    AccessPoint,
    Database,
    HealthMailbox,
    ImapEndpoint,
    Organization,
    Role,
    SecretKind,
    SecretRef,
    Server,
)
from mailward.model.probing import ProbeResult, ResultType
from mailward.monitors.coverage import cover
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings

MAILBOX = HealthMailbox(user="health", password=SecretRef(kind=SecretKind.FILE, name="secret"))


def a_server(name: str, role: Role) -> Server:
    return Server(name=name, roles=frozenset({role}), imap=ImapEndpoint(host=name), health_mailbox=MAILBOX)


ORGANIZATION = Organization(
    name="example",
    servers={
        "mbx1": a_server("mbx1", Role.MAILBOX),
        "mbx2": a_server("mbx2", Role.MAILBOX),
        "proxy1": a_server("proxy1", Role.PROXY),
    },
    access_points={"public": AccessPoint(name="public", imap=ImapEndpoint(host="imap"), servers=("proxy1",))},
    databases={
        name: Database(name=name, copies=("mbx1", "mbx2"), active="mbx1", health_mailbox=MAILBOX)
        for name in ("DB1", "DB2")
    },
)
PLANNED = cover(ORGANIZATION, ProbingSettings(), MonitorSettings()).probes


@pytest.mark.parametrize(
    ("probe", "server", "target", "expected"),
    [
        (
            items.CTP_PROBE,
            "proxy1",
            "DB1",
            ["ImapProxyTestProbe proxy1", "ImapSelfTestProbe mbx1", "ImapDeepTestProbe DB1"],
        ),
        (
            items.CTP_PROBE,
            "public",
            "DB2",
            ["ImapProxyTestProbe proxy1", "ImapSelfTestProbe mbx1", "ImapDeepTestProbe DB2"],
        ),
        (items.DEEP_TEST_PROBE, "mbx1", "DB1", ["ImapSelfTestProbe mbx1"]),
        (items.SELF_TEST_PROBE, "mbx1", "mbx1", ["ImapDeepTestProbe DB1"]),
        (items.PROXY_TEST_PROBE, "proxy1", "proxy1", []),
        (items.CTP_PROBE, "gone", "gone", []),
    ],
)
def test_a_failure_is_compared_with_the_layers_around_it(probe, server, target, expected):
    failure = ProbeResult(
        probe=probe,
        health_set="IMAP",
        server=server,
        target=target,
        at=datetime(2026, 11, 24, tzinfo=UTC),
        took=timedelta(0),
        result=ResultType.FAILED,
    )

    assert expected == [f"{key.probe} {key.target}" for key in Neighbourhood(PLANNED, ORGANIZATION).of(failure)]
