"""Every route of `/api/v1` as its description names it: what it takes, and which value it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mailward.model.alerting import Alert, Notice
from mailward.model.availability import AvailabilityReport
from mailward.model.copies import DatabaseCopy
from mailward.model.credentials import AccessToken, IssuedToken, Role, User
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceStatus
from mailward.model.health import HealthSetReport, MonitorHealth, RollupReport
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.model.items import ProbeItem
from mailward.model.latencies import Latencies
from mailward.model.measures import Measures
from mailward.model.monitoring import AlertValue
from mailward.model.probing import ProbeResult
from mailward.model.protocol_log import LONGEST, LoggedSession, ProtocolLogStanding
from mailward.model.recovery import Operation
from mailward.ports.manager import (
    AlertStory,
    Intention,
    ItemInstance,
    ManagerStatus,
    MoveIntention,
    RecoveryStory,
    ServerEntry,
)
from mailward.ports.service_control import ServiceDeed
from mailward.web.credentials import LASTING_MAX
from mailward.web.passwords import LONGEST as LONGEST_PASSWORD
from mailward.web.passwords import SHORTEST

_Schema = Mapping[str, Any]
_TEXT: _Schema = {"type": "string", "maxLength": 500}
_NAME: _Schema = {**_TEXT, "minLength": 1}
"""An empty name names nothing, and is refused."""
_BOOLEAN: _Schema = {"type": "boolean"}
_MOMENT: _Schema = {"type": "string", "format": "date-time"}
_ROLE: _Schema = {"enum": [role.value for role in Role]}
_LASTING: _Schema = {"type": "integer", "minimum": 1, "maximum": LASTING_MAX // timedelta(milliseconds=1)}
_PASSWORD: _Schema = {"type": "string", "minLength": SHORTEST, "maxLength": LONGEST_PASSWORD, "writeOnly": True}
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


def _listed(path: str, summary: str, answers: type, **query: _Schema) -> Described:
    """A route that answers a list of values."""
    return Described(path=path, summary=summary, answers=answers, many=True, query=query or None)


def _change(
    path: str,
    summary: str,
    answers: type,
    body: Mapping[str, _Schema],
    *,
    more: str = "",
    many: bool = False,
    required: Sequence[str] = (),
) -> Described:
    """A route that changes something, which only operators may; *more* is said of it after that."""
    return Described(
        path=path,
        summary=f"{summary}; needs an operator{more}",
        answers=answers,
        method="post",
        many=many,
        body=body,
        required=required,
    )


OPERATIONS: tuple[Described, ...] = (
    Described(path="/api/v1/status", summary="How the manager itself is doing", answers=ManagerStatus),
    Described(
        path="/api/v1/measures",
        summary="What was counted since the manager started: the numbers behind /metrics",
        answers=Measures,
    ),
    _listed("/api/v1/servers", "Servers and access points of the organization", ServerEntry),
    _listed(
        "/api/v1/health",
        "Monitors, worst first (Get-ServerHealth)",
        MonitorHealth,
        server=_NAME,
        health_set=_NAME,
        state={"enum": [state.value for state in AlertValue]},
    ),
    _listed("/api/v1/report", "Health sets of each server (Get-HealthReport)", HealthSetReport, server=_NAME),
    _listed(
        "/api/v1/rollup",
        "Health sets over groups of servers",
        RollupReport,
        minimum_online_percent=_number(70, 0, 100),
        group_size=_number(12, 1, 100_000),
    ),
    _listed(
        "/api/v1/items",
        "Probes and monitors of the organization (Get-MonitoringItemIdentity)",
        ItemInstance,
        health_set=_NAME,
        server=_NAME,
    ),
    Described(
        path="/api/v1/items/{name}/help", summary="What a probe is for (Get-MonitoringItemHelp)", answers=ProbeItem
    ),
    _change(
        "/api/v1/probe",
        "Run a probe now (Invoke-MonitoringProbe)",
        ProbeResult,
        {"identity": _NAME, "server": _NAME},
        many=True,
        required=("identity", "server"),
    ),
    _listed(
        "/api/v1/results",
        "Stored results, the newest first",
        ProbeResult,
        probe=_NAME,
        server=_NAME,
        failed=_BOOLEAN,
        limit=_number(50, 1, 1000),
    ),
    Described(
        path="/api/v1/latencies",
        summary="How long the conversations of one probe took, phase by phase",
        answers=Latencies,
        query={"server": _NAME, "probe": _NAME, "target": _NAME, "since": _MOMENT},
    ),
    _listed(
        "/api/v1/events",
        "Stored events; `next` is the `after` of the next page",
        Event,
        after=_number(0, 0, 2**62),
        before={"type": "integer", "minimum": 1},
        since=_MOMENT,
        kind={"type": "array", "items": {"enum": [kind.value for kind in EventKind]}},
        subject=_NAME,
        limit=_number(100, 1, 1000),
        newest_first=_BOOLEAN,
    ),
    Described(
        path="/api/v1/availability",
        summary="How much of a month, YYYY-MM in UTC, each health set was up, and each outage",
        answers=AvailabilityReport,
        query={"month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}},
    ),
    Described(
        path="/api/v1/events/stream",
        summary="Events as server-sent events, from `Last-Event-ID` or `after` on, else from now",
        answers=Event,
        stream=True,
        query={"after": {"type": "integer", "minimum": 0}},
    ),
    _change(
        "/api/v1/reload",
        "Read the configuration again",
        ManagerStatus,
        {},
        more=". 409 when it is wrong: the old one stays in force",
    ),
    _listed(
        "/api/v1/recoveries",
        "Operations, the newest first",
        Operation,
        server=_NAME,
        unfinished=_BOOLEAN,
        limit=_number(50, 1, 1000),
    ),
    Described(
        path="/api/v1/recoveries/{id}",
        summary="One operation with its steps, gates' answers, events and transcripts",
        answers=RecoveryStory,
    ),
    _change(
        "/api/v1/recoveries/{id}/approve",
        "Say yes to the step an operation waits with",
        Operation,
        _REASON,
        more=". 409 unless it waits for one",
    ),
    _change("/api/v1/recoveries/{id}/deny", "Say no: the operation ends", Operation, _REASON),
    _change("/api/v1/recoveries/{id}/abort", "End an operation before its next step", Operation, _REASON),
    _listed(
        "/api/v1/why/{subject}", "The stories that explain a server, or the one of an operation's number", RecoveryStory
    ),
    _listed(
        "/api/v1/would-have", "What was only recommended since then: the weekly report", RecoveryStory, since=_MOMENT
    ),
    Described(
        path="/api/v1/service/{server}",
        summary="The IMAP service of a server, as its host says now. 409 where the host is not reached",
        answers=ServiceStatus,
    ),
    _change(
        "/api/v1/service/{server}/{deed}",
        "Do something to a service by hand, through the same gates",
        Intention,
        _ORDER,
        more=f". Deeds: {', '.join(deed.value for deed in ServiceDeed)}",
    ),
    _change(
        "/api/v1/servers/{server}/restart", "Restart a whole server by hand, through the same gates", Intention, _ORDER
    ),
    _listed(
        "/api/v1/copies",
        "Copies of mailbox databases, by database and preference (Get-MailboxDatabaseCopyStatus)",
        DatabaseCopy,
        server=_NAME,
        database=_NAME,
    ),
    _change(
        "/api/v1/databases/{database}/move",
        "Begin to move a database's active copy, to a server or to the best copy",
        MoveIntention,
        {"to": _NAME, **_ORDER, "only_planned": _BOOLEAN},
    ),
    _change(
        "/api/v1/servers/{server}/drain",
        "Begin to move every active copy away from a server, and block activation there",
        MoveIntention,
        {**_ORDER, "only_planned": _BOOLEAN},
    ),
    _change(
        "/api/v1/servers/{server}/undrain",
        "Allow a server's copies to become active again, and move back those that prefer it",
        MoveIntention,
        {"reason": _TEXT, "dry_run": _BOOLEAN, "move_back": _BOOLEAN, "only_planned": _BOOLEAN},
    ),
    Described(
        path="/api/v1/protocol-log/{server}",
        summary="Whether a mailbox server's protocol log is on, and where. Not available is an answer",
        answers=ProtocolLogStanding,
    ),
    _change(
        "/api/v1/protocol-log/{server}/on",
        "Log the conversations of its health mailboxes for a while (Set-ImapSettings -ProtocolLogEnabled)",
        ProtocolLogStanding,
        {"lasting_ms": _number(600_000, 1, LONGEST // timedelta(milliseconds=1)), "reason": _TEXT, "dry_run": _BOOLEAN},
        more=". 409 where it is not available",
    ),
    _change(
        "/api/v1/protocol-log/{server}/off",
        "Log nothing any more, and remove what was logged",
        ProtocolLogStanding,
        {"reason": _TEXT, "dry_run": _BOOLEAN},
        more=". 409 where it is not available",
    ),
    _listed(
        "/api/v1/logged-sessions",
        "The sessions of a health mailbox since then, as the logs of both tiers show them, the oldest first",
        LoggedSession,
        user=_NAME,
        since=_MOMENT,
    ),
    _listed(
        "/api/v1/holds",
        "What is held in place or scheduled; with `ended` also what no longer is",
        Hold,
        subject=_NAME,
        ended=_BOOLEAN,
    ),
    _change(
        "/api/v1/holds",
        "Hold something in place, in force within a second",
        Hold,
        {
            "kind": {"enum": [kind.value for kind in HoldKind]},
            "subject": _NAME,
            "value": {**_TEXT, "default": "on"},
            "reason": _TEXT,
            "since": {**_MOMENT, "description": "now, where absent"},
            "until": _MOMENT,
            "requester": {"enum": [requester.value for requester in Requester]},
            "data": {"type": "object"},
        },
        required=("kind", "subject", "reason"),
    ),
    _change(
        "/api/v1/holds/{id}/release", "End a hold", Hold, {}, more=". 409 when only its own requester may clear it"
    ),
    _listed(
        "/api/v1/alerts",
        "What fires now, the most urgent first; with `resolved` then what was resolved within the last day",
        Alert,
        resolved=_BOOLEAN,
    ),
    Described(
        path="/api/v1/alert",
        summary="One alert by its key with the notices of it, also long after it was resolved",
        answers=AlertStory,
        query={"key": _NAME},
    ),
    _listed(
        "/api/v1/notices",
        "The outbox: what was sent, what waits, what failed and why",
        Notice,
        limit=_number(50, 1, 1000),
    ),
    _change(
        "/api/v1/notify/test",
        "Send a test alert by one channel or all, now, and say how it went",
        Notice,
        {"channel": _NAME},
        many=True,
    ),
    _change(
        "/api/v1/backup",
        "Write a consistent copy of the store to a new file on the manager's host",
        str,
        {"path": _NAME},
        required=("path",),
    ),
    _listed("/api/v1/users", "Who can log in with a password; needs an operator", User),
    _change(
        "/api/v1/users",
        "Let somebody log in with a password",
        User,
        {"name": _NAME, "role": _ROLE, "password": _PASSWORD},
        more=". 409 when there is such a user",
        required=("name", "role", "password"),
    ),
    _change(
        "/api/v1/users/{name}/password",
        "Change a user's password, which ends their sessions",
        User,
        {"password": _PASSWORD},
        required=("password",),
    ),
    _change("/api/v1/users/{name}/remove", "Remove a user, and end their sessions", User, {}),
    _listed("/api/v1/tokens", "The tokens of programs, expired ones too; needs an operator", AccessToken),
    _change(
        "/api/v1/tokens",
        "Make a token; its secret is in this answer and nowhere else",
        IssuedToken,
        {"name": _NAME, "role": _ROLE, "lasting_ms": _LASTING},
        more=". Without `lasting_ms` it lasts until it is revoked; 409 when there is such a token",
        required=("name", "role"),
    ),
    _change("/api/v1/tokens/{name}/revoke", "Let a token let nobody in any more", AccessToken, {}),
)
