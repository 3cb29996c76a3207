"""
Copies of mailbox databases, in Exchange's words (Get-MailboxDatabaseCopyStatus).

A row says how one copy of one database on one server stands, and how much it lacks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class CopyState(Enum):
    """
    How a copy stands. The first four are states of the active copy; Exchange's meanings, as far as IMAP has them.
    """

    MOUNTED = "Mounted"
    """The active copy, whose server serves it."""
    DISMOUNTED = "Dismounted"
    """The active copy, whose server does not serve it."""
    MOUNTING = "Mounting"
    """It becomes the active copy: a move to it is under way."""
    DISMOUNTING = "Dismounting"
    """It is the active copy, and a move away from it is under way."""
    HEALTHY = "Healthy"
    """A passive copy that follows the active one."""
    INITIALIZING = "Initializing"
    """Nothing is known of it yet, or it was never synchronised."""
    RESYNCHRONIZING = "Resynchronizing"
    """It was apart from the active copy and has yet to be synchronised; until then it may lack mail."""
    FAILED = "Failed"
    """It cannot be synchronised."""
    FAILED_AND_SUSPENDED = "FailedAndSuspended"
    SUSPENDED = "Suspended"
    """Somebody keeps it from becoming active."""
    SEEDING = "Seeding"
    SERVICE_DOWN = "ServiceDown"
    """The IMAP service of its server does not run, or does not answer."""
    DISCONNECTED_AND_HEALTHY = "DisconnectedAndHealthy"
    """It followed the active copy until that could no longer be reached."""
    DISCONNECTED_AND_RESYNCHRONIZING = "DisconnectedAndResynchronizing"
    """It did not follow the active copy when that could no longer be reached."""
    UNKNOWN = "Unknown"
    """Nobody could be asked."""

    @property
    def is_active(self) -> bool:
        """Whether users are sent to a copy in this state."""
        return self in _ACTIVE

    @property
    def may_become_active(self) -> bool:
        """Whether a copy in this state may be chosen for a move, as far as its state goes."""
        return self in _ELIGIBLE


_ACTIVE = frozenset({CopyState.MOUNTED, CopyState.DISMOUNTED, CopyState.MOUNTING, CopyState.DISMOUNTING})
_ELIGIBLE = frozenset(
    {CopyState.HEALTHY, CopyState.DISCONNECTED_AND_HEALTHY, CopyState.DISCONNECTED_AND_RESYNCHRONIZING}
)


class CopyKind(Enum):
    """How the copies of a database come to be alike."""

    REPLICATOR = "replicator"
    """Dovecot 2.3's replicator keeps two copies alike, all the time."""
    SYNC = "sync"
    """mailward has `doveadm sync` run, on a timer and at every move (Dovecot 2.4, and 2.3 without replicator)."""
    SHARED_STORAGE = "shared-storage"
    """All servers see one store: nothing to synchronise, and two of them must never serve it at once."""
    SINGLE = "single"
    """There is one copy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseCopy:
    """One copy of one mailbox database."""

    database: str
    server: str
    state: CopyState
    because: str
    kind: CopyKind
    preference: int
    """Its place in the list of copies, from 1 (Exchange: ActivationPreference)."""
    seen_at: datetime
    lag: timedelta | None = None
    """How old the newest state is that all its mailboxes have; zero: nothing is missing; None: not known."""
    waiting: int | None = None
    """How many of its mailboxes have yet to be synchronised (Exchange: CopyQueueLength counts logs)."""
    mailboxes: int | None = None
    activation_blocked: str | None = None
    """Why it may not become active; None: it may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MailboxSync:
    """How the replication of one mailbox stands, as its server says."""

    mailbox: str
    is_waiting: bool
    """Whether something is yet to be copied."""
    has_failed: bool
    """Whether the last try failed."""
    last_success: timedelta | None
    """How long ago it was synchronised; None: never."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncReport:
    """What came of synchronising mailboxes."""

    done: tuple[str, ...]
    failed: tuple[tuple[str, str], ...] = ()
    """Mailbox and why, for each that could not be synchronised."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxiedSession:
    """One session that a proxy passes on."""

    mailbox: str
    address: str | None
    """Where to; None where the proxy does not tell (Dovecot 2.4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyChoice:
    """One copy as a candidate for a move, and why it was chosen or not."""

    server: str
    is_eligible: bool
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedMove:
    """One database's move as it would be done, or why it would not."""

    database: str
    source: str
    target: str | None
    """None: no copy is eligible."""
    because: str
    source_because: str = ""
    """How the server that is left is, and what follows from it: whether the move is forced, and fences it first."""
    is_forced: bool = False
    """Whether users would be sent away without their last mail, since the server that is left is not well."""
    choices: tuple[CopyChoice, ...] = ()
    """Every other copy, the chosen one first."""
    command: tuple[str, ...] = ()
    """The exact words that switch the routing."""
