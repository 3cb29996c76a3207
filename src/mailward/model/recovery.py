"""
What is done about a broken service: operations, their steps, and the answers of the gates (design, "Agreements").

An operation is one run of a procedure for one target. A step writes its intent before the deed and its outcome after
it, so that whoever goes on after a crash knows what to look at before anything is repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from mailward.model.event import OURSELVES
from mailward.model.monitoring import MonitorKey
from mailward.model.verdict import Verdict

_STATEMENT = "sql"
"""The first word of a command that is none: of what a map in a database is changed by."""


def is_statement(command: Sequence[str]) -> bool:
    """Whether the words of a deed are a statement, which no shell sees, and nothing of it is quoted for one."""
    return list(command[:1]) == [_STATEMENT]


class ActionClass(Enum):
    """The classes of action, each with a mode of its own (design §4)."""

    START = "start"
    """Start a service that failed; one that was stopped on purpose is left alone."""
    RELOAD = "reload"
    RESTART = "restart"
    """Restart a running service."""
    ACCESS_POINT = "access-point"
    """Take a proxy out of the access point, or put it back."""
    MOVE = "move"
    """Move mailbox databases to other copies."""
    SERVER_RESTART = "server-restart"


class Mode(Enum):
    """How far mailward goes by itself, from the most careful to the least."""

    OBSERVE = "observe"
    RECOMMEND = "recommend"
    """Says what would be done, with the exact commands; touches nothing."""
    APPROVE = "approve"
    """Waits for a person to say yes."""
    ACT = "act"


class OperationKind(Enum):
    """The procedures, named for what they repair, and what a person asked for by hand."""

    MAILBOX_SERVER = "mailbox-server"
    CUSTOMER_TOUCH_POINT = "customer-touch-point"
    PROXY = "proxy"
    CERTIFICATE = "certificate"
    LOAD = "load"
    MOVE = "move"
    """The move of one mailbox database to another copy."""
    DRAIN = "drain"
    """The move of every active copy away from one server, as a person asked for it."""
    BY_HAND = "by-hand"


class OperationStatus(Enum):
    """How an operation stands."""

    RUNNING = "running"
    WAITING = "waiting"
    """For a moment (`wake_at`), or for a gate to open."""
    AWAITING_APPROVAL = "awaiting-approval"
    TRANSIENT = "transient"
    """The trouble was gone before anything was touched."""
    HEALED = "healed"
    ESCALATED = "escalated"
    """The procedure is at its end and the problem stands: a person has been called."""
    DENIED = "denied"
    ABORTED = "aborted"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be done in it."""
        return self not in (OperationStatus.RUNNING, OperationStatus.WAITING, OperationStatus.AWAITING_APPROVAL)


class StepName(Enum):
    """What a step does; the deeds among them have a class of action."""

    RE_PROBE = "re-probe"
    START_SERVICE = "start the IMAP service"
    RESTART_SERVICE = "restart the IMAP service"
    RELOAD_SERVICE = "reload the IMAP service"
    STOP_SERVICE = "stop the IMAP service"
    ENABLE_SERVICE = "enable the IMAP service"
    MOVE_DATABASES = "move the mailbox databases away"
    AWAIT_MOVES = "wait until they are moved"
    CHOOSE_COPY = "choose the copy that becomes active"
    SYNCHRONISE = "synchronise the mailboxes"
    FENCE = "fence the source, so that nobody writes there"
    SWITCH_OVER = "send the users to the other copy"
    VERIFY = "verify that users are served there"
    PROVE_EMPTY = "prove that no active copy is left"
    RESTART_SERVER = "restart the server"
    ALLOW_ACTIVATION = "allow activation"
    RECOVER_MAILBOX_SERVER = "recover the mailbox server that serves it"
    PROTOCOL_LOG_ON = "switch the protocol log on"
    COLLECT = "find the mailbox server that serves it"
    PROTOCOL_LOG_OFF = "switch the protocol log off"
    TAKE_OUT = "take the proxy out of the access point"
    PUT_BACK = "put the proxy back into the access point"
    OBSERVE = "observe"
    ESCALATE = "escalate"


class StepOutcome(Enum):
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Its premise is refuted, or does not apply."""
    UNKNOWN = "unknown"
    """Whether the deed was done could not be found out."""
    REFUSED = "refused"
    """A gate, or the platform, said no: nothing was done."""


class Gate(Enum):
    """Every named reason not to act (design §4, "Gates")."""

    MODE = "mode"
    STOP_FILE = "stop file"
    PAUSE = "pause"
    MAINTENANCE = "maintenance"
    COMPONENT_STATE = "component state"
    OVERRIDE = "override"
    STOPPED_ON_PURPOSE = "stopped on purpose"
    CONFIGURATION_INVALID = "configuration invalid"
    OTHERS_AT_WORK = "others at work"
    VERDICT = "verdict not positive"
    SHARED_DEPENDENCY = "shared dependency"
    MONITORING_AT_FAULT = "monitoring at fault"
    NOT_CONFIRMED = "not confirmed on the host"
    NOT_YET_UNHEALTHY = "not yet unhealthy"
    KERNEL_HANG = "kernel hang"
    ACTIVE_COPY_LEFT = "active copy left"
    COPIES_NOT_READY = "copies not ready"
    STILL_IN_SERVICE = "still in service"
    LAST_HEALTHY = "last healthy of its role"
    BLAST_RADIUS = "blast radius"
    THROTTLE = "throttle"
    INEFFECTIVE = "ineffective remediation"
    LEASE = "lease"
    STORE = "store reachable"
    APPROVAL = "approval"
    NOT_AVAILABLE = "not available on this platform"
    NOT_RESTARTABLE = "server not named as restartable"


#: Asked of a person, these only advise: `--force` passes them. The others protect against certain harm.
ONLY_ADVISE = frozenset({Gate.THROTTLE, Gate.LAST_HEALTHY, Gate.KERNEL_HANG, Gate.STILL_IN_SERVICE})


class Answer(Enum):
    """What a gate says."""

    PASSES = "passes"
    WAITS = "waits"
    """Not now: it opens by itself at a known moment, or with time."""
    REFUSES = "refuses"
    """Not while things are as they are; looked at again, and a person is told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateAnswer:
    """One gate's answer to one wanted deed."""

    gate: Gate
    answer: Answer
    because: str
    until: datetime | None = None
    """When a waiting gate opens, where that is known."""
    operation: int = 0
    seq: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One run of a procedure for one target. `id` is 0 until the store has numbered it."""

    kind: OperationKind
    target: str
    """
    What it is about: a server, "SERVER/DATABASE", or "PROXY/MAILBOX-SERVER" for a customer touch point; of what people
    order "database NAME" or "server NAME".
    """
    server: str
    """The server, or access point, whose monitor broke."""
    mode: Mode
    status: OperationStatus
    because: str
    """Why it stands as it does: one sentence."""
    started_at: datetime
    cause: MonitorKey | None = None
    """The monitor that broke; None when a person asked."""
    cause_event: int | None = None
    parent: int | None = None
    joins: int | None = None
    """The operation it waits for."""
    wake_at: datetime | None = None
    ended_at: datetime | None = None
    escalated_at: datetime | None = None
    """When a person was called, which may be before it ends."""
    approved_by: str | None = None
    """Who allowed the step it stands at, with the moment in `approved_at`."""
    approved_at: datetime | None = None
    owner: str = ""
    fence: int = 0
    actor: str = OURSELVES
    verdict: Verdict | None = None
    databases: tuple[str, ...] = ()
    """Whose users are affected."""
    data: Mapping[str, object] = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of an operation. `ended` is None between the intent and the outcome."""

    operation: int
    seq: int
    """Counts up within the operation."""
    place: int
    """Which step of the procedure it is, from 0; a repeated step has the same place and another attempt."""
    name: StepName
    server: str
    """The server it touches or looks at."""
    started: datetime
    attempt: int = 1
    fence: int = 0
    action: ActionClass | None = None
    """None for steps that touch nothing."""
    premise: str = ""
    """Why this step makes sense now."""
    intent: str = ""
    """What is about to be done."""
    command: tuple[str, ...] = ()
    """The exact words of the command; what a rehearsal shows is what is run."""
    ended: datetime | None = None
    outcome: StepOutcome | None = None
    because: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)
    """Facts, JSON-like: what the host said before the deed, the result after it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """One action that was begun: what throttles count. It counts from the intent on, whatever came of it."""

    action: ActionClass
    server: str
    operation: int
    seq: int
    started: datetime
    ended: datetime | None = None
    outcome: StepOutcome | None = None
