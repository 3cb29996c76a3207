"""Looks that are no conversation: at the disks of a host, and at mailward itself."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from mailward.model.copies import CopyState, DatabaseCopy
from mailward.model.errors import TemporaryFailure
from mailward.model.evidence import DiskUsage
from mailward.model.probing import Cause, ProbeResult, ResultType
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.samples import free_percent
from mailward.ports.clock import Clock
from mailward.ports.host import Host

_DOES_NOT_FOLLOW = frozenset({CopyState.FAILED, CopyState.RESYNCHRONIZING, CopyState.INITIALIZING})
_CANNOT_BE_TOLD = frozenset({CopyState.UNKNOWN, CopyState.SERVICE_DOWN})
"""That a service does not answer is said by its own monitors."""


class Looks:
    """Takes looks and returns them in the form of probe results, so that they are kept and judged like any other."""

    def __init__(
        self,
        *,
        clock: Clock,
        problems: Callable[[], tuple[str, ...]],
        map_problem: Callable[[], str | None],
        copies: Callable[[], Awaitable[tuple[DatabaseCopy, ...]]],
    ) -> None:
        self._clock = clock
        self._problems = problems
        self._map_problem = map_problem
        self._copies = copies
        self._hosts: Mapping[str, Host] = {}

    def use(self, *, hosts: Mapping[str, Host]) -> None:
        """Look at these hosts from now on."""
        self._hosts = hosts

    async def at_manager(self, planned: PlannedProbe) -> ProbeResult:
        """
        HealthManagerCheck: healthy when there is no problem to name.

        A map that cannot be read is what users' proxies cannot read either, as far as anybody knows.
        """
        problems, look = self._problems(), planned.looked_at(self._clock.now())
        if not problems:
            return look
        because = "; ".join(problems)
        if problems == (self._map_problem(),):
            tier, dependency, confidence = Tier.DIRECTORY, Dependency.DIRECTORY, Confidence.PROBABLE
        else:
            tier, dependency, confidence = Tier.MONITORING, Dependency.MONITORING, Confidence.CERTAIN
        verdict = Verdict(tier=tier, confidence=confidence, dependency=dependency, because=because)
        return replace(look, result=ResultType.FAILED, detail=because, verdict=verdict)

    async def at_disk(self, planned: PlannedProbe) -> ProbeResult:
        """DiskSpaceCheck: free percent of bytes or inodes, whichever is less."""
        look = planned.looked_at(self._clock.now())
        host = self._hosts.get(planned.key.server)
        if host is None:
            return replace(look, result=ResultType.NOT_APPLICABLE, detail="the host is not reached from here")
        try:
            disks = await host.disks()
        except TemporaryFailure as failure:
            return replace(look, result=ResultType.NOT_APPLICABLE, detail=str(failure))
        usage = next((disk for disk in disks if disk.path == planned.key.target), None)
        if usage is None:
            return replace(look, result=ResultType.NOT_APPLICABLE, detail="the host says nothing of this path")
        return _of_disk(look, usage)

    async def at_replication(self, planned: PlannedProbe) -> ProbeResult:
        """ImapReplicationCheck: fails while a copy could not take over; nobody's fault while it cannot be told."""
        look, key = planned.looked_at(self._clock.now()), planned.key
        copies = await self._copies()
        copy = next((one for one in copies if (one.server, one.database) == (key.server, key.target)), None)
        if copy is None or copy.state in _CANNOT_BE_TOLD:
            because = copy.because if copy is not None else "this copy has not been looked at"
            return replace(look, result=ResultType.NOT_APPLICABLE, detail=because)
        look = replace(look, detail=copy.because, level=copy.lag.total_seconds() if copy.lag is not None else None)
        if copy.state not in _DOES_NOT_FOLLOW:
            return look
        because = f"the copy of {copy.database} on {copy.server} is {copy.state.value}: {copy.because}"
        verdict = Verdict(
            tier=Tier.STORE,
            confidence=Confidence.CERTAIN,
            dependency=Dependency.HIGH_AVAILABILITY,
            server=copy.server,
            because=because,
        )
        return replace(look, result=ResultType.FAILED, detail=because, verdict=verdict)


def _of_disk(look: ProbeResult, usage: DiskUsage) -> ProbeResult:
    free, what = free_percent(usage)
    if usage.read_only:
        return replace(
            look,
            result=ResultType.FAILED,
            cause=Cause.STORE_READ_ONLY,
            detail=f"{usage.path} is mounted read-only",
            level=free,
        )
    return replace(look, detail=f"{what} under {usage.path}", level=free)
