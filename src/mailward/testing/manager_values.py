"""Values of a small two-tier organization in the middle of a fault, for everything that shows or passes on values."""

from dataclasses import replace
from datetime import timedelta

from mailward.model.event import Event, EventKind
from mailward.model.health import ComponentState, HealthSetReport, MonitorHealth, RollupReport
from mailward.model.items import (
    CTP_MONITOR,
    CTP_PROBE,
    DEEP_TEST_MONITOR,
    DEEP_TEST_PROBE,
    IMAP,
    IMAP_PROTOCOL,
    IMAP_PROXY,
    PROXY_TEST_MONITOR,
    HealthGroup,
)
from mailward.model.latencies import Latencies, LatencyPoint, PhaseShare
from mailward.model.measures import (
    ActionCount,
    Allowance,
    FailureCount,
    Measures,
    MonitorCount,
    PhaseTimes,
    RecoveryCount,
    ResultCount,
    WithheldCount,
)
from mailward.model.monitoring import AlertValue
from mailward.model.probing import (
    Canary,
    Cause,
    Certificate,
    Phase,
    PhaseOutcome,
    PhaseTiming,
    ProbeResult,
    ResultType,
)
from mailward.model.recovery import ActionClass, Gate, OperationStatus, StepOutcome
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict
from mailward.ports.manager import ItemInstance, ManagerStatus, ServerEntry, ServerKind
from mailward.testing.availability_values import AVAILABILITY
from mailward.testing.copy_values import COPIES
from mailward.testing.manager import FakeManager
from mailward.testing.protocol_log_values import LOGGED_SESSIONS, PROTOCOL_LOGS
from mailward.testing.repair_values import (
    ALERTS,
    HEALED_STORY,
    HOLDS,
    NOON,
    NOTICES,
    RECOMMENDED_STORY,
    RESOLVED_ALERT,
    SERVICES,
    WAITING_STORY,
)

STORE_VERDICT = Verdict(
    tier=Tier.STORE,
    confidence=Confidence.CERTAIN,
    because="the self test of mbx2 succeeds but its store refuses to open the health mailbox of DB2",
    server="mbx2",
    dependency=Dependency.INFORMATION_STORE,
)

CERTIFICATE = Certificate(
    subject="CN=mbx2.example.org",
    issuer="CN=Example CA",
    names=("mbx2.example.org", "imap.example.org"),
    not_before=NOON - timedelta(days=30),
    not_after=NOON + timedelta(days=60),
    sha256="ab" * 32,
    verified=True,
)


def a_phase(phase: Phase, ms: float, outcome: PhaseOutcome = PhaseOutcome.OK) -> PhaseTiming:
    """One phase that took *ms* milliseconds."""
    return PhaseTiming(phase=phase, took=timedelta(milliseconds=ms), outcome=outcome)


SUCCEEDED = ProbeResult(
    probe=CTP_PROBE,
    health_set=IMAP,
    server="proxy1",
    target="DB1",
    at=NOON,
    took=timedelta(milliseconds=41.5),
    result=ResultType.SUCCEEDED,
    phases=(
        a_phase(Phase.CONNECT, 0.4),
        a_phase(Phase.TLS, 5.25),
        a_phase(Phase.GREETING, 0.9),
        a_phase(Phase.AUTH, 20),
        a_phase(Phase.SELECT, 9),
        a_phase(Phase.FETCH, 4.95),
        a_phase(Phase.LOGOUT, 1),
    ),
    address="127.0.1.1:993",
    mailbox_server="mbx1",
    certificate=CERTIFICATE,
    tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
    capabilities=("IMAP4REV1", "IDLE", "UIDPLUS"),
    canary=Canary(uid_validity=7, uid=1, size=321, sha256="cd" * 32),
    account="health-db1@example.org",
    session="mailward-17",
    transcript=("S: * OK Dovecot ready.", "C: p1 LOGIN health-db1@example.org ***", "S: p1 OK Logged in"),
)

FAILED = ProbeResult(
    probe=DEEP_TEST_PROBE,
    health_set=IMAP_PROTOCOL,
    server="mbx2",
    target="DB2",
    at=NOON + timedelta(seconds=1),
    took=timedelta(milliseconds=30.25),
    result=ResultType.FAILED,
    failed_phase=Phase.SELECT,
    cause=Cause.STORE_ERROR,
    response_code="SERVERBUG",
    detail="NO [SERVERBUG] Internal error occurred",
    phases=(a_phase(Phase.CONNECT, 0.5), a_phase(Phase.AUTH, 12), a_phase(Phase.SELECT, 17.75, PhaseOutcome.FAILED)),
    address="127.0.1.4:993",
    mailbox_server="mbx2",
    account="health-db2@example.org",
    transcript=("C: p2 SELECT INBOX", "S: p2 NO [SERVERBUG] Internal error occurred"),
    verdict=STORE_VERDICT,
)


def _share(phase: Phase, ms: float) -> PhaseShare:
    return PhaseShare(phase=phase, took=timedelta(milliseconds=ms))


LATENCIES = (
    Latencies(
        server="mbx2",
        probe=DEEP_TEST_PROBE,
        target="DB2",
        since=NOON - timedelta(hours=6),
        step=timedelta(minutes=5),
        points=(
            LatencyPoint(
                start=NOON - timedelta(minutes=10),
                count=10,
                failures=0,
                took=timedelta(milliseconds=32.5),
                longest=timedelta(milliseconds=60),
                phases=(_share(Phase.CONNECT, 0.5), _share(Phase.AUTH, 12)),
            ),
            LatencyPoint(
                start=NOON - timedelta(minutes=5),
                count=10,
                failures=4,
                took=timedelta(milliseconds=48),
                longest=timedelta(milliseconds=900),
                phases=(_share(Phase.CONNECT, 0.5), _share(Phase.SELECT, 40)),
            ),
        ),
    ),
)

HEALTH = (
    MonitorHealth(
        server="mbx2",
        state=ComponentState.NOT_APPLICABLE,
        name=DEEP_TEST_MONITOR,
        target_resource="DB2",
        health_set_name=IMAP_PROTOCOL,
        alert_value=AlertValue.UNHEALTHY,
        server_component=None,
        since=NOON,
        because="3 consecutive failures",
        verdict=STORE_VERDICT,
        mailbox_server="mbx2",
        last_result_at=NOON + timedelta(seconds=1),
    ),
    MonitorHealth(
        server="proxy1",
        state=ComponentState.NOT_APPLICABLE,
        name=CTP_MONITOR,
        target_resource="DB2",
        health_set_name=IMAP,
        alert_value=AlertValue.DEGRADED,
        server_component=None,
        since=NOON,
        because="3 consecutive failures",
        verdict=STORE_VERDICT,
        mailbox_server="mbx2",
        flapping=True,
    ),
    MonitorHealth(
        server="proxy1",
        state=ComponentState.ONLINE,
        name=PROXY_TEST_MONITOR,
        target_resource="proxy1",
        health_set_name=IMAP_PROXY,
        alert_value=AlertValue.HEALTHY,
        server_component="ImapProxy",
        since=NOON - timedelta(hours=5),
        because="2 consecutive successes",
    ),
)

REPORT = (
    HealthSetReport(
        server="mbx2",
        state=ComponentState.NOT_APPLICABLE,
        health_set=IMAP_PROTOCOL,
        group=HealthGroup.SERVICE_COMPONENTS,
        alert_value=AlertValue.UNHEALTHY,
        last_transition=NOON,
        monitor_count=5,
        because="ImapDeepTestMonitor of DB2 is Unhealthy",
    ),
    HealthSetReport(
        server="proxy1",
        state=ComponentState.ONLINE,
        health_set=IMAP_PROXY,
        group=HealthGroup.SERVICE_COMPONENTS,
        alert_value=AlertValue.HEALTHY,
        last_transition=None,
        monitor_count=2,
        because="every monitor is healthy",
    ),
)

ROLLUP = (
    RollupReport(
        group="mailbox 1",
        health_set=IMAP_PROTOCOL,
        alert_value=AlertValue.UNHEALTHY,
        healthy_servers=1,
        servers=2,
        because="1 of 2 servers is healthy, less than 70 %",
    ),
)

ITEMS = (
    ItemInstance(
        identity="IMAP/ImapCTPProbe/DB1",
        item_type="Probe",
        name=CTP_PROBE,
        server="proxy1",
        target_resource="DB1",
        interval=timedelta(seconds=30),
        timeout=timedelta(seconds=11),
    ),
    ItemInstance(
        identity="IMAP.Protocol/ImapDeepTestMonitor/DB2",
        item_type="Monitor",
        name=DEEP_TEST_MONITOR,
        server="mbx2",
        target_resource="DB2",
    ),
)

EVENTS = (
    Event(
        id=1,
        at=NOON - timedelta(minutes=5),
        kind=EventKind.MANAGER_STARTED,
        subject="manager",
        because="started by root",
    ),
    Event(
        id=2,
        at=NOON,
        kind=EventKind.MONITOR_CHANGED,
        subject="mbx2/IMAP.Protocol/ImapDeepTestMonitor/DB2",
        because="3 consecutive failures",
        before="Healthy",
        after="Degraded",
        cause_event=1,
        data={"affected": ["DB2"], "mailboxes": 12, "verdict": {"tier": "store"}},
    ),
)

STATUS = ManagerStatus(
    organization="Example",
    version="0.1.0",
    started_at=NOON - timedelta(minutes=5),
    servers=4,
    monitors=12,
    unhealthy=2,
    probes_late=0,
    store_reachable=True,
    pending_results=0,
    configuration_loaded_at=NOON - timedelta(minutes=5),
)

MEASURES = Measures(
    since=NOON - timedelta(minutes=5),
    results=(
        ResultCount(probe=CTP_PROBE, result=ResultType.SUCCEEDED, count=40),
        ResultCount(probe=DEEP_TEST_PROBE, result=ResultType.FAILED, count=3),
    ),
    failures=(FailureCount(probe=DEEP_TEST_PROBE, phase=Phase.SELECT, cause=Cause.STORE_ERROR, count=3),),
    phases=(
        PhaseTimes(
            probe=CTP_PROBE,
            phase=Phase.AUTH,
            counts=(0, 0, 0, 1, 38, 1, *(0,) * 9),
            took=timedelta(milliseconds=800),
        ),
    ),
    monitors=(MonitorCount(health_set=IMAP_PROTOCOL, state=AlertValue.UNHEALTHY, count=1),),
    actions=(ActionCount(action=ActionClass.RESTART, outcome=StepOutcome.DONE, count=1),),
    withheld=(WithheldCount(action=ActionClass.RESTART, gate=Gate.MODE, count=2),),
    recoveries=(RecoveryCount(status=OperationStatus.AWAITING_APPROVAL, count=1),),
    allowances=(Allowance(server="mbx2", action=ActionClass.RESTART, remaining=3, limit=4),),
    probes_running=2,
    schedule_lag=timedelta(milliseconds=20),
    loop_lag=timedelta(milliseconds=1.5),
)

STORIES = (replace(HEALED_STORY, transcripts=(FAILED,)), WAITING_STORY, RECOMMENDED_STORY)
"""With the numbers 1 to 3."""

ENTRIES = (
    ServerEntry(name="imap.example.org", kind=ServerKind.ACCESS_POINT, address="imap.example.org:993"),
    ServerEntry(name="proxy1", kind=ServerKind.PROXY, address="proxy1.example.org:993", site="north"),
    ServerEntry(name="mbx1", kind=ServerKind.MAILBOX, address="mbx1.example.org:993", databases=("DB1",)),
    ServerEntry(name="mbx2", kind=ServerKind.MAILBOX, address="mbx2.example.org:993", databases=("DB2",)),
)


def example_manager() -> FakeManager:
    """A manager that shows all of the above."""
    manager = FakeManager(
        status=STATUS,
        measures=MEASURES,
        health=HEALTH,
        report=REPORT,
        rollup=ROLLUP,
        items=ITEMS,
        entries=ENTRIES,
        results=(SUCCEEDED, FAILED),
        latencies=LATENCIES,
        events=EVENTS,
        stories=STORIES,
        services=SERVICES,
        copies=COPIES,
        protocol_logs=PROTOCOL_LOGS,
        sessions=LOGGED_SESSIONS,
        holds=HOLDS,
        alerts=(*ALERTS, RESOLVED_ALERT),
        notices=NOTICES,
        now=NOON,
    )
    manager.months = {AVAILABILITY.month: AVAILABILITY}
    return manager
