"""How long to wait until the next regular turn: jitter, and back-off where our own sessions could do harm."""

from datetime import timedelta

from mailward.model.probing import Cause, Phase, ResultType
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.samples import Sample

_FREE_TIMEOUTS = 3
"""Time-outs before back-off begins: a first one and its two confirmations."""
_DOUBLINGS_MAX = 16
_REJECTED = frozenset({Cause.AUTH_REJECTED, Cause.AUTH_EXPIRED})
_IN_THE_STORE = frozenset({Phase.SELECT, Phase.APPEND, Phase.FETCH, Phase.IDLE, Phase.EXPUNGE})


def strain_after(strain: int, sample: Sample) -> int:
    """
    How strained a target is after *sample*, given how strained it was; 0 is not at all.

    A time-out inside the store leaves a session waiting on it; a rejected password repeated gets the prober banned, so
    that one counts from the first time. Everything else may be repeated without harm, and ends the strain.
    """
    if sample.cause in _REJECTED:
        return max(strain, _FREE_TIMEOUTS) + 1
    return strain + 1 if sample.result is ResultType.TIMED_OUT and sample.phase in _IN_THE_STORE else 0


def wait_before(probe: PlannedProbe, settings: ProbingSettings, *, strain: int, chance: float) -> timedelta:
    """
    How long to wait from the start of one regular turn to the next.

    The interval doubles with each step of strain, up to `back_off_max` and never below the regular interval. Fast
    confirmations and rechecks are left out altogether while `is_strained`.

    Args:
        probe: What is waited for.
        settings: Jitter and the bound of back-off.
        strain: As `strain_after` counted it.
        chance: From -1 to 1, evenly spread.
    """
    doublings = min(max(0, strain - _FREE_TIMEOUTS), _DOUBLINGS_MAX)
    longest = max(settings.back_off_max, probe.interval)
    factor: int = 2**doublings
    return min(probe.interval * factor, longest) * (1 + chance * settings.jitter_percent / 100)


def is_strained(strain: int) -> bool:
    """Whether to leave out confirmations and rechecks: the target must be left in peace between regular turns."""
    return strain > _FREE_TIMEOUTS
