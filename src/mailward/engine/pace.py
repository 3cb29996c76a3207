"""
How long to wait until the same target is probed again.

A server that times out must not be filled with our sessions (a hung file system keeps each of them), and a rejected
password must not be repeated until somebody's brute-force guard locks us out. Everything else keeps its interval, so
that recovery is noticed as fast as the fault was.
"""

from datetime import timedelta

from mailward.model.probing import Cause, ProbeResult, ResultType

TIMEOUTS_BEFORE_BACKING_OFF = 3
"""The failures that make up a verdict come at full pace."""
_PATIENT_CAUSES = frozenset({Cause.AUTH_REJECTED, Cause.AUTH_EXPIRED, Cause.LIMIT, Cause.OVER_QUOTA})


def interval_after(result: ProbeResult, interval: timedelta, in_row: int, *, longest: timedelta) -> timedelta:
    """
    Return the time from the start of this attempt to the start of the next.

    Args:
        result: How the attempt ended.
        interval: The probe's configured interval.
        in_row: How many attempts ended in the same way until now, this one included.
        longest: What backing off may reach; an interval that is longer by itself is kept.
    """
    if result.cause in _PATIENT_CAUSES:
        doublings = in_row - 1
    elif result.result is ResultType.TIMED_OUT:
        doublings = max(in_row - TIMEOUTS_BEFORE_BACKING_OFF, 0)
    else:
        doublings = 0
    stretched: timedelta = interval * 2 ** min(doublings, 20)
    return max(interval, min(stretched, longest))


def may_be_hastened(result: ProbeResult) -> bool:
    """Whether trying again within seconds is harmless: not for a password or a limit that was just refused."""
    return result.cause not in _PATIENT_CAUSES
