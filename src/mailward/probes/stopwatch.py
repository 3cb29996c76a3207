"""
The time of one probe: a deadline for the whole, a limit for each phase, and how late our own event loop was meanwhile.

Time here is the event loop's own clock, in seconds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from mailward.model.probing import Cause, Phase, PhaseOutcome, PhaseTiming
from mailward.probes.failure import PhaseFailed

_NONE = timedelta(0)


class Stopwatch:
    """Times the phases of one conversation."""

    def __init__(
        self,
        *,
        time: Callable[[], float],
        loop_lag: Callable[[], timedelta],
        limits: Mapping[Phase, timedelta],
        deadline: float,
        overload_lag: timedelta = timedelta(milliseconds=250),
        overload_share: float = 0.2,
    ) -> None:
        """
        Args:
            time: The event loop's clock.
            loop_lag: How late the loop was in the last moments.
            limits: The longest each phase may take.
            deadline: When the whole must have ended, by the same clock.
            overload_lag: See `ProbeSettings`.
            overload_share: See `ProbeSettings`.
        """
        self._time = time
        self._loop_lag = loop_lag
        self._limits = limits
        self.deadline = deadline
        self._overload = (overload_lag, overload_share)
        self._phase_ends = deadline
        self._timings: dict[Phase, PhaseTiming] = {}

    @property
    def timings(self) -> tuple[PhaseTiming, ...]:
        """The phases so far, in the order they began; one that was taken up again is one entry."""
        return tuple(self._timings.values())

    def now(self) -> float:
        """The present moment, in seconds of the loop's clock."""
        return self._time()

    def left(self) -> float:
        """Seconds left for the present phase; 0.0 when it is over."""
        return max(0.0, self._phase_ends - self._time())

    def left_of_whole(self) -> float:
        """Seconds left for the whole conversation; 0.0 when it is over."""
        return max(0.0, self.deadline - self._time())

    def is_overloaded(self, phase: Phase) -> bool:
        """Whether our own loop was so late in *phase* that a time-out there says nothing about the server."""
        timing = self._timings.get(phase)
        lag, share = self._overload
        return timing is not None and timing.loop_lag >= max(lag, share * timing.took)

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Time what happens inside as *phase*, and bound it. A PhaseFailed from inside decides its outcome."""
        began = self._time()
        limit = self._limits.get(phase)
        self._phase_ends = self.deadline if limit is None else min(self.deadline, began + limit.total_seconds())
        outcome = PhaseOutcome.FAILED
        try:
            yield
            outcome = PhaseOutcome.OK
        except PhaseFailed as failed:
            if failed.cause is Cause.TIMEOUT:
                outcome = PhaseOutcome.TIMED_OUT
            raise
        finally:
            ended = self._time()
            late = _NONE
            if outcome is PhaseOutcome.TIMED_OUT:  # whatever came after the agreed end is the loop's doing
                late = timedelta(seconds=max(0.0, ended - self._phase_ends))
            self.record(phase, timedelta(seconds=ended - began), outcome, loop_lag=max(late, self._loop_lag()))
            self._phase_ends = self.deadline

    def record(self, phase: Phase, took: timedelta, outcome: PhaseOutcome, *, loop_lag: timedelta = _NONE) -> None:
        """Add a measured phase; time is added up when the phase was taken up before, and the worse outcome stays."""
        before = self._timings.get(phase)
        if before is not None:
            took += before.took
            loop_lag = max(loop_lag, before.loop_lag)
            outcome = before.outcome if outcome is PhaseOutcome.OK else outcome
        self._timings[phase] = PhaseTiming(phase=phase, took=took, outcome=outcome, loop_lag=min(loop_lag, took))
