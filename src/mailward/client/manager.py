"""
A manager's API as a synchronous mirror of the Manager port: the same questions, the same values, the same errors.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from mailward.client.http import Query, answered, lines_in, read_json
from mailward.client.sse import events_in
from mailward.model.errors import PermanentFailure, Refused
from mailward.model.event import Event, EventKind
from mailward.model.health import HealthSetReport, MonitorHealth, RollupReport
from mailward.model.items import ProbeItem
from mailward.model.probing import ProbeResult
from mailward.model.wire import from_plain
from mailward.ports.manager import ItemInstance, ManagerStatus

Value = TypeVar("Value")
API = "/api/v1"
_ANSWER_SECONDS = 15.0
_PROBE_SECONDS = 300.0
"""A probe without a target runs every target of a server, some of which may time out."""
_SILENCE_SECONDS = 35.0
"""The stream says something every 10 s; longer silence means the manager is gone."""


class ManagerClient:
    """
    Asks the manager behind one unix socket.

    Every method raises NoManager when nobody answers, Refused for what cannot be (an unknown name, naming the
    nearest), TemporaryFailure when the answer cannot be had now, PermanentFailure when the manager failed.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    def status(self) -> ManagerStatus:
        """How the manager itself is doing."""
        return self._one(ManagerStatus, "/status")

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
            return self._one(ProbeItem, f"/items/{quote(item, safe='')}/help")
        except Refused:
            return None

    def probe(self, identity: str, *, server: str) -> tuple[ProbeResult, ...]:
        """Run a probe now and wait for its results."""
        return self._posted_many(ProbeResult, "/probe", {"identity": identity, "server": server})

    def results(
        self, *, probe: str | None = None, server: str | None = None, failed: bool | None = None, limit: int = 50
    ) -> tuple[ProbeResult, ...]:
        """Stored results, the newest first."""
        asked: Query = {"probe": probe, "server": server, "failed": failed, "limit": limit}
        return self._many(ProbeResult, "/results", asked)

    def events(
        self,
        *,
        after: int = 0,
        kinds: Sequence[EventKind] = (),
        subject: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[Event, ...]:
        """Stored events."""
        asked: Query = {
            "after": after,
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
        with answered(self.socket, "POST", f"{API}/reload", body={}, timeout=_ANSWER_SECONDS) as response:
            return _read(ManagerStatus, read_json(response))

    def _one(self, kind: type[Value], path: str, query: Query | None = None) -> Value:
        with answered(self.socket, "GET", API + path, query=query, timeout=_ANSWER_SECONDS) as response:
            return _read(kind, read_json(response))

    def _many(self, kind: type[Value], path: str, query: Query | None = None) -> tuple[Value, ...]:
        with answered(self.socket, "GET", API + path, query=query, timeout=_ANSWER_SECONDS) as response:
            return _read_items(kind, read_json(response))

    def _posted_many(self, kind: type[Value], path: str, body: object) -> tuple[Value, ...]:
        with answered(self.socket, "POST", API + path, body=body, timeout=_PROBE_SECONDS) as response:
            return _read_items(kind, read_json(response))


def _read(kind: type[Value], plain: dict[str, Any]) -> Value:
    try:
        return from_plain(kind, plain)
    except ValueError as error:
        raise PermanentFailure(f"the manager's answer cannot be read; it is of another version: {error}") from error


def _read_items(kind: type[Value], plain: dict[str, Any]) -> tuple[Value, ...]:
    items = plain.get("items")
    if not isinstance(items, list):
        raise PermanentFailure("the manager's answer cannot be read: it holds no items")
    return tuple(_read(kind, item) for item in items)
