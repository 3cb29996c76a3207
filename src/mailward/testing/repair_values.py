"""Values of the same small organization about its repairs: one that healed, one that waits, one only recommended."""

from datetime import UTC, datetime, timedelta

from mailward.model.alerting import Alert, AlertStatus, Notice, Urgency
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.model.items import IMAP_PROTOCOL, IMAP_PROXY, PROXY_TEST_MONITOR, SELF_TEST_MONITOR
from mailward.model.monitoring import MonitorKey
from mailward.model.recovery import (
    ActionClass,
    Answer,
    Gate,
    GateAnswer,
    Mode,
    Operation,
    OperationKind,
    OperationStatus,
    Step,
    StepName,
    StepOutcome,
)
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.ports.manager import RecoveryStory

NOON = datetime(2026, 11, 24, 12, 0, 0, 123000, tzinfo=UTC)
RESTART = ("systemctl", "restart", "dovecot.service")
HUNG_VERDICT = Verdict(
    tier=Tier.MAILBOX_SERVER,
    confidence=Confidence.CERTAIN,
    because="mbx2 accepts connections and greets nobody, and its host says that the service is hung",
    server="mbx2",
)

_ONLY_RECOMMENDED = "mode: the mode of this organization is recommend"
_WITHHELD = {"step": StepName.RESTART_SERVICE.value, "command": list(RESTART)}


def _after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _passes(gate: Gate, because: str, operation: int, seq: int) -> GateAnswer:
    return GateAnswer(gate=gate, answer=Answer.PASSES, because=because, operation=operation, seq=seq)


HEALED_STORY = RecoveryStory(
    operation=Operation(
        id=1,
        kind=OperationKind.MAILBOX_SERVER,
        target="mbx2",
        server="mbx2",
        mode=Mode.ACT,
        status=OperationStatus.HEALED,
        because="healthy again after the restart of the IMAP service",
        started_at=NOON,
        ended_at=_after(71),
        cause=MonitorKey(server="mbx2", health_set=IMAP_PROTOCOL, item=SELF_TEST_MONITOR, target="mbx2"),
        cause_event=2,
        owner="host1/1",
        fence=3,
        verdict=HUNG_VERDICT,
        databases=("DB2",),
        data={"patience_s": 60, "tried": ["restart"]},
    ),
    steps=(
        Step(
            operation=1,
            seq=1,
            place=0,
            name=StepName.RE_PROBE,
            server="mbx2",
            started=_after(0.5),
            ended=_after(1.5),
            fence=3,
            premise="the self test failed three times in a row",
            outcome=StepOutcome.DONE,
            because="still broken: greeting timed out",
        ),
        Step(
            operation=1,
            seq=2,
            place=1,
            name=StepName.START_SERVICE,
            server="mbx2",
            started=_after(1.5),
            ended=_after(1.5),
            fence=3,
            action=ActionClass.START,
            outcome=StepOutcome.SKIPPED,
            because="the host says that the service is hung, so there is nothing to start",
        ),
        Step(
            operation=1,
            seq=3,
            place=2,
            name=StepName.RESTART_SERVICE,
            server="mbx2",
            started=_after(61),
            ended=_after(63.25),
            fence=3,
            action=ActionClass.RESTART,
            premise="its own self test fails and its process is proven stuck",
            intent="restart the IMAP service of mbx2",
            command=RESTART,
            outcome=StepOutcome.DONE,
            because="the service runs since 12:01:03",
            evidence={"before": {"state": "hung", "pid": 4711}, "starts": [1, 2]},
        ),
        Step(
            operation=1,
            seq=4,
            place=3,
            name=StepName.RE_PROBE,
            server="mbx2",
            started=_after(63.25),
            ended=_after(71),
            fence=3,
            outcome=StepOutcome.DONE,
            because="healthy: two good results in a row",
        ),
    ),
    answers=(
        GateAnswer(
            gate=Gate.NOT_YET_UNHEALTHY,
            answer=Answer.WAITS,
            because="ImapSelfTestMonitor has been broken for 1 s of 60 s",
            until=_after(60),
            operation=1,
            seq=3,
        ),
        _passes(Gate.NOT_YET_UNHEALTHY, "ImapSelfTestMonitor has been Unhealthy since 12:01:00", 1, 3),
        _passes(Gate.CONFIGURATION_INVALID, "doveconf accepts the configuration on disk", 1, 3),
        _passes(Gate.THROTTLE, "no restart of mbx2 in the last 10 min, 0 of 4 in 24 h", 1, 3),
    ),
    events=(
        Event(
            id=3,
            at=NOON,
            kind=EventKind.RECOVERY_STARTED,
            subject="mbx2",
            because="ImapSelfTestMonitor broke",
            operation=1,
            cause_event=2,
        ),
        Event(
            id=4,
            at=_after(71),
            kind=EventKind.RECOVERY_ENDED,
            subject="mbx2",
            because="healthy again after the restart of the IMAP service",
            after="healed",
            operation=1,
        ),
    ),
)

WAITING_STORY = RecoveryStory(
    operation=Operation(
        id=2,
        kind=OperationKind.PROXY,
        target="proxy1",
        server="proxy1",
        mode=Mode.APPROVE,
        status=OperationStatus.AWAITING_APPROVAL,
        because="the restart of the IMAP service of proxy1 waits for a person",
        started_at=_after(100),
        wake_at=_after(1000),
        cause=MonitorKey(server="proxy1", health_set=IMAP_PROXY, item=PROXY_TEST_MONITOR, target="proxy1"),
        owner="host1/1",
        fence=3,
        databases=("DB1", "DB2"),
        data={"withheld": {**_WITHHELD, "server": "proxy1", "because": "approval: it needs a yes"}},
    ),
    steps=(
        Step(
            operation=2,
            seq=1,
            place=0,
            name=StepName.RE_PROBE,
            server="proxy1",
            started=_after(100),
            ended=_after(101),
            fence=3,
            outcome=StepOutcome.DONE,
            because="still broken: connection timed out",
        ),
    ),
    answers=(
        _passes(Gate.VERDICT, "certain: the proxy proxy1", 2, 2),
        GateAnswer(
            gate=Gate.APPROVAL,
            answer=Answer.WAITS,
            because="the class restart needs a person's yes; say `mailward recoveries approve 2`",
            until=_after(1000),
            operation=2,
            seq=2,
        ),
    ),
)

RECOMMENDED_STORY = RecoveryStory(
    operation=Operation(
        id=3,
        kind=OperationKind.MAILBOX_SERVER,
        target="mbx2",
        server="mbx2",
        mode=Mode.RECOMMEND,
        status=OperationStatus.TRANSIENT,
        because="it works again: two good results in a row; mailward had touched nothing",
        started_at=_after(-86_400),
        escalated_at=_after(-86_340),
        ended_at=_after(-86_000),
        verdict=HUNG_VERDICT,
        databases=("DB2",),
        owner="host1/1",
        fence=2,
        data={
            "withheld": {**_WITHHELD, "server": "mbx2", "because": _ONLY_RECOMMENDED, "would_do": True},
            "recommended": [
                {**_WITHHELD, "server": "mbx2", "because": _ONLY_RECOMMENDED, "at": _after(-86_340).isoformat()}
            ],
        },
    ),
    steps=(
        Step(
            operation=3,
            seq=1,
            place=0,
            name=StepName.RE_PROBE,
            server="mbx2",
            started=_after(-86_400),
            ended=_after(-86_399),
            fence=2,
            outcome=StepOutcome.DONE,
            because="the problem stands: greeting timed out",
        ),
        Step(
            operation=3,
            seq=2,
            place=0,
            name=StepName.RE_PROBE,
            server="mbx2",
            started=_after(-86_001),
            ended=_after(-86_000),
            fence=2,
            outcome=StepOutcome.DONE,
            because="it works: two good results in a row",
        ),
    ),
    answers=(
        _passes(Gate.VERDICT, "certain: the mailbox server mbx2", 3, 2),
        GateAnswer(
            gate=Gate.MODE,
            answer=Answer.REFUSES,
            because="the mode of this organization is recommend",
            operation=3,
            seq=2,
        ),
    ),
    events=(
        Event(
            id=5,
            at=_after(-86_340),
            kind=EventKind.ACTION_WITHHELD,
            subject="mbx2",
            because=_ONLY_RECOMMENDED,
            operation=3,
            data={**_WITHHELD, "on": "mbx2"},
        ),
    ),
)

SERVICES = {
    "mbx2": ServiceStatus(
        state=ServiceState.RUNNING, because="its master process runs", since=_after(63.25), pid=4712, starts=2
    ),
    "proxy1": ServiceStatus(state=ServiceState.HUNG, because="its process was stopped by a signal", pid=815),
}

HOLDS = (
    Hold(
        id=1,
        kind=HoldKind.MAINTENANCE,
        subject="proxy1",
        value="on",
        owner="root",
        reason="new memory",
        since=_after(-600),
        until=_after(6600),
    ),
    Hold(
        id=2,
        kind=HoldKind.COMPONENT_STATE,
        subject="proxy1/ImapProxy",
        value="Draining",
        owner="root",
        reason="new memory",
        since=_after(-600),
        requester=Requester.MAINTENANCE,
    ),
    Hold(
        id=3,
        kind=HoldKind.OVERRIDE,
        subject="mbx2/IMAP.Protocol/ImapSelfTestProbe",
        value="60s",
        owner="root",
        reason="slow disks until Friday",
        since=_after(-60),
        until=_after(86_400),
        data={"item_type": "probe", "property": "interval"},
    ),
)

ALERTS = (
    Alert(
        key="mailbox server/mbx2",
        status=AlertStatus.FIRING,
        urgency=Urgency.CRITICAL,
        title="mbx2: nobody reads mail of DB2",
        text="12 mailboxes in DB2 since 12:00.\nThe service of mbx2 is hung.",
        starts_at=NOON,
        labels={"server": "mbx2"},
        annotations={
            "documentation": "mailward items help ImapSelfTestMonitor (docs/reference/monitors.md#imapselftestmonitor)"
        },
        operation=3,
    ),
)

RESOLVED_ALERT = Alert(
    key="proxy/proxy1",
    status=AlertStatus.RESOLVED,
    urgency=Urgency.WARNING,
    title="proxy1 answers again",
    text="proxy1 was restarted.",
    starts_at=_after(-7200),
    ends_at=_after(-3600),
    labels={"server": "proxy1"},
    monitors=(MonitorKey(server="proxy1", health_set=IMAP_PROXY, item=PROXY_TEST_MONITOR, target="proxy1"),),
)

NOTICES = (
    Notice(
        id=1,
        channel="mail",
        identity="mailbox server/mbx2/firing/1",
        alert=ALERTS[0],
        created_at=_after(1),
        next_try=_after(1),
        attempts=1,
        sent_at=_after(2),
    ),
    Notice(
        id=2,
        channel="pager",
        identity="mailbox server/mbx2/firing/1",
        alert=ALERTS[0],
        created_at=_after(1),
        next_try=_after(120),
        attempts=3,
        last_error="127.0.0.9:443: connection refused",
    ),
)
