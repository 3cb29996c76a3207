"""What a manager has counted of its own work since it started: the numbers behind `/metrics`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.model.monitoring import AlertValue
from mailward.model.probing import Cause, Phase, ResultType
from mailward.model.recovery import ActionClass, Gate, OperationStatus, StepOutcome

PHASE_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""
The upper bounds, in seconds, by which durations of phases are counted: from one network turn on the same machine to
the longest time-out. They stay what they are: a dashboard compares this week with the last.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseTimes:
    """How long one phase took in the conversations of one probe, successful or not."""

    probe: str
    phase: Phase
    counts: tuple[int, ...]
    """How many took at most each of `PHASE_BOUNDS` and more than the one before; at the end those beyond the last."""
    took: timedelta
    """All of them together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultCount:
    """How often a probe ended so."""

    probe: str
    result: ResultType
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureCount:
    """How often a probe failed in this phase for this cause; None where the result names none."""

    probe: str
    phase: Phase | None
    cause: Cause | None
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionCount:
    """How many actions of a class ended so."""

    action: ActionClass
    outcome: StepOutcome
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WithheldCount:
    """How often an action was not begun because this gate did not let it pass; what stays closed counts once."""

    action: ActionClass
    gate: Gate
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorCount:
    """How many monitors of a health set are in a state now."""

    health_set: str
    state: AlertValue
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveryCount:
    """How many recoveries stand so: open ones, and those that ended within 25 hours."""

    status: OperationStatus
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """How many more actions of a class the day's throttle allows on a server; only servers that were acted on."""

    server: str
    action: ActionClass
    remaining: int
    """0: the next one waits."""
    limit: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Measures:
    """Everything counted, at one moment. Counts begin with the start of the manager; nothing of it is stored."""

    since: datetime
    """When counting began."""
    results: tuple[ResultCount, ...] = ()
    failures: tuple[FailureCount, ...] = ()
    phases: tuple[PhaseTimes, ...] = ()
    monitors: tuple[MonitorCount, ...] = ()
    actions: tuple[ActionCount, ...] = ()
    withheld: tuple[WithheldCount, ...] = ()
    recoveries: tuple[RecoveryCount, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    """Empty also while the store, which knows what was done, cannot be read."""
    probes_running: int = 0
    schedule_lag: timedelta = timedelta(0)
    """By how much the most overdue probe is late through our own fault."""
    loop_lag: timedelta = timedelta(0)
    """For how long the manager's event loop was blocked lately, at worst."""
