"""What is wrong with this machine before anything depends on it: found when the manager starts."""

import resource

PER_PROBE = 2
"""Descriptors one conversation may need at once: its own, and a second session for the push."""
ALWAYS = 200
"""For the store, the API, logs, watches and programs."""


def descriptors(probes: int, *, running_most: int = 2000) -> tuple[str, ...]:
    """
    Whether there are enough file descriptors for so many probes at once.

    Args:
        probes: How many are planned.
        running_most: How many the timetable lets run at once.

    Returns:
        A sentence with what to do, or nothing.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = ALWAYS + PER_PROBE * min(probes, running_most)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return ()
    if hard == resource.RLIM_INFINITY or hard >= needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        return ()
    return (f"only {hard} open files are allowed and {needed} may be needed: raise LimitNOFILE= of mailward's unit",)
