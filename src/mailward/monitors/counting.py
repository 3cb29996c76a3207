"""
What two looks at counters say together: totals only grow, so the difference is what happened in between.

IDLE is left out: Dovecot counts its whole duration, up to half an hour in which a phone merely waits (field notes,
"Later measurements"). What never ends is never counted, so that commands under way are looked at beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.model.counters import CommandTotal, CommandTotals, RunningCommand

_WAITS_FOR_NEWS = "IDLE"
_NONE = CommandTotal(count=0, took=timedelta(0))


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandTimes:
    """The commands that ended between two looks."""

    count: int
    mean: timedelta
    """Zero where none ended."""
    slowest: str = ""
    """The command whose own mean is the longest."""
    slowest_mean: timedelta = timedelta(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stuck:
    """A command that makes no progress."""

    command: RunningCommand
    since: datetime
    """When it was first seen; it may have begun before."""


def began_anew(before: CommandTotals, after: CommandTotals) -> bool:
    """Whether the service was started between two looks: it counts from zero again."""
    return any(after.finished.get(name, _NONE).count < total.count for name, total in before.finished.items())


def times_between(before: CommandTotals, after: CommandTotals) -> CommandTimes:
    """What ended between two looks at a service that was not started in between."""
    ended = {
        name: _difference(before.finished.get(name, _NONE), total)
        for name, total in after.finished.items()
        if name != _WAITS_FOR_NEWS
    }
    ended = {name: total for name, total in ended.items() if total.count > 0}
    if not ended:
        return CommandTimes(count=0, mean=timedelta(0))
    count = sum(total.count for total in ended.values())
    slowest = max(ended, key=lambda name: (_mean(ended[name]), name))
    return CommandTimes(
        count=count,
        mean=sum((total.took for total in ended.values()), timedelta(0)) / count,
        slowest=slowest,
        slowest_mean=_mean(ended[slowest]),
    )


def still_stuck(before: Sequence[Stuck], running: Sequence[RunningCommand], now: datetime) -> tuple[Stuck, ...]:
    """
    The commands under way, each since it was first seen in the very same state.

    A session that used the processor in between works, however long it takes: it counts from now again.
    """
    since = {stuck.command: stuck.since for stuck in before}
    return tuple(
        Stuck(command=command, since=min(since.get(command, now), now))
        for command in running
        if command.name != _WAITS_FOR_NEWS
    )


def _difference(before: CommandTotal, after: CommandTotal) -> CommandTotal:
    return CommandTotal(count=after.count - before.count, took=max(after.took - before.took, timedelta(0)))


def _mean(total: CommandTotal) -> timedelta:
    return total.took / total.count
