"""
Runs every scenario: a folder is a situation, a file in it one view of it: what is seen, and the verdict expected of it.

Views of one situation differ in how much is visible, so the expectation includes the confidence. Moments are told in
seconds ago; a neighbour without a cause is well.
"""

import tomllib
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mailward.diagnosis import diagnose
from mailward.model import items
from mailward.model.evidence import (
    DiskUsage,
    Evidence,
    LogLine,
    ProberEvidence,
    ServerEvidence,
    ServiceState,
    ServiceStatus,
)
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
from mailward.model.probing import Cause, Certificate, Phase, ProbeResult, ResultType
from mailward.model.verdict import Confidence, Dependency, Tier

HERE = Path(__file__).parent
VIEWS = sorted(HERE.glob("*/*.toml"))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.parent.name}/{view.stem}")
def test_the_fault_is_placed_where_it_is(view: Path) -> None:
    scene = tomllib.loads(view.read_text())
    expected = scene["verdict"]

    verdict = diagnose(
        a_result(scene["failed"]),
        organization=an_organization(scene.get("organization", "two-tier")),
        neighbours=[a_result(seen) for seen in scene.get("neighbours", [])],
        evidence=an_evidence(scene),
        now=NOON,
        broken_since=ago(scene["broken_ago_s"]) if "broken_ago_s" in scene else None,
    )

    assert verdict is not None
    found = (verdict.tier, verdict.server, verdict.dependency, verdict.confidence)
    dependency = Dependency(expected["dependency"]) if "dependency" in expected else None
    wanted = (Tier(expected["tier"]), expected.get("server"), dependency, Confidence(expected["confidence"]))
    assert wanted == found, verdict.because
    for words in expected.get("mentions", []):
        assert words in verdict.because


def test_there_are_scenarios() -> None:
    assert len(VIEWS) > 60


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def a_result(seen: dict[str, Any]) -> ProbeResult:
    cause = Cause(seen["cause"]) if "cause" in seen else None
    failure = ResultType.TIMED_OUT if cause is Cause.TIMEOUT else ResultType.FAILED
    target = seen.get("target", seen["server"])
    logs_in = seen["probe"] != items.PROXY_TEST_PROBE
    return ProbeResult(
        probe=seen["probe"],
        health_set=items.IMAP,
        server=seen["server"],
        target=target,
        at=ago(seen.get("ago_s", 2)),
        took=timedelta(seconds=seen.get("took_s", 0.1)),
        result=ResultType(seen["result"]) if "result" in seen else failure if cause else ResultType.SUCCEEDED,
        failed_phase=Phase(seen["phase"]) if "phase" in seen else None,
        cause=cause,
        response_code=seen.get("code"),
        detail=seen.get("detail", ""),
        address=seen.get("address"),
        mailbox_server=seen.get("mailbox_server"),
        account=seen.get("account", f"health-{target.lower()}") if logs_in else None,
        tls=seen.get("tls"),
        certificate=a_certificate(seen["certificate"]) if "certificate" in seen else None,
        transcript=tuple(seen.get("transcript", ())),
    )


def a_certificate(name: str) -> Certificate:
    return Certificate(
        subject=name,
        issuer="Lab CA",
        names=(name,),
        not_before=ago(86400 * 90),
        not_after=ago(86400 * 2),
        sha256=sha256(name.encode()).hexdigest(),
        verified=True,
    )


def an_organization(name: str) -> Organization:
    described = tomllib.loads((HERE / f"{name}.toml").read_text())
    servers = {
        server: Server(
            name=server,
            roles=frozenset({role}),
            imap=ImapEndpoint(host=f"{server}.example"),
            health_mailbox=a_mailbox(server) if role is Role.MAILBOX else None,
            backend_timeout=timedelta(seconds=15),
        )
        for role, names in ((Role.PROXY, described["proxies"]), (Role.MAILBOX, described["mailbox_servers"]))
        for server in names
    }
    return Organization(
        name=name,
        servers=servers,
        access_points={
            point: AccessPoint(name=point, imap=ImapEndpoint(host=point), servers=tuple(behind))
            for point, behind in described.get("access_points", {}).items()
        },
        databases={
            database: Database(
                name=database, copies=tuple(copies), active=copies[0], health_mailbox=a_mailbox(database)
            )
            for database, copies in described.get("databases", {}).items()
        },
    )


def a_mailbox(of: str) -> HealthMailbox:
    return HealthMailbox(user=f"health-{of.lower()}", password=SecretRef(kind=SecretKind.ENVIRONMENT, name="NONE"))


def an_evidence(scene: dict[str, Any]) -> Evidence:
    prober = scene.get("prober", {})
    return Evidence(
        servers=tuple(a_host(host) for host in scene.get("hosts", [])),
        prober=ProberEvidence(
            loop_lag=timedelta(seconds=prober.get("loop_lag_s", 0)), network_up=prober.get("network_up")
        ),
    )


def a_host(host: dict[str, Any]) -> ServerEvidence:
    name = host["server"]
    service = None
    if "state" in host:
        service = ServiceStatus(
            state=ServiceState(host["state"]),
            because=host.get("because", "so its supervisor says"),
            since=ago(host["since_ago_s"]) if "since_ago_s" in host else None,
            in_kernel=host.get("in_kernel", False),
        )
    return ServerEvidence(
        server=name,
        service=service,
        log=tuple(LogLine(server=name, text=text, at=ago(1)) for text in host.get("log", [])),
        disks=tuple(DiskUsage(server=name, total_bytes=10**12, **disk) for disk in host.get("disks", [])),
        certificate_on_disk=host.get("certificate_on_disk"),
    )
