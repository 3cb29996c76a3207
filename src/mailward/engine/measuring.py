"""
Counts what the manager does, in memory: results as they are judged, actions as they end, what gates withheld.

A count never falls while the manager runs. Labels are closed lists and names of items, so that what is kept does not
grow with the organization: nothing here is counted for each server.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailward.model.measures import (
    PHASE_BOUNDS,
    ActionCount,
    FailureCount,
    Measures,
    MonitorCount,
    PhaseTimes,
    RecoveryCount,
    ResultCount,
    WithheldCount,
)
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType
from mailward.model.recovery import ActionClass, Answer, Gate, GateAnswer, Operation, OperationStatus, Step, StepOutcome


@dataclass(slots=True)
class _Times:
    counts: list[int] = field(default_factory=lambda: [0] * (len(PHASE_BOUNDS) + 1))
    took: timedelta = timedelta(0)


class Tally:
    """What was counted so far."""

    def __init__(self, since: datetime) -> None:
        """Nothing yet; *since* is the present moment."""
        self._since = since
        self._results: Counter[tuple[str, ResultType]] = Counter()
        self._failures: Counter[tuple[str, Phase | None, Cause | None]] = Counter()
        self._phases: dict[tuple[str, Phase], _Times] = {}
        self._actions: Counter[tuple[ActionClass, StepOutcome]] = Counter()
        self._withheld: Counter[tuple[ActionClass, Gate]] = Counter()

    def judged(self, result: ProbeResult) -> None:
        """A probe ended. Only phases that took place count: a login that was never tried took no time at all."""
        self._results[result.probe, result.result] += 1
        if result.result.is_failure:
            self._failures[result.probe, result.failed_phase, result.cause] += 1
        for timing in result.phases:
            times = self._phases.setdefault((result.probe, timing.phase), _Times())
            times.counts[bisect_left(PHASE_BOUNDS, timing.took.total_seconds())] += 1
            times.took += timing.took

    def ended(self, step: Step) -> None:
        """An action ended; a step that touches nothing is none."""
        if step.action is not None and step.outcome is not None:
            self._actions[step.action, step.outcome] += 1

    def withheld(self, action: ActionClass, answers: Iterable[GateAnswer]) -> None:
        """An action was wanted and not begun: each gate that did not let it pass counts."""
        for one in answers:
            if one.answer is not Answer.PASSES:
                self._withheld[action, one.gate] += 1

    def measures(self) -> Measures:
        """Everything counted, in a fixed order."""
        return Measures(
            since=self._since,
            results=tuple(
                ResultCount(probe=probe, result=result, count=count)
                for (probe, result), count in sorted(self._results.items(), key=_by_names)
            ),
            failures=tuple(
                FailureCount(probe=probe, phase=phase, cause=cause, count=count)
                for (probe, phase, cause), count in sorted(self._failures.items(), key=_by_names)
            ),
            phases=tuple(
                PhaseTimes(probe=probe, phase=phase, counts=tuple(times.counts), took=times.took)
                for (probe, phase), times in sorted(self._phases.items(), key=_by_names)
            ),
            actions=tuple(
                ActionCount(action=action, outcome=outcome, count=count)
                for (action, outcome), count in sorted(self._actions.items(), key=_by_names)
            ),
            withheld=tuple(
                WithheldCount(action=action, gate=gate, count=count)
                for (action, gate), count in sorted(self._withheld.items(), key=_by_names)
            ),
        )


def monitor_counts(statuses: Iterable[MonitorStatus]) -> tuple[MonitorCount, ...]:
    """How many monitors of each health set are in each state, states that none is in included."""
    found = Counter((status.key.health_set, status.state) for status in statuses)
    return tuple(
        MonitorCount(health_set=health_set, state=state, count=found[health_set, state])
        for health_set in sorted({health_set for health_set, _ in found})
        for state in AlertValue
    )


def recovery_counts(operations: Iterable[Operation]) -> tuple[RecoveryCount, ...]:
    """How many recoveries stand in each way, those that none stands in included."""
    found = Counter(status for _, status in {one.id: one.status for one in operations}.items())
    return tuple(RecoveryCount(status=status, count=found[status]) for status in OperationStatus)


def _by_names(item: tuple[tuple[object, ...], object]) -> tuple[str, ...]:
    return tuple(str(getattr(part, "value", part)) for part in item[0])
