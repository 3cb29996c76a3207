from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from mailward.diagnosis import diagnose, diagnose_alone
from mailward.diagnosis.case import SPOKEN_AT_DOOR
from mailward.model.evidence import (
    DiskUsage,
    Evidence,
    LogLine,
    ProberEvidence,
    ServerEvidence,
    ServiceState,
    ServiceStatus,
)
from mailward.model.items import CTP_PROBE, DEEP_TEST_PROBE, PROXY_TEST_PROBE, SELF_TEST_PROBE
from mailward.model.organization import AccessPoint, Database, ImapEndpoint, Organization, Role, Server
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType
from mailward.model.verdict import Confidence, Tier

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

#: Answers that are proof in themselves: nothing else need be known to be certain.
PROOF_ITSELF = {
    Cause.PROBER_FAULT,
    Cause.NAME_UNKNOWN,
    Cause.TLS_EXPIRED,
    Cause.TLS_NOT_YET_VALID,
    Cause.TLS_UNTRUSTED,
    Cause.TLS_NAME,
    Cause.PROTOCOL_VIOLATION,
    Cause.LIMIT,
    Cause.OVER_QUOTA,
    Cause.AUTH_EXPIRED,
    Cause.STORE_CHANGED,
    Cause.CONTENT_MISMATCH,
}


def server(name: str, role: Role) -> Server:
    return Server(name=name, roles=frozenset({role}), imap=ImapEndpoint(host=f"{name}.example"))


ORGANIZATION = Organization(
    name="example",
    servers={
        "proxy1": server("proxy1", Role.PROXY),
        "proxy2": server("proxy2", Role.PROXY),
        "be1": server("be1", Role.MAILBOX),
        "be2": server("be2", Role.MAILBOX),
    },
    access_points={
        "mail": AccessPoint(name="mail", imap=ImapEndpoint(host="mail.example"), servers=("proxy1", "proxy2"))
    },
    databases={
        "DB1": Database(name="DB1", copies=("be1", "be2"), active="be1"),
        "DB2": Database(name="DB2", copies=("be2", "be1"), active="be2"),
    },
)

PROBES = [CTP_PROBE, DEEP_TEST_PROBE, PROXY_TEST_PROBE, SELF_TEST_PROBE, "SomethingElse"]
NAMES = [*ORGANIZATION.servers, "mail", "nobody"]

results = st.builds(
    ProbeResult,
    probe=st.sampled_from(PROBES),
    health_set=st.just("IMAP"),
    server=st.sampled_from(NAMES),
    target=st.sampled_from(["DB1", "DB2", "DB9", *NAMES]),
    at=st.integers(-600, 5).map(lambda ago: NOON + timedelta(seconds=ago)),
    took=st.integers(0, 20).map(lambda took: timedelta(seconds=took)),
    result=st.sampled_from(ResultType),
    failed_phase=st.none() | st.sampled_from(Phase),
    cause=st.none() | st.sampled_from(Cause),
    response_code=st.sampled_from([None, "LIMIT", "UNAVAILABLE"]),
    detail=st.sampled_from(["", "NO [UNAVAILABLE] no", "user+IP"]),
    address=st.sampled_from([None, "127.0.0.1:993", "[::1]:993", "be1.example:993", ""]),
    mailbox_server=st.sampled_from([None, "be1", "be2.example", "elsewhere"]),
    account=st.sampled_from([None, "health-db1", "health-db2"]),
    session=st.sampled_from([None, "", "abc"]),
    tls=st.sampled_from([None, "TLSv1.3"]),
)

LINES = [
    "imap-login: Error: proxy(health-db1,127.0.0.1:993): connect(127.0.0.1, 993) failed: Connection refused",
    "imap-login: Error: proxy(health-db1,127.0.0.1:993): Login timed out in state=/none (after 8 secs)",
    "imap-login: Error: proxy(other,127.0.0.1:993): Login timed out in state=login/id (after 8 secs)",
    "imap-login: Error: Received invalid SSL certificate: certificate has expired: /CN=be1",
    "master: Warning: service(imap): process_limit (3) reached, client connections are being dropped",
    "auth: Error: passwd-file(x): open(x) failed: Permission denied",
    "auth-worker: Error: Password query failed: no such table: users",
    "imap(health-db1): Error: Mailbox INBOX: stat(x) failed: Permission denied",
    "imap-login: Info: Login: user=<anna>, method=PLAIN, rip=127.0.0.1",
    "",
]

evidences = st.builds(
    Evidence,
    servers=st.lists(
        st.builds(
            ServerEvidence,
            server=st.sampled_from(list(ORGANIZATION.servers)),
            service=st.none()
            | st.builds(
                ServiceStatus,
                state=st.sampled_from(ServiceState),
                because=st.just("so it says"),
                since=st.sampled_from([None, NOON, NOON - timedelta(days=3)]),
                in_kernel=st.booleans(),
            ),
            log=st.lists(
                st.builds(
                    LogLine,
                    server=st.just("be1"),
                    text=st.sampled_from(LINES),
                    at=st.sampled_from([None, NOON, NOON - timedelta(hours=1)]),
                ),
                max_size=3,
            ).map(tuple),
            disks=st.lists(
                st.builds(
                    DiskUsage,
                    server=st.just("be1"),
                    path=st.just("/mail"),
                    free_bytes=st.sampled_from([0, 10**9]),
                    total_bytes=st.just(10**10),
                    read_only=st.booleans(),
                ),
                max_size=1,
            ).map(tuple),
            certificate_on_disk=st.sampled_from([None, "aa"]),
        ),
        max_size=3,
        unique_by=lambda known: known.server,
    ).map(tuple),
    prober=st.builds(
        ProberEvidence,
        loop_lag=st.sampled_from([timedelta(0), timedelta(seconds=3)]),
        network_up=st.sampled_from([None, True, False]),
    ),
)
organizations = st.sampled_from([ORGANIZATION, Organization(name="", servers={})])


@settings(max_examples=600, deadline=None)
@given(results, organizations, st.lists(results, max_size=8), evidences, st.sampled_from([None, NOON]))
def test_every_failure_gets_a_verdict_and_nothing_else_does(
    result: ProbeResult,
    organization: Organization,
    neighbours: list[ProbeResult],
    evidence: Evidence,
    broken_since: datetime | None,
) -> None:
    verdict = diagnose(
        result,
        organization=organization,
        neighbours=neighbours,
        evidence=evidence,
        now=NOON,
        broken_since=broken_since,
    )

    assert (result.result in (ResultType.SUCCEEDED, ResultType.NOT_APPLICABLE)) == (verdict is None)
    if verdict is not None:
        assert verdict.because
        assert "\n" not in verdict.because
        assert "None" not in verdict.because
        assert verdict.server is None or verdict.server in organization.servers or verdict.server == result.server
        assert verdict.tier is not Tier.MONITORING or verdict.server is None


@settings(max_examples=400, deadline=None)
@given(results, organizations)
def test_one_conversation_alone_is_certain_only_when_it_is_proof_itself(
    result: ProbeResult, organization: Organization
) -> None:
    verdict = diagnose(result, organization=organization, neighbours=(), evidence=Evidence(), now=NOON)

    if verdict is not None and verdict.confidence is Confidence.CERTAIN:
        # Instead of a greeting Dovecot says in its own words that its authentication is broken.
        admits = result.cause is Cause.AUTH_UNAVAILABLE and result.failed_phase in SPOKEN_AT_DOOR
        assert admits or result.result is ResultType.PROBER_OVERLOADED or result.cause in PROOF_ITSELF


@settings(max_examples=400, deadline=None)
@given(results, st.lists(results, max_size=8), evidences)
def test_stale_neighbours_change_nothing(
    result: ProbeResult, neighbours: list[ProbeResult], evidence: Evidence
) -> None:
    stale = [replace(neighbour, at=NOON - timedelta(days=1)) for neighbour in neighbours]

    with_them = diagnose(result, organization=ORGANIZATION, neighbours=stale, evidence=evidence, now=NOON)

    assert diagnose(result, organization=ORGANIZATION, neighbours=(), evidence=evidence, now=NOON) == with_them


@settings(max_examples=400, deadline=None)
@given(results, st.lists(results, max_size=6))
def test_neighbours_that_measured_nothing_change_nothing(result: ProbeResult, neighbours: list[ProbeResult]) -> None:
    nothing = [
        replace(neighbour, result=kind)
        for neighbour in neighbours
        for kind in (ResultType.NOT_APPLICABLE, ResultType.PROBER_OVERLOADED)
    ]

    with_them = diagnose(result, organization=ORGANIZATION, neighbours=nothing, evidence=Evidence(), now=NOON)

    assert diagnose(result, organization=ORGANIZATION, neighbours=(), evidence=Evidence(), now=NOON) == with_them


@settings(max_examples=200, deadline=None)
@given(results)
def test_an_examination_without_configuration_names_no_tier_it_cannot_see(result: ProbeResult) -> None:
    verdict = diagnose_alone(result)

    if verdict is not None:
        assert Tier.PROXY is not verdict.tier
        assert verdict.tier is not Tier.PATH
