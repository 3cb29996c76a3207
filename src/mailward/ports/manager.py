"""What a running manager can be asked: one port for the API, the dashboard and, through the API, the command line."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from mailward.model.alerting import Alert, Notice
from mailward.model.availability import AvailabilityReport
from mailward.model.copies import DatabaseCopy, PlannedMove
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceStatus
from mailward.model.health import HealthSetReport, MonitorHealth, RollupReport, Serving
from mailward.model.holds import Hold
from mailward.model.items import ProbeItem
from mailward.model.latencies import Latencies
from mailward.model.measures import Measures
from mailward.model.probing import ProbeResult
from mailward.model.recovery import GateAnswer, Operation, Step
from mailward.ports.service_control import ServiceDeed

if TYPE_CHECKING:  # commands that only read start without it
    from mailward.model.protocol_log import LoggedSession, ProtocolLogStanding


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagerStatus:
    """How the manager itself is doing."""

    organization: str
    version: str
    started_at: datetime
    servers: int
    monitors: int
    unhealthy: int
    probes_late: int
    store_reachable: bool
    pending_results: int
    """Results that wait for the store."""
    configuration_loaded_at: datetime
    configuration_error: str | None = None
    """Why the last reload was refused, while the old configuration stays in force."""
    mode: str = "recommend"
    """How far mailward goes by itself."""
    leads: bool = False
    """Whether this manager holds the lease that allows it to act."""
    stopped: str | None = None
    """Why no action at all is taken: the stop file, a pause of the organization; None when nothing stops them."""


class ServerKind(Enum):
    """What users meet, from the outside in."""

    ACCESS_POINT = "access point"
    PROXY = "proxy"
    PROXY_AND_MAILBOX = "proxy and mailbox server"
    MAILBOX = "mailbox server"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerEntry:
    """One server or access point of the organization."""

    name: str
    kind: ServerKind
    address: str
    """Where its IMAP service is probed: host and port."""
    site: str = ""
    databases: tuple[str, ...] = ()
    """The mailbox databases whose active copy is there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemInstance:
    """A probe or monitor as it exists in this organization (Get-MonitoringItemIdentity)."""

    identity: str
    """HEALTHSET/ITEM/TARGET, the target percent-encoded."""
    item_type: str
    """Probe or Monitor."""
    name: str
    server: str
    target_resource: str
    interval: timedelta | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveryStory:
    """Everything about one operation: what was done, what was refused and why, down to the transcript."""

    operation: Operation
    steps: tuple[Step, ...] = ()
    answers: tuple[GateAnswer, ...] = ()
    events: tuple[Event, ...] = ()
    transcripts: tuple[ProbeResult, ...] = ()
    """The failed results that led to it, the newest last."""
    progress: str = ""
    """How far the step under way has come: "412 of 1,004 mailboxes are copied"; "" where there is nothing to count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertStory:
    """One alert as people were last told of it, and the notices that told them."""

    alert: Alert
    notices: tuple[Notice, ...] = ()
    """The newest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Intention:
    """What an order by hand would do, or did: the same gates and the same words as without --dry-run."""

    server: str
    command: tuple[str, ...]
    answers: tuple[GateAnswer, ...]
    allowed: bool
    because: str
    done: bool = False
    operation: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveIntention:
    """What an order to move databases would do, or has begun: the same choice and gates as without --dry-run."""

    server: str
    """Whose databases move away, or back."""
    moves: tuple[PlannedMove, ...]
    answers: tuple[GateAnswer, ...]
    allowed: bool
    because: str
    unblocks: tuple[str, ...] = ()
    """Whose blocks of activation end with it, each with its reason."""
    operations: tuple[int, ...] = ()
    """The recoveries that carry it out, once they are begun: `mailward recoveries show` follows each."""

    @property
    def is_planned(self) -> bool:
        """Whether nobody is sent away without their last mail."""
        return not any(move.is_forced for move in self.moves)


class Manager(Protocol):
    """
    A running manager.

    Names of servers match by short name or FQDN, without regard to case. Every method that takes a name or number
    raises NotFound, a Refused, for an unknown one, naming the nearest, Refused for what exists and cannot be done, and
    TemporaryFailure when the answer cannot be had now.
    """

    async def status(self) -> ManagerStatus:
        """How the manager itself is doing."""
        ...

    async def measures(self) -> Measures:
        """What was counted since the manager started; answered also while the store is lost."""
        ...

    async def servers(self) -> tuple[ServerEntry, ...]:
        """Servers and access points of the organization, from the outside in, by name."""
        ...

    async def health(
        self, *, server: str | None = None, health_set: str | None = None, state: str | None = None
    ) -> tuple[MonitorHealth, ...]:
        """Monitors, worst first. *health_set* is a pattern: without wildcard it matches exactly."""
        ...

    async def report(self, *, server: str | None = None) -> tuple[HealthSetReport, ...]:
        """Health sets of each server."""
        ...

    async def rollup(self, *, minimum_online_percent: int = 70, group_size: int = 12) -> tuple[RollupReport, ...]:
        """Health sets over groups of servers (Get-HealthReport -RollupGroup)."""
        ...

    async def items(self, *, health_set: str | None = None, server: str | None = None) -> tuple[ItemInstance, ...]:
        """The probes and monitors of this organization."""
        ...

    async def item_help(self, item: str) -> ProbeItem | None:
        """Not every manager documents its items; None when unknown."""
        ...

    async def probe(self, identity: str, *, server: str, actor: str = "") -> tuple[ProbeResult, ...]:
        """
        Run a probe now for *actor*. *identity* is HEALTHSET/ITEM[/TARGET] or a bare item; a monitor's name runs its
        associated probe; without a target every target of that server is run.
        """
        ...

    async def results(
        self, *, probe: str | None = None, server: str | None = None, failed: bool | None = None, limit: int = 50
    ) -> tuple[ProbeResult, ...]:
        """Stored results, the newest first."""
        ...

    async def latencies(self, server: str, *, probe: str, target: str, since: datetime) -> Latencies:
        """
        How long the conversations of a probe on one target took since then, phase by phase, in 300 points at most.

        Without a point where nothing was measured, also for a target that there is none of.
        """
        ...

    async def events(
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
        """Stored events, ids above *after* and below *before*; *subject* matches itself and all below it (A, A/…)."""
        ...

    def follow(self, *, after: int) -> AsyncIterator[Event]:
        """Events with ids above *after*, then every new one as it is stored. Ends when the manager stops."""
        ...

    async def reload(self, *, actor: str) -> ManagerStatus:
        """
        Read the configuration again.

        Raises:
            Refused: The new configuration is wrong; the old one stays in force. The text lists every mistake.
        """
        ...

    async def recoveries(
        self, *, server: str | None = None, unfinished: bool = False, limit: int = 50
    ) -> tuple[Operation, ...]:
        """Operations, the newest first."""
        ...

    async def recovery(self, number: int) -> RecoveryStory:
        """One operation with its steps, gates' answers, events and transcripts. Refused when there is none."""
        ...

    async def why(self, subject: str) -> tuple[RecoveryStory, ...]:
        """The stories that explain a server (its last few operations) or one operation by its number."""
        ...

    async def approve(self, number: int, *, actor: str, reason: str = "") -> Operation:
        """Say yes to the step an operation waits with; it re-probes before it acts. Refused unless it waits for one."""
        ...

    async def deny(self, number: int, *, actor: str, reason: str = "") -> Operation:
        """Say no: the operation ends DENIED and a person is left with it."""
        ...

    async def abort(self, number: int, *, actor: str, reason: str = "") -> Operation:
        """End an operation before its next step; a deed under way is not called back, its outcome is recorded."""
        ...

    async def service(self, server: str) -> ServiceStatus:
        """The IMAP service of a server, as its host says now. Refused where the host is not reached."""
        ...

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
        """
        Do something to a service by hand, through the same gates, recorded with who and why.

        By hand nobody asks for evidence, pause or maintenance: a person answers for the why. *force* passes the gates
        that only advise (`ONLY_ADVISE`), never those that protect against certain harm
        (configuration invalid, others at work, stop file, lease, store).
        """
        ...

    async def restart_server(
        self, server: str, *, actor: str, reason: str = "", dry_run: bool = False, force: bool = False
    ) -> Intention:
        """Restart a whole server by hand, through the same gates."""
        ...

    async def copies(self, *, server: str | None = None, database: str | None = None) -> tuple[DatabaseCopy, ...]:
        """Copies of mailbox databases as they stand, by database and preference (Get-MailboxDatabaseCopyStatus)."""
        ...

    async def move_database(
        self,
        database: str,
        *,
        to: str | None = None,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """
        Move a database's active copy *to* a server, or to the best copy (Move-ActiveMailboxDatabase).

        Returns as soon as the move is begun. Refused for a server without a copy of it, and while another move of it is
        under way. With *only_planned* also for a move that would be forced by now: whoever agreed to a planned one did
        not agree to lose mail.
        """
        ...

    async def drain(
        self,
        server: str,
        *,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """
        Move every active copy away from a server and keep its copies from becoming active
        (Set-MailboxServer -DatabaseCopyActivationDisabledAndMoveNow).

        Refused while it is being emptied already; *only_planned* as for one database.
        """
        ...

    async def undrain(
        self,
        server: str,
        *,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        move_back: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """
        Allow a server's copies to become active again; with *move_back* move those that prefer it back to it.

        A move without a target stays as it is: the others are begun all the same.
        """
        ...

    async def protocol_log(self, server: str) -> "ProtocolLogStanding":
        """Whether a mailbox server's protocol log is on, since when and until when, or why it is not available."""
        ...

    async def protocol_log_on(
        self, server: str, *, lasting: timedelta, actor: str, reason: str = "", dry_run: bool = False
    ) -> "ProtocolLogStanding":
        """
        Log the conversations of a mailbox server's health mailboxes, for an hour at most (Set-ImapSettings
        -ProtocolLogEnabled). It goes off by itself, also when the manager is killed; `because` says what was done.
        """
        ...

    async def protocol_log_off(
        self, server: str, *, actor: str, reason: str = "", dry_run: bool = False
    ) -> "ProtocolLogStanding":
        """Log nothing any more, and remove what was logged."""
        ...

    async def logged_sessions(self, user: str, *, since: datetime) -> "tuple[LoggedSession, ...]":
        """
        The sessions of a health mailbox since then, the oldest first, as the logs of both tiers show them: which
        mailbox server served each, and what was said where its protocol log was on.

        TemporaryFailure where none is found and a log could not be read.
        """
        ...

    async def holds(self, *, subject: str | None = None, ended: bool = False) -> tuple[Hold, ...]:
        """Whatever is held in place, in force or scheduled: maintenance, pauses, overrides, blocked activation …"""
        ...

    async def hold(self, hold: Hold, *, actor: str) -> Hold:
        """Hold something in place, in force within a second. Refused for unknown names or a value that cannot be."""
        ...

    async def release(self, number: int, *, actor: str) -> Hold:
        """End a hold. Refused when there is none, or only its own requester may clear it."""
        ...

    async def alerts(self, *, resolved: bool = False) -> tuple[Alert, ...]:
        """What fires now, the most urgent first; with *resolved* then what was resolved within the last day."""
        ...

    async def alert(self, key: str) -> AlertStory:
        """One alert by its key, also long after it was resolved."""
        ...

    async def notices(self, *, limit: int = 50) -> tuple[Notice, ...]:
        """The outbox: what was sent, what waits, what failed and why."""
        ...

    async def test_channels(self, channel: str | None = None, *, actor: str) -> tuple[Notice, ...]:
        """Send a test alert by one channel or all, now, and say how it went."""
        ...

    async def would_have(self, *, since: datetime) -> tuple[RecoveryStory, ...]:
        """What was only recommended since then: the weekly report."""
        ...

    async def availability(self, month: str) -> AvailabilityReport:
        """How much of a month, YYYY-MM in UTC, each health set was up. Refused for what is no month, or is to come."""
        ...

    async def backup(self, path: str, *, actor: str) -> str:
        """Write a consistent copy of the store to *path*, which must not exist; return what was written."""
        ...

    async def serving(self, server: str) -> Serving:
        """
        Whether load balancers should send clients to *server*, for /health/SERVER.

        Answered from memory, also while the store is lost: TemporaryFailure only when nothing at all is known.
        """
        ...
