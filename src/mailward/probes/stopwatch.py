"""
The time of one probe: a deadline for the whole, a limit for each phase, and how late our own event loop was meanwhile.

Time here is the event loop's own clock, in seconds.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import TracebackType

from mailward.model.probing import Cause, Phase, PhaseOutcome, PhaseTiming
from mailward.probes.failure import PhaseFailed

_NONE = timedelta(0)
#: A loop cannot have been later within a phase than the phase took; of shorter ones nothing is to be learnt.
_WORTH_ASKING_S = 0.05


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

    def phase(self, phase: Phase, translate: "Translate | None" = None) -> "TimedPhase":
        """
        Time what happens inside as *phase*, and bound it. A PhaseFailed from inside decides its outcome.

        Args:
            phase: What is being done. Phases do not nest.
            translate: Turns what else may be raised inside into a PhaseFailed; None from it lets the error pass.
        """
        return TimedPhase(self, phase, translate)

    def begin(self, phase: Phase) -> float:
        """Begin a phase; `phase` does it and ends it, whatever happens."""
        began = self._time()
        limit = self._limits.get(phase)
        self._phase_ends = self.deadline if limit is None else min(self.deadline, began + limit.total_seconds())
        return began

    def end(self, phase: Phase, began: float, outcome: PhaseOutcome) -> None:
        """End a phase that began then."""
        ended = self._time()
        took = ended - began
        lag = self._loop_lag() if took >= _WORTH_ASKING_S else _NONE
        if outcome is PhaseOutcome.TIMED_OUT:  # whatever came after the agreed end is the loop's doing
            lag = max(lag, timedelta(seconds=max(0.0, ended - self._phase_ends)))
        self.record(phase, timedelta(seconds=took), outcome, loop_lag=lag)
        self._phase_ends = self.deadline

    def record(self, phase: Phase, took: timedelta, outcome: PhaseOutcome, *, loop_lag: timedelta = _NONE) -> None:
        """Add a measured phase; time is added up when the phase was taken up before, and the worse outcome stays."""
        before = self._timings.get(phase)
        if before is not None:
            took += before.took
            loop_lag = max(loop_lag, before.loop_lag)
            outcome = before.outcome if outcome is PhaseOutcome.OK else outcome
        self._timings[phase] = PhaseTiming(phase=phase, took=took, outcome=outcome, loop_lag=min(loop_lag, took))


#: What may be raised inside a phase -> the failure it is, or None.
Translate = Callable[[Phase, BaseException], PhaseFailed | None]


class TimedPhase:
    """A `with` block that is timed; a class because probes enter ten of them in two milliseconds."""

    __slots__ = ("_began", "_phase", "_translate", "_watch")

    def __init__(self, watch: Stopwatch, phase: Phase, translate: Translate | None) -> None:
        self._watch = watch
        self._phase = phase
        self._translate = translate
        self._began = 0.0

    def __enter__(self) -> None:
        """Begin the phase."""
        self._began = self._watch.begin(self._phase)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and say what an error means."""
        if error is None:
            self._watch.end(self._phase, self._began, PhaseOutcome.OK)
            return
        failed = error if isinstance(error, PhaseFailed) else None
        if failed is None and self._translate is not None:
            failed = self._translate(self._phase, error)
        timed_out = failed is not None and failed.cause is Cause.TIMEOUT
        self._watch.end(self._phase, self._began, PhaseOutcome.TIMED_OUT if timed_out else PhaseOutcome.FAILED)
        if failed is not None and failed is not error:
            raise failed from error
