"""
Looks at the counters of a platform: how long commands take, and how many requests wait (design §2).

Totals are remembered over a window, since only differences say what happens now. For how long something may be above a
limit is for the monitors to judge; what the platform itself says is too much, a full queue or clients that are dropped,
fails the look.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.model.counters import CommandTotals, ProcessLimit, RequestQueue
from mailward.model.durations import spoken
from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.probing import Cause, ProbeResult, ResultType
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict
from mailward.monitors.counting import CommandTimes, Stuck, began_anew, still_stuck, times_between
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.samples import ProbeKey
from mailward.ports.clock import Clock
from mailward.ports.counters import Counters

MOST_LOOKS = 2000
"""Of one server that are remembered: more than any window needs."""
_TOO_SOON = timedelta(seconds=1)
"""After the first look, to expect that a command has ended."""


class CounterLooks:
    """Takes them, and returns them in the form of probe results."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._counters: Mapping[str, Counters] = {}
        self._proxies: frozenset[str] = frozenset()
        self._settings = ProbingSettings()
        self._limits: Mapping[ProbeKey, float] = {}
        self._totals: dict[str, deque[CommandTotals]] = {}
        self._stuck: dict[str, tuple[Stuck, ...]] = {}

    def use(self, *, counters: Mapping[str, Counters], proxies: frozenset[str], settings: ProbingSettings) -> None:
        """Look at these counters from now on; *proxies* hold no mailboxes themselves."""
        self._counters, self._proxies, self._settings = counters, proxies, settings
        self._totals = {server: known for server, known in self._totals.items() if server in counters}
        self._stuck = {server: known for server, known in self._stuck.items() if server in counters}

    def limit(self, limits: Mapping[ProbeKey, float]) -> None:
        """What is above these is somebody's fault: the thresholds of the monitors, as they are in force now."""
        self._limits = limits

    async def at_command_time(self, planned: PlannedProbe) -> ProbeResult:
        """ImapCommandTimeCheck: the mean of the commands that ended within the window; none is no data."""
        server = planned.key.server
        counters, look = self._counters.get(server), planned.looked_at(self._clock.now())
        if counters is None:
            return _silent(look, "the counters of its platform are not reached")
        try:
            totals = await counters.commands()
        except (TemporaryFailure, Refused) as failure:
            return _silent(look, str(failure))
        times, window = self._times(server, totals)
        stuck = self._stuck_on(server, totals)
        if stuck is not None:
            return _failed(look, self._store_verdict(server, stuck), Cause.TIMEOUT)
        if times.count == 0:
            return _silent(look, _none_within(window))
        said = _said(times, window)
        look = replace(look, level=times.mean.total_seconds(), detail=said)
        waits = any(one.since < totals.at for one in self._stuck.get(server, ()))
        return self._weighed(planned, look, self._store_verdict if waits else self._verdict)

    async def at_queue(self, planned: PlannedProbe) -> ProbeResult:
        """ImapQueueCheck: how many requests wait; fails while a queue is full or clients are dropped."""
        server = planned.key.server
        counters, look = self._counters.get(server), planned.looked_at(self._clock.now())
        if counters is None:
            return _silent(look, "the counters of its platform are not reached")
        try:
            queue = await counters.queue()
        except (TemporaryFailure, Refused) as failure:
            return _silent(look, str(failure))
        waiting = sum(one.waiting for one in queue.listening)
        look = replace(look, level=float(waiting))
        trouble = _too_much(queue, self._clock.now(), planned.interval)
        if trouble is not None:
            return _failed(look, self._verdict(server, f"{server}: {trouble}"), Cause.LIMIT)
        said = f"{waiting} requests wait at {', '.join(one.where for one in queue.listening)}"
        return self._weighed(planned, replace(look, detail=said), self._verdict)

    def _times(self, server: str, totals: CommandTotals) -> tuple[CommandTimes, timedelta]:
        """What ended since the oldest look within the window, and how long ago that was."""
        known = self._totals.setdefault(server, deque(maxlen=MOST_LOOKS))
        if known and totals.at < known[-1].at:
            known.clear()  # the clock went back
        if known and began_anew(known[-1], totals):
            since = known[-1].at
            known.clear()
            known.append(CommandTotals(at=since))
        known.append(totals)
        while len(known) > 2 and totals.at - known[1].at >= self._settings.command_window:
            known.popleft()
        return times_between(known[0], totals), totals.at - known[0].at

    def _stuck_on(self, server: str, totals: CommandTotals) -> str | None:
        """That several sessions carry out a command for long without progress; None while they do not."""
        if totals.running is None:
            self._stuck.pop(server, None)  # what was seen before says nothing of now
            return None
        self._stuck[server] = still_stuck(self._stuck.get(server, ()), totals.running, totals.at)
        long = [one for one in self._stuck[server] if totals.at - one.since >= self._settings.stuck_after]
        if len(long) < self._settings.stuck_sessions:
            return None
        oldest = min(one.since for one in long)
        names = ", ".join(sorted({one.command.name for one in long}))
        return (
            f"{len(long)} sessions on {server} have been carrying out {names} for up to"
            f" {spoken(totals.at - oldest)} without using the processor"
        )

    def _weighed(self, planned: PlannedProbe, look: ProbeResult, verdict: Callable[[str, str], Verdict]) -> ProbeResult:
        """With a verdict where it shows too much."""
        limit = self._limits.get(planned.key)
        if limit is None or look.level is None or look.level <= limit:
            return look
        return replace(look, verdict=verdict(look.server, f"{look.server}: {look.detail}, the limit is {limit:g}"))

    def _store_verdict(self, server: str, because: str) -> Verdict:
        """Sessions that wait and use no processor wait for their mailboxes: a disk, or a lock."""
        found = self._verdict(server, because)
        return replace(found, tier=Tier.STORE, dependency=Dependency.INFORMATION_STORE)

    def _verdict(self, server: str, because: str) -> Verdict:
        """By the counters alone it is the server: what keeps it from its work they do not say."""
        tier = Tier.PROXY if server in self._proxies else Tier.MAILBOX_SERVER
        return Verdict(tier=tier, confidence=Confidence.PROBABLE, server=server, because=because)


def _too_much(queue: RequestQueue, now: datetime, since: timedelta) -> str | None:
    """What the platform itself says is more than it takes, or None."""
    for one in queue.listening:
        if one.is_full:
            return f"{one.waiting} requests wait at {one.where}, which is all it holds: further clients get no answer"
    return next((said for limit in queue.limits if (said := _limited(limit, now, since)) is not None), None)


def _limited(limit: ProcessLimit, now: datetime, since: timedelta) -> str | None:
    has_all = f"{limit.service} has all the {limit.limit} processes it may have"
    if limit.waiting:
        return f"{has_all}, and clients wait for one"
    if limit.dropped_at is not None and now - limit.dropped_at <= since:
        return f"{has_all}, and clients are dropped"
    return None


def _none_within(window: timedelta) -> str:
    """Totals of one look say nothing, and of two that follow each other at once hardly more: that is no idle server."""
    if window < _TOO_SOON:
        return "its commands are counted since a moment ago: the next look says how long they take"
    return f"no command ended within {spoken(window)}"


def _said(times: CommandTimes, window: timedelta) -> str:
    slowest = f"{times.slowest} the slowest with {times.slowest_mean.total_seconds():.3f} s"
    return (
        f"{times.count} commands ended within {spoken(window)} and took {times.mean.total_seconds():.3f} s each,"
        f" {slowest}"
    )


def _silent(look: ProbeResult, because: str) -> ProbeResult:
    return replace(look, result=ResultType.NOT_APPLICABLE, detail=because)


def _failed(look: ProbeResult, verdict: Verdict, cause: Cause) -> ProbeResult:
    return replace(look, result=ResultType.FAILED, cause=cause, detail=verdict.because, verdict=verdict)
