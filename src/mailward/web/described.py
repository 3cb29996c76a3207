"""Every route of `/api/v1` as its description names it: what it takes, and which value it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailward.model.alerting import Alert, Notice
from mailward.model.copies import DatabaseCopy
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceStatus
from mailward.model.health import HealthSetReport, MonitorHealth, RollupReport
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.model.items import ProbeItem
from mailward.model.monitoring import AlertValue
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Operation
from mailward.ports.manager import Intention, ItemInstance, ManagerStatus, MoveIntention, RecoveryStory
from mailward.ports.service_control import ServiceDeed

_Schema = Mapping[str, Any]
_TEXT: _Schema = {"type": "string", "maxLength": 500}
_BOOLEAN: _Schema = {"type": "boolean"}
_MOMENT: _Schema = {"type": "string", "format": "date-time"}
_REASON: Mapping[str, _Schema] = {"reason": _TEXT}
_ORDER: Mapping[str, _Schema] = {"reason": _TEXT, "dry_run": _BOOLEAN, "force": _BOOLEAN}


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """One route as the document describes it."""

    path: str
    summary: str
    answers: type
    """The value answered; `str` for one sentence under `written`."""
    method: str = "get"
    many: bool = False
    stream: bool = False
    query: Mapping[str, _Schema] | None = None
    body: Mapping[str, _Schema] | None = None
    """The members of the JSON object sent."""
    required: Sequence[str] = ()
    """Those of them that must be there."""


def _number(default: int, low: int, high: int) -> _Schema:
    return {"type": "integer", "default": default, "minimum": low, "maximum": high}


OPERATIONS: tuple[Described, ...] = (
    Described(path="/api/v1/status", summary="How the manager itself is doing", answers=ManagerStatus),
    Described(
        path="/api/v1/health",
        summary="Monitors, worst first (Get-ServerHealth)",
        answers=MonitorHealth,
        many=True,
        query={"server": _TEXT, "health_set": _TEXT, "state": {"enum": [state.value for state in AlertValue]}},
    ),
    Described(
        path="/api/v1/report",
        summary="Health sets of each server (Get-HealthReport)",
        answers=HealthSetReport,
        many=True,
        query={"server": _TEXT},
    ),
    Described(
        path="/api/v1/rollup",
        summary="Health sets over groups of servers",
        answers=RollupReport,
        many=True,
        query={"minimum_online_percent": _number(70, 0, 100), "group_size": _number(12, 1, 100_000)},
    ),
    Described(
        path="/api/v1/items",
        summary="Probes and monitors of the organization (Get-MonitoringItemIdentity)",
        answers=ItemInstance,
        many=True,
        query={"health_set": _TEXT, "server": _TEXT},
    ),
    Described(
        path="/api/v1/items/{name}/help", summary="What a probe is for (Get-MonitoringItemHelp)", answers=ProbeItem
    ),
    Described(
        path="/api/v1/probe",
        summary="Run a probe now (Invoke-MonitoringProbe); needs an operator",
        answers=ProbeResult,
        method="post",
        many=True,
        body={"identity": _TEXT, "server": _TEXT},
        required=("identity", "server"),
    ),
    Described(
        path="/api/v1/results",
        summary="Stored results, the newest first",
        answers=ProbeResult,
        many=True,
        query={"probe": _TEXT, "server": _TEXT, "failed": _BOOLEAN, "limit": _number(50, 1, 1000)},
    ),
    Described(
        path="/api/v1/events",
        summary="Stored events; `next` is the `after` of the next page",
        answers=Event,
        many=True,
        query={
            "after": _number(0, 0, 2**62),
            "kind": {"type": "array", "items": {"enum": [kind.value for kind in EventKind]}},
            "subject": _TEXT,
            "limit": _number(100, 1, 1000),
            "newest_first": _BOOLEAN,
        },
    ),
    Described(
        path="/api/v1/events/stream",
        summary="Events as server-sent events, from `Last-Event-ID` or `after` on, else from now",
        answers=Event,
        stream=True,
        query={"after": {"type": "integer", "minimum": 0}},
    ),
    Described(
        path="/api/v1/reload",
        summary="Read the configuration again; needs an operator. 409 when it is wrong: the old one stays in force",
        answers=ManagerStatus,
        method="post",
        body={},
    ),
    Described(
        path="/api/v1/recoveries",
        summary="Operations, the newest first",
        answers=Operation,
        many=True,
        query={"server": _TEXT, "unfinished": _BOOLEAN, "limit": _number(50, 1, 1000)},
    ),
    Described(
        path="/api/v1/recoveries/{id}",
        summary="One operation with its steps, gates' answers, events and transcripts",
        answers=RecoveryStory,
    ),
    Described(
        path="/api/v1/recoveries/{id}/approve",
        summary="Say yes to the step an operation waits with; needs an operator. 409 unless it waits for one",
        answers=Operation,
        method="post",
        body=_REASON,
    ),
    Described(
        path="/api/v1/recoveries/{id}/deny",
        summary="Say no: the operation ends; needs an operator",
        answers=Operation,
        method="post",
        body=_REASON,
    ),
    Described(
        path="/api/v1/recoveries/{id}/abort",
        summary="End an operation before its next step; needs an operator",
        answers=Operation,
        method="post",
        body=_REASON,
    ),
    Described(
        path="/api/v1/why/{subject}",
        summary="The stories that explain a server, or the one of an operation's number",
        answers=RecoveryStory,
        many=True,
    ),
    Described(
        path="/api/v1/would-have",
        summary="What was only recommended since then: the weekly report",
        answers=RecoveryStory,
        many=True,
        query={"since": _MOMENT},
    ),
    Described(
        path="/api/v1/service/{server}",
        summary="The IMAP service of a server, as its host says now. 409 where the host is not reached",
        answers=ServiceStatus,
    ),
    Described(
        path="/api/v1/service/{server}/{deed}",
        summary="Do something to a service by hand, through the same gates; needs an operator. Deeds: "
        + ", ".join(deed.value for deed in ServiceDeed),
        answers=Intention,
        method="post",
        body=_ORDER,
    ),
    Described(
        path="/api/v1/servers/{server}/restart",
        summary="Restart a whole server by hand, through the same gates; needs an operator",
        answers=Intention,
        method="post",
        body=_ORDER,
    ),
    Described(
        path="/api/v1/copies",
        summary="Copies of mailbox databases, by database and preference (Get-MailboxDatabaseCopyStatus)",
        answers=DatabaseCopy,
        many=True,
        query={"server": _TEXT, "database": _TEXT},
    ),
    Described(
        path="/api/v1/databases/{database}/move",
        summary="Begin to move a database's active copy, to a server or to the best copy; needs an operator",
        answers=MoveIntention,
        method="post",
        body={"to": _TEXT, **_ORDER},
    ),
    Described(
        path="/api/v1/servers/{server}/drain",
        summary="Begin to move every active copy away from a server, and block activation there; needs an operator",
        answers=MoveIntention,
        method="post",
        body=_ORDER,
    ),
    Described(
        path="/api/v1/servers/{server}/undrain",
        summary="Allow a server's copies to become active again, and move back those that prefer it; needs an operator",
        answers=MoveIntention,
        method="post",
        body={"reason": _TEXT, "dry_run": _BOOLEAN, "move_back": _BOOLEAN},
    ),
    Described(
        path="/api/v1/holds",
        summary="What is held in place or scheduled; with `ended` also what no longer is",
        answers=Hold,
        many=True,
        query={"subject": _TEXT, "ended": _BOOLEAN},
    ),
    Described(
        path="/api/v1/holds",
        summary="Hold something in place, in force within a second; needs an operator",
        answers=Hold,
        method="post",
        body={
            "kind": {"enum": [kind.value for kind in HoldKind]},
            "subject": _TEXT,
            "value": {**_TEXT, "default": "on"},
            "reason": _TEXT,
            "since": {**_MOMENT, "description": "now, where absent"},
            "until": _MOMENT,
            "requester": {"enum": [requester.value for requester in Requester]},
            "data": {"type": "object"},
        },
        required=("kind", "subject", "reason"),
    ),
    Described(
        path="/api/v1/holds/{id}/release",
        summary="End a hold; needs an operator. 409 when only its own requester may clear it",
        answers=Hold,
        method="post",
        body={},
    ),
    Described(path="/api/v1/alerts", summary="What fires now, the most urgent first", answers=Alert, many=True),
    Described(
        path="/api/v1/notices",
        summary="The outbox: what was sent, what waits, what failed and why",
        answers=Notice,
        many=True,
        query={"limit": _number(50, 1, 1000)},
    ),
    Described(
        path="/api/v1/notify/test",
        summary="Send a test alert by one channel or all, now, and say how it went; needs an operator",
        answers=Notice,
        method="post",
        many=True,
        body={"channel": _TEXT},
    ),
    Described(
        path="/api/v1/backup",
        summary="Write a consistent copy of the store to a new file on the manager's host; needs an operator",
        answers=str,
        method="post",
        body={"path": _TEXT},
        required=("path",),
    ),
)
