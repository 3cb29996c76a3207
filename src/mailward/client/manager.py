"""
A manager's API as a synchronous mirror of the Manager port: the same questions, the same values, the same errors.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from http.client import HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from mailward.client.http import Query, answered, lines_in, read_json
from mailward.client.sse import events_in
from mailward.model.alerting import Alert, Notice
from mailward.model.copies import DatabaseCopy
from mailward.model.errors import NotFound, PermanentFailure
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceStatus
from mailward.model.health import HealthSetReport, MonitorHealth, RollupReport
from mailward.model.holds import Hold
from mailward.model.items import ProbeItem
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Operation
from mailward.model.wire import from_plain, moment_to_text, to_plain
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

if TYPE_CHECKING:  # commands that only read start without it
    from mailward.model.availability import AvailabilityReport
    from mailward.model.latencies import Latencies
    from mailward.model.measures import Measures
    from mailward.model.protocol_log import LoggedSession, ProtocolLogStanding

Value = TypeVar("Value")
API = "/api/v1"
_HOLD_FIELDS = ("kind", "subject", "value", "reason", "since", "until", "requester", "data")
"""What a caller says of a hold; the rest is the manager's to know."""
_ANSWER_SECONDS = 15.0
_PROBE_SECONDS = 300.0
"""A probe without a target runs every target of a server, some of which may time out."""
_DEED_SECONDS = 300.0
"""A deed on a host, a test of every channel, a copy of the store: whoever waits for it wants to know how it ended."""
_SILENCE_SECONDS = 35.0
"""The stream says something every 10 s; longer silence means the manager is gone."""


class ManagerClient:
    """
    Asks the manager behind one unix socket.

    Every method raises NoManager when nobody answers, NotFound for an unknown name, naming the nearest, Refused for
    what cannot be, TemporaryFailure when the answer cannot be had now, PermanentFailure when the manager failed.
    Nobody says who he is: the manager records as actor the user at this end of the socket.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    def status(self) -> ManagerStatus:
        """How the manager itself is doing."""
        return self._one(ManagerStatus, "/status")

    def measures(self) -> "Measures":
        """What was counted since the manager started."""
        from mailward.model.measures import Measures  # noqa: PLC0415 - commands that only read start without it

        return self._one(Measures, "/measures")

    def servers(self) -> tuple[ServerEntry, ...]:
        """Servers and access points of the organization."""
        return self._many(ServerEntry, "/servers", {})

    def health(
        self, *, server: str | None = None, health_set: str | None = None, state: str | None = None
    ) -> tuple[MonitorHealth, ...]:
        """Monitors, worst first."""
        return self._many(MonitorHealth, "/health", {"server": server, "health_set": health_set, "state": state})

    def report(self, *, server: str | None = None) -> tuple[HealthSetReport, ...]:
        """Health sets of each server."""
        return self._many(HealthSetReport, "/report", {"server": server})

    def rollup(self, *, minimum_online_percent: int = 70, group_size: int = 12) -> tuple[RollupReport, ...]:
        """Health sets over groups of servers."""
        asked: Query = {"minimum_online_percent": minimum_online_percent, "group_size": group_size}
        return self._many(RollupReport, "/rollup", asked)

    def items(self, *, health_set: str | None = None, server: str | None = None) -> tuple[ItemInstance, ...]:
        """The probes and monitors of the organization."""
        return self._many(ItemInstance, "/items", {"health_set": health_set, "server": server})

    def item_help(self, item: str) -> ProbeItem | None:
        """What a probe is for; None when the manager does not know it."""
        try:
            return self._one(ProbeItem, f"/items/{_part(item)}/help")
        except NotFound:
            return None

    def probe(self, identity: str, *, server: str) -> tuple[ProbeResult, ...]:
        """Run a probe now and wait for its results."""
        asked = {"identity": identity, "server": server}
        return self._posted_many(ProbeResult, "/probe", asked, _PROBE_SECONDS)

    def results(
        self, *, probe: str | None = None, server: str | None = None, failed: bool | None = None, limit: int = 50
    ) -> tuple[ProbeResult, ...]:
        """Stored results, the newest first."""
        asked: Query = {"probe": probe, "server": server, "failed": failed, "limit": limit}
        return self._many(ProbeResult, "/results", asked)

    def latencies(self, server: str, *, probe: str, target: str, since: datetime) -> "Latencies":
        """How long a probe's conversations took since then, phase by phase."""
        from mailward.model.latencies import Latencies  # noqa: PLC0415 - as above

        asked: Query = {"server": server, "probe": probe, "target": target, "since": moment_to_text(since)}
        return self._one(Latencies, "/latencies", asked)

    def events(
        self,
        *,
        after: int = 0,
        before: int | None = None,
        kinds: Sequence[EventKind] = (),
        subject: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[Event, ...]:
        """Stored events."""
        asked: Query = {
            "after": after,
            "before": before,
            "since": moment_to_text(since) if since is not None else None,
            "kind": [kind.value for kind in kinds],
            "subject": subject,
            "limit": limit,
            "newest_first": newest_first,
        }
        return self._many(Event, "/events", asked)

    def follow(self, *, after: int | None = None) -> Iterator[Event | None]:
        """
        Events with ids above *after* (from now on when None), then every new one.

        None comes between events at least every 10 s and once as soon as the stream is open: a moment to look around.
        Ends when the manager stops; TemporaryFailure when the connection broke.
        """
        with answered(
            self.socket,
            "GET",
            f"{API}/events/stream",
            headers={"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": str(after)}),
            timeout=_SILENCE_SECONDS,
        ) as response:
            yield from events_in(lines_in(response))

    def reload(self) -> ManagerStatus:
        """Have the manager read its configuration again; Refused lists every mistake in it."""
        return self._posted(ManagerStatus, "/reload", {}, _ANSWER_SECONDS)

    def recoveries(
        self, *, server: str | None = None, unfinished: bool = False, limit: int = 50
    ) -> tuple[Operation, ...]:
        """Operations, the newest first."""
        asked: Query = {"server": server, "unfinished": unfinished, "limit": limit}
        return self._many(Operation, "/recoveries", asked)

    def recovery(self, number: int) -> RecoveryStory:
        """One operation with its steps, gates' answers, events and transcripts."""
        return self._one(RecoveryStory, f"/recoveries/{number}")

    def why(self, subject: str) -> tuple[RecoveryStory, ...]:
        """The stories that explain a server, or one operation by its number."""
        return self._many(RecoveryStory, f"/why/{_part(subject)}")

    def approve(self, number: int, *, reason: str = "") -> Operation:
        """Say yes to the step an operation waits with."""
        return self._posted(Operation, f"/recoveries/{number}/approve", {"reason": reason}, _ANSWER_SECONDS)

    def deny(self, number: int, *, reason: str = "") -> Operation:
        """Say no: the operation ends."""
        return self._posted(Operation, f"/recoveries/{number}/deny", {"reason": reason}, _ANSWER_SECONDS)

    def abort(self, number: int, *, reason: str = "") -> Operation:
        """End an operation before its next step."""
        return self._posted(Operation, f"/recoveries/{number}/abort", {"reason": reason}, _ANSWER_SECONDS)

    def service(self, server: str) -> ServiceStatus:
        """The IMAP service of a server, as its host says now."""
        return self._one(ServiceStatus, f"/service/{_part(server)}")

    def control_service(
        self, server: str, deed: ServiceDeed, *, reason: str = "", dry_run: bool = False, force: bool = False
    ) -> Intention:
        """Do something to a service by hand, through the same gates."""
        order = {"reason": reason, "dry_run": dry_run, "force": force}
        return self._posted(Intention, f"/service/{_part(server)}/{deed.value}", order, _DEED_SECONDS)

    def restart_server(self, server: str, *, reason: str = "", dry_run: bool = False, force: bool = False) -> Intention:
        """Restart a whole server by hand, through the same gates."""
        order = {"reason": reason, "dry_run": dry_run, "force": force}
        return self._posted(Intention, f"/servers/{_part(server)}/restart", order, _DEED_SECONDS)

    def copies(self, *, server: str | None = None, database: str | None = None) -> tuple[DatabaseCopy, ...]:
        """Copies of mailbox databases as they stand, by database and preference."""
        return self._many(DatabaseCopy, "/copies", {"server": server, "database": database})

    def move_database(
        self,
        database: str,
        *,
        to: str | None = None,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """Begin to move a database's active copy, and say where to and why."""
        order = {"to": to, "reason": reason, "dry_run": dry_run, "force": force, "only_planned": only_planned}
        return self._posted(MoveIntention, f"/databases/{_part(database)}/move", order, _DEED_SECONDS)

    def drain(
        self,
        server: str,
        *,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """Begin to move every active copy away from a server, whose copies may not become active any more."""
        order = {"reason": reason, "dry_run": dry_run, "force": force, "only_planned": only_planned}
        return self._posted(MoveIntention, f"/servers/{_part(server)}/drain", order, _DEED_SECONDS)

    def undrain(
        self,
        server: str,
        *,
        reason: str = "",
        dry_run: bool = False,
        move_back: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """Allow a server's copies to become active again, and begin to move back those that prefer it."""
        order = {"reason": reason, "dry_run": dry_run, "move_back": move_back, "only_planned": only_planned}
        return self._posted(MoveIntention, f"/servers/{_part(server)}/undrain", order, _DEED_SECONDS)

    def protocol_log(self, server: str) -> "ProtocolLogStanding":
        """Whether a mailbox server's protocol log is on, and where."""
        return self._one(_standing(), f"/protocol-log/{_part(server)}")

    def protocol_log_on(
        self, server: str, *, lasting: timedelta, reason: str = "", dry_run: bool = False
    ) -> "ProtocolLogStanding":
        """Log the conversations of a mailbox server's health mailboxes for a while."""
        order = {"lasting_ms": lasting // timedelta(milliseconds=1), "reason": reason, "dry_run": dry_run}
        return self._posted(_standing(), f"/protocol-log/{_part(server)}/on", order, _DEED_SECONDS)

    def protocol_log_off(self, server: str, *, reason: str = "", dry_run: bool = False) -> "ProtocolLogStanding":
        """Log nothing any more, and remove what was logged."""
        order = {"reason": reason, "dry_run": dry_run}
        return self._posted(_standing(), f"/protocol-log/{_part(server)}/off", order, _DEED_SECONDS)

    def logged_sessions(self, user: str, *, since: datetime) -> "tuple[LoggedSession, ...]":
        """The sessions of a health mailbox since then, the oldest first."""
        from mailward.model.protocol_log import LoggedSession  # noqa: PLC0415 - as above

        return self._many(LoggedSession, "/logged-sessions", {"user": user, "since": moment_to_text(since)})

    def holds(self, *, subject: str | None = None, ended: bool = False) -> tuple[Hold, ...]:
        """What is held in place or scheduled; with *ended* also what no longer is."""
        return self._many(Hold, "/holds", {"subject": subject, "ended": ended})

    def hold(self, hold: Hold) -> Hold:
        """Hold something in place; whoever is at this end of the socket becomes its owner."""
        given: Mapping[str, Any] = to_plain(hold)
        return self._posted(Hold, "/holds", {name: given[name] for name in _HOLD_FIELDS}, _ANSWER_SECONDS)

    def release(self, number: int) -> Hold:
        """End a hold."""
        return self._posted(Hold, f"/holds/{number}/release", {}, _ANSWER_SECONDS)

    def alerts(self, *, resolved: bool = False) -> tuple[Alert, ...]:
        """What fires now, the most urgent first; with *resolved* then what was resolved within the last day."""
        return self._many(Alert, "/alerts", {"resolved": resolved})

    def alert(self, key: str) -> AlertStory:
        """One alert with its notices, also long after it was resolved."""
        return self._one(AlertStory, "/alert", {"key": key})

    def notices(self, *, limit: int = 50) -> tuple[Notice, ...]:
        """The outbox: what was sent, what waits, what failed and why."""
        return self._many(Notice, "/notices", {"limit": limit})

    def test_channels(self, channel: str | None = None) -> tuple[Notice, ...]:
        """Send a test alert by one channel or all, now, and say how it went."""
        return self._posted_many(Notice, "/notify/test", {"channel": channel}, _DEED_SECONDS)

    def would_have(self, *, since: datetime) -> tuple[RecoveryStory, ...]:
        """What was only recommended since then."""
        return self._many(RecoveryStory, "/would-have", {"since": moment_to_text(since)})

    def availability(self, month: str) -> "AvailabilityReport":
        """How much of a month, YYYY-MM in UTC, each health set was up."""
        from mailward.model.availability import AvailabilityReport  # noqa: PLC0415 - as above

        return self._one(AvailabilityReport, "/availability", {"month": month})

    def backup(self, path: str) -> str:
        """Write a copy of the store to a new file on the manager's host; what was written."""
        with self._post("/backup", {"path": path}, _DEED_SECONDS) as response:
            return str(read_json(response).get("written", ""))

    def _one(self, kind: type[Value], path: str, query: Query | None = None) -> Value:
        with answered(self.socket, "GET", API + path, query=query, timeout=_ANSWER_SECONDS) as response:
            return read_value(kind, read_json(response))

    def _many(self, kind: type[Value], path: str, query: Query | None = None) -> tuple[Value, ...]:
        with answered(self.socket, "GET", API + path, query=query, timeout=_ANSWER_SECONDS) as response:
            return read_items(kind, read_json(response))

    def _posted(self, kind: type[Value], path: str, body: object, seconds: float) -> Value:
        with self._post(path, body, seconds) as response:
            return read_value(kind, read_json(response))

    def _posted_many(self, kind: type[Value], path: str, body: object, seconds: float) -> tuple[Value, ...]:
        with self._post(path, body, seconds) as response:
            return read_items(kind, read_json(response))

    def _post(self, path: str, body: object, seconds: float) -> AbstractContextManager[HTTPResponse]:
        return answered(self.socket, "POST", API + path, body=body, timeout=seconds)


def _standing() -> "type[ProtocolLogStanding]":
    from mailward.model.protocol_log import ProtocolLogStanding  # noqa: PLC0415 - as above

    return ProtocolLogStanding


def _part(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


def read_value(kind: type[Value], plain: dict[str, Any]) -> Value:
    """
    Read one value of an answer.

    Raises:
        PermanentFailure: It cannot be read; the manager is of another version.
    """
    try:
        return from_plain(kind, plain)
    except ValueError as error:
        raise PermanentFailure(f"the manager's answer cannot be read; it is of another version: {error}") from error


def read_items(kind: type[Value], plain: dict[str, Any]) -> tuple[Value, ...]:
    """
    Read the values of a list.

    Raises:
        PermanentFailure: They cannot be read.
    """
    items = plain.get("items")
    if not isinstance(items, list):
        raise PermanentFailure("the manager's answer cannot be read: it holds no items")
    return tuple(read_value(kind, item) for item in items)
