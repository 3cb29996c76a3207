from datetime import UTC, datetime, timedelta, timezone

import pytest

from mailward.model.alerting import Alert, AlertStatus, Notice, Urgency
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.organization import ImapEndpoint, Role, Server
from mailward.model.probing import Canary, Cause, Phase, PhaseOutcome, PhaseTiming, ProbeResult, ResultType
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
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict
from mailward.model.wire import from_plain, moment_to_text, text_to_moment, to_plain
from mailward.ports.manager import Intention, RecoveryStory

STORY = RecoveryStory(
    operation=Operation(
        id=7,
        kind=OperationKind.PROXY,
        target="proxy1/mbx1",
        server="proxy1",
        mode=Mode.ACT,
        status=OperationStatus.WAITING,
        because="a",
        started_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
        cause=MonitorKey(server="a", health_set="IMAP", item="b", target="c"),
        databases=("DB1", "DB2"),
        data={"nested": {"list": [1, 2.5, None, "x"], "yes": True}},
    ),
    steps=(
        Step(
            operation=7,
            seq=1,
            place=0,
            name=StepName.RESTART_SERVICE,
            server="proxy1",
            started=datetime(2026, 11, 24, 12, tzinfo=UTC),
            action=ActionClass.RESTART,
            command=("systemctl", "restart", "a b"),
            outcome=StepOutcome.UNKNOWN,
            evidence={"before": {"pid": 1}},
        ),
    ),
    answers=(
        GateAnswer(
            gate=Gate.THROTTLE,
            answer=Answer.WAITS,
            because="b",
            until=datetime(2026, 11, 24, 13, tzinfo=UTC),
            operation=7,
            seq=1,
        ),
    ),
)

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def a_result() -> ProbeResult:
    return ProbeResult(
        probe="ImapDeepTestProbe",
        health_set="IMAP.Protocol",
        server="mbx1",
        target="DB1",
        at=NOON.replace(microsecond=123000),
        took=timedelta(milliseconds=41, microseconds=7),
        result=ResultType.FAILED,
        failed_phase=Phase.SELECT,
        cause=Cause.STORE_ERROR,
        phases=(PhaseTiming(phase=Phase.SELECT, took=timedelta(milliseconds=30), outcome=PhaseOutcome.FAILED),),
        canary=Canary(uid_validity=1, uid=2, size=3, sha256="ab"),
        push_took=timedelta(milliseconds=250),
        transcript=("C: a1 SELECT INBOX", "S: a1 NO [SERVERBUG]"),
        verdict=Verdict(
            tier=Tier.STORE,
            confidence=Confidence.CERTAIN,
            because="it said so",
            dependency=Dependency.INFORMATION_STORE,
        ),
    )


@pytest.mark.parametrize(
    "value",
    [
        a_result(),
        Event(
            at=NOON.replace(microsecond=0), kind=EventKind.MONITOR_CHANGED, subject="a/b", because="c", data={"n": 1}
        ),
        STORY,
        Intention(server="a", command=("b", "c d"), answers=STORY.answers, allowed=False, because="e", operation=7),
        Hold(
            kind=HoldKind.COMPONENT_STATE,
            subject="a/Imap",
            value="Inactive",
            owner="o",
            reason="r",
            since=NOON.replace(microsecond=0),
            until=NOON.replace(microsecond=1000),
            requester=Requester.HEALTH_API,
            data={"property": "interval"},
        ),
        Notice(
            channel="c",
            identity="i",
            alert=Alert(
                key="k",
                status=AlertStatus.RESOLVED,
                urgency=Urgency.WARNING,
                title="t",
                text="two\nlines",
                starts_at=NOON.replace(microsecond=0),
                labels={"server": "a"},
            ),
            created_at=NOON.replace(microsecond=0),
            next_try=NOON.replace(microsecond=0),
            attempts=2,
        ),
        ServiceStatus(state=ServiceState.STOPPED, because="b", pid=None, starts=3),
        MonitorStatus(
            key=MonitorKey(server="a", health_set="IMAP", item="b", target="c"),
            state=AlertValue.DEGRADED,
            since=NOON.replace(microsecond=0),
            because="d",
        ),
    ],
)
def test_a_value_that_went_over_the_wire_is_the_same_value(value):
    assert value == from_plain(type(value), to_plain(value))


def test_durations_carry_their_unit_in_the_name_also_when_absent():
    plain = to_plain(a_result())

    assert 41.007 == plain["took_ms"]
    assert 250.0 == plain["push_took_ms"]
    assert [{"phase": "select", "ms": 30.0, "outcome": "failed", "loop_lag_ms": 0.0}] == plain["phases"]
    assert "push_took_ms" in to_plain(from_plain(ProbeResult, {**plain, "push_took_ms": None}))


def test_what_is_absent_is_null():
    assert to_plain(a_result())["certificate"] is None


def test_a_set_is_sorted_so_that_the_same_value_always_looks_the_same():
    server = Server(name="a", roles=frozenset({Role.PROXY, Role.MAILBOX}), imap=ImapEndpoint(host="a"))

    assert ["mailbox", "proxy"] == to_plain(server)["roles"]


def test_moments_are_utc_with_milliseconds_whatever_the_zone():
    assert "2026-11-24T12:00:00.123Z" == moment_to_text(NOON.astimezone(timezone(timedelta(hours=-3))))


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        text_to_moment("2026-11-24T12:00:00")


def test_an_unknown_key_is_passed_over_so_that_fields_can_be_added():
    plain = {**to_plain(a_result()), "of_a_later_version": 1}

    assert a_result() == from_plain(ProbeResult, plain)


def test_a_missing_or_wrong_field_is_named():
    with pytest.raises(ValueError, match="ProbeResult.*probe"):
        from_plain(ProbeResult, {})
    with pytest.raises(ValueError, match=r"ProbeResult\.result"):
        from_plain(ProbeResult, {**to_plain(a_result()), "result": "Perhaps"})
    with pytest.raises(ValueError, match=r"ProbeResult\.server"):
        from_plain(ProbeResult, {**to_plain(a_result()), "server": 3})


def test_a_value_without_agreed_form_is_an_error_not_a_guess():
    with pytest.raises(TypeError):
        to_plain(object())
