"""The half of the fake manager that is about repairs: it keeps what it is told, and refuses what a real one refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches

from mailward.model.alerting import Alert, AlertStatus, Notice, Urgency
from mailward.model.availability import AvailabilityReport
from mailward.model.errors import NotFound, Refused, TemporaryFailure
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.health import Serving
from mailward.model.holds import Hold
from mailward.model.recovery import ONLY_ADVISE, Answer, GateAnswer, Operation, OperationStatus
from mailward.ports.holds import replaces
from mailward.ports.manager import AlertStory, Intention, RecoveryStory
from mailward.ports.service_control import ServiceDeed

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_STATE_AFTER = {
    ServiceDeed.START: ServiceState.RUNNING,
    ServiceDeed.RESTART: ServiceState.RUNNING,
    ServiceDeed.STOP: ServiceState.STOPPED,
}


class FakeRepairs:
    """Operations, orders by hand, holds and notices over canned values, which tests may change while it runs."""

    def __init__(
        self,
        *,
        servers: Sequence[str] = (),
        stories: Sequence[RecoveryStory] = (),
        services: Mapping[str, ServiceStatus] | None = None,
        holds: Sequence[Hold] = (),
        alerts: Sequence[Alert] = (),
        notices: Sequence[Notice] = (),
        now: datetime = _EPOCH,
    ) -> None:
        self.server_names = list(servers)
        """Servers that are known although no other value names them."""
        self.stories = {story.operation.id: story for story in stories}
        self.services = dict(services or {})
        """The services whose host is reached."""
        self.held = list(holds)
        self.firing = tuple(alert for alert in alerts if alert.status is AlertStatus.FIRING)
        self.resolved = tuple(alert for alert in alerts if alert.status is AlertStatus.RESOLVED)
        self.outbox = list(notices)
        self.channels: dict[str, str] = {"mail": ""}
        """Name of each channel, and what goes wrong with it; "" when nothing does."""
        self.gates: tuple[GateAnswer, ...] = ()
        """What the gates say of every order by hand, beside those that pass."""
        self.now = now
        self.orders: list[tuple[str, str, str, str]] = []
        """Actor, deed, server and reason of each order by hand that was carried out."""
        self.decisions: list[tuple[str, str, int, str]] = []
        """Actor, what was said (approve, deny, abort), number and reason."""
        self.probed_by: list[str] = []
        self.months: dict[str, AvailabilityReport] = {}
        """The availability of each month that is known."""
        self.backups: list[tuple[str, str]] = []
        """Actor and path of each backup."""
        self.away: dict[str, str] = {}
        """Servers that clients should not be sent to, and why."""
        self.silent_because: str | None = None
        """Why no question can be answered now."""

    async def recoveries(
        self, *, server: str | None = None, unfinished: bool = False, limit: int = 50
    ) -> tuple[Operation, ...]:
        """The operations that match, the newest first."""
        self._answer()
        wanted = self._server(server)
        found = [
            story.operation
            for story in self.stories.values()
            if wanted in (None, story.operation.server) and not (unfinished and story.operation.status.is_over)
        ]
        return tuple(sorted(found, key=lambda one: one.id, reverse=True)[:limit])

    async def recovery(self, number: int) -> RecoveryStory:
        """The story of that number."""
        self._answer()
        if number not in self.stories:
            raise NotFound(f"there is no recovery {number}")
        return self.stories[number]

    async def why(self, subject: str) -> tuple[RecoveryStory, ...]:
        """The story of that number, or those of that server, the newest first."""
        self._answer()
        if subject.isdigit():
            return (await self.recovery(int(subject)),)
        wanted = self._server(subject)
        found = [story for story in self.stories.values() if story.operation.server == wanted]
        return tuple(sorted(found, key=lambda story: story.operation.id, reverse=True))

    async def approve(self, number: int, *, actor: str, reason: str = "") -> Operation:
        """Let it run; refused unless it waits for approval."""
        operation = await self._waiting(number)
        self.decisions.append((actor, "approve", number, reason))
        return self._keep(
            replace(
                operation,
                status=OperationStatus.RUNNING,
                approved_by=actor,
                approved_at=self.now,
                because=f"{actor} approved it{f': {reason}' if reason else ''}",
            )
        )

    async def deny(self, number: int, *, actor: str, reason: str = "") -> Operation:
        """End it; refused when it is over."""
        operation = await self._unfinished(number)
        self.decisions.append((actor, "deny", number, reason))
        return self._end(operation, OperationStatus.DENIED, f"{actor} denied it{f': {reason}' if reason else ''}")

    async def abort(self, number: int, *, actor: str, reason: str = "") -> Operation:
        """End it; refused when it is over."""
        operation = await self._unfinished(number)
        self.decisions.append((actor, "abort", number, reason))
        return self._end(operation, OperationStatus.ABORTED, f"{actor} aborted it{f': {reason}' if reason else ''}")

    async def service(self, server: str) -> ServiceStatus:
        """The canned status; refused for a server that has none."""
        self._answer()
        return self._service(self._known(server))

    async def control_service(
        self,
        server: str,
        deed: ServiceDeed,
        *,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
    ) -> Intention:
        """Ask the gates, and change the canned status when they let it through."""
        self._answer()
        name = self._known(server)
        status = self._service(name)
        intention = self._intention(name, ("systemctl", deed.value, "dovecot.service"), force=force)
        if not intention.allowed or dry_run:
            return intention
        after = _STATE_AFTER.get(deed, status.state)
        self.services[name] = replace(status, state=after, because=f"{actor} asked for {deed.value}", since=self.now)
        return self._carried_out(intention, deed.value, actor, reason)

    async def restart_server(
        self, server: str, *, actor: str, reason: str = "", dry_run: bool = False, force: bool = False
    ) -> Intention:
        """Ask the gates, and take note of the order when they let it through."""
        self._answer()
        intention = self._intention(self._known(server), ("systemctl", "reboot"), force=force)
        if not intention.allowed or dry_run:
            return intention
        return self._carried_out(intention, "restart-server", actor, reason)

    async def holds(self, *, subject: str | None = None, ended: bool = False) -> tuple[Hold, ...]:
        """The holds of that subject, or of what is part of it, the oldest first."""
        self._answer()
        return tuple(
            hold
            for hold in self.held
            if (subject is None or f"{hold.subject}/".startswith(f"{subject}/"))
            and (ended or (hold.ended_at is None and not self._has_expired(hold)))
        )

    async def hold(self, hold: Hold, *, actor: str) -> Hold:
        """Number and keep it; what is held of the same kind, subject, requester and property before ends."""
        self._answer()
        hold = replace(hold, subject=self._subject(hold.subject))
        if not hold.reason.strip():
            raise Refused("a reason is missing")
        if hold.until is not None and hold.until <= hold.since:
            raise Refused("it would end before it begins")
        for place, other in enumerate(self.held):
            if replaces(hold, other, now=self.now):
                self.held[place] = replace(other, ended_at=self.now, ended_by=actor)
        kept = replace(hold, owner=actor, id=max((other.id for other in self.held), default=0) + 1)
        self.held.append(kept)
        return kept

    async def release(self, number: int, *, actor: str) -> Hold:
        """End it; refused when it has ended already."""
        self._answer()
        place = next((place for place, hold in enumerate(self.held) if hold.id == number), None)
        if place is None:
            raise NotFound(f"there is no hold {number}")
        if self.held[place].ended_at is not None:
            raise Refused(f"hold {number} has ended already")
        self.held[place] = replace(self.held[place], ended_at=self.now, ended_by=actor)
        return self.held[place]

    async def serving(self, server: str) -> Serving:
        """Every known server serves but those `away`."""
        self._answer()
        name = self._known(server)
        because = self.away.get(name, "nothing is known against it")
        return Serving(server=name, is_serving=name not in self.away, because=because)

    async def alerts(self, *, resolved: bool = False) -> tuple[Alert, ...]:
        """The canned alerts."""
        self._answer()
        return (*self.firing, *self.resolved) if resolved else self.firing

    async def alert(self, key: str) -> AlertStory:
        """The canned alert of that key, with its notices in the outbox."""
        self._answer()
        alert = next((alert for alert in (*self.firing, *self.resolved) if alert.key == key), None)
        if alert is None:
            raise NotFound(f"there is no alert {key!r}")
        return AlertStory(alert=alert, notices=tuple(one for one in self.outbox[::-1] if one.alert.key == key))

    async def notices(self, *, limit: int = 50) -> tuple[Notice, ...]:
        """The outbox, the newest first."""
        self._answer()
        return tuple(self.outbox[::-1][:limit])

    async def test_channels(self, channel: str | None = None, *, actor: str) -> tuple[Notice, ...]:
        """A notice for each channel, sent or failed as `channels` says."""
        self._answer()
        if channel is not None and channel not in self.channels:
            raise NotFound(f"there is no channel {channel!r}; known: {', '.join(sorted(self.channels)) or 'none'}")
        made = tuple(self._test(name, actor) for name in self.channels if channel in (None, name))
        self.outbox.extend(made)
        return made

    async def would_have(self, *, since: datetime) -> tuple[RecoveryStory, ...]:
        """The stories in which something was recommended."""
        self._answer()
        return tuple(
            story
            for story in self.stories.values()
            if story.operation.data.get("recommended") and story.operation.started_at >= since
        )

    async def availability(self, month: str) -> AvailabilityReport:
        """The canned report of that month; refused for others."""
        self._answer()
        if month not in self.months:
            raise Refused(f"{month!r} is no month, or has not begun")
        return self.months[month]

    async def backup(self, path: str, *, actor: str) -> str:
        """Take note of it; refused for a path that was used before."""
        self._answer()
        if any(path == used for _, used in self.backups):
            raise Refused(f"{path} exists already; nothing was written")
        self.backups.append((actor, path))
        return f"{path}: 4096 bytes"

    async def _waiting(self, number: int) -> Operation:
        operation = await self._unfinished(number)
        if operation.status is not OperationStatus.AWAITING_APPROVAL:
            raise Refused(f"recovery {number} does not wait for approval: it is {operation.status.value}")
        return operation

    async def _unfinished(self, number: int) -> Operation:
        operation = (await self.recovery(number)).operation
        if operation.status.is_over:
            raise Refused(f"recovery {number} is over: {operation.status.value}")
        return operation

    def _end(self, operation: Operation, status: OperationStatus, because: str) -> Operation:
        return self._keep(replace(operation, status=status, because=because, ended_at=self.now, wake_at=None))

    def _keep(self, operation: Operation) -> Operation:
        self.stories[operation.id] = replace(self.stories[operation.id], operation=operation)
        return operation

    def _intention(self, server: str, command: tuple[str, ...], *, force: bool) -> Intention:
        stopping = [
            answer
            for answer in self.gates
            if answer.answer is not Answer.PASSES and not (force and answer.gate in ONLY_ADVISE)
        ]
        because = f"the gate {stopping[0].gate.value} says: {stopping[0].because}" if stopping else "every gate passes"
        return Intention(
            server=server, command=command, answers=self.gates, allowed=not stopping, because=because, done=False
        )

    def _carried_out(self, intention: Intention, deed: str, actor: str, reason: str) -> Intention:
        self.orders.append((actor, deed, intention.server, reason))
        number = max(self.stories, default=0) + len(self.orders)
        return replace(intention, done=True, operation=number)

    def _service(self, name: str) -> ServiceStatus:
        if name not in self.services:
            raise Refused(f"the host of {name} is not reached: its configuration names no service")
        return self.services[name]

    def _test(self, channel: str, actor: str) -> Notice:
        error = self.channels[channel]
        alert = Alert(
            key="test",
            status=AlertStatus.FIRING,
            urgency=Urgency.INFO,
            title=f"A test, asked for by {actor}",
            text="Nothing is wrong.",
            starts_at=self.now,
        )
        return Notice(
            channel=channel,
            identity=f"test/{channel}/{len(self.outbox)}",
            alert=alert,
            created_at=self.now,
            next_try=self.now,
            attempts=1,
            sent_at=None if error else self.now,
            last_error=error,
            id=max((notice.id for notice in self.outbox), default=0) + 1,
        )

    def _has_expired(self, hold: Hold) -> bool:
        return hold.until is not None and hold.until <= self.now

    def _subject(self, subject: str) -> str:
        server, slash, rest = subject.partition("/")
        return subject if server in ("organization", "*") else f"{self._known(server)}{slash}{rest}"

    def _answer(self) -> None:
        if self.silent_because is not None:
            raise TemporaryFailure(self.silent_because)

    def _names(self) -> set[str]:
        """Every server that any value names."""
        return {*self.server_names, *self.services, *(story.operation.server for story in self.stories.values())}

    def _server(self, name: str | None) -> str | None:
        return None if name is None else self._known(name)

    def _known(self, name: str) -> str:
        known = {server.lower(): server for server in self._names()}
        if name.lower() in known:
            return known[name.lower()]
        nearest = get_close_matches(name.lower(), sorted(known), n=1, cutoff=0.5)
        hint = f"; did you mean {known[nearest[0]]!r}?" if nearest else ""
        raise NotFound(f"there is no server {name!r}{hint}")
