"""Looks that are no conversation: at the disks of a host, and at mailward itself."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from mailward.model.errors import TemporaryFailure
from mailward.model.evidence import DiskUsage
from mailward.model.probing import Cause, ProbeResult, ResultType
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.samples import free_percent
from mailward.ports.clock import Clock
from mailward.ports.host import Host


class Looks:
    """Takes looks and returns them in the form of probe results, so that they are kept and judged like any other."""

    def __init__(self, *, clock: Clock, problems: Callable[[], tuple[str, ...]]) -> None:
        self._clock = clock
        self._problems = problems
        self._hosts: Mapping[str, Host] = {}

    def use(self, *, hosts: Mapping[str, Host]) -> None:
        """Look at these hosts from now on."""
        self._hosts = hosts

    async def at_manager(self, planned: PlannedProbe) -> ProbeResult:
        """HealthManagerCheck: healthy when there is no problem to name."""
        problems = "; ".join(self._problems())
        look = self._look(planned)
        if not problems:
            return look
        verdict = Verdict(
            tier=Tier.MONITORING, confidence=Confidence.CERTAIN, dependency=Dependency.MONITORING, because=problems
        )
        return replace(look, result=ResultType.FAILED, detail=problems, verdict=verdict)

    async def at_disk(self, planned: PlannedProbe) -> ProbeResult:
        """DiskSpaceCheck: free percent of bytes or inodes, whichever is less."""
        look = self._look(planned)
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

    def _look(self, planned: PlannedProbe) -> ProbeResult:
        return ProbeResult(
            probe=planned.key.probe,
            health_set=planned.health_set,
            server=planned.key.server,
            target=planned.key.target,
            at=self._clock.now(),
            took=timedelta(0),
            result=ResultType.SUCCEEDED,
        )


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
