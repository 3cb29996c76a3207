"""Faults of the prober itself: they come first, because then nothing it saw says anything about a server."""

from datetime import timedelta

from mailward.diagnosis.case import Case
from mailward.diagnosis.sentences import listed, what_happened
from mailward.model.probing import Cause, Phase, ResultType
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict

#: A conversation whose time-outs are counted in seconds cannot be timed by a loop that was this late.
_LAG_MAX = timedelta(seconds=1)
_FROM_HERE = frozenset({Cause.UNREACHABLE, Cause.TIMEOUT, Cause.REFUSED, Cause.NAME_SERVICE_FAILED})


def prober_overloaded(case: Case) -> Verdict | None:
    """
    The prober says it was overloaded, or its event loop was so late that a time-out is its own (design §2: "a failed
    observation is not a failed server").
    """
    lag = max([case.evidence.prober.loop_lag, *(phase.loop_lag for phase in case.result.phases)])
    late = lag >= _LAG_MAX and case.cause is Cause.TIMEOUT
    if case.result.result is ResultType.PROBER_OVERLOADED or late:
        lateness = f" its event loop was {lag.total_seconds():.1f} s late" if lag else " it was overloaded"
        return Verdict(
            tier=Tier.MONITORING,
            confidence=Confidence.CERTAIN,
            dependency=Dependency.MONITORING,
            because=f"mailward could not measure {case.result.server}:{lateness}, which says nothing about the server",
        )
    return None


def prober_fault(case: Case) -> Verdict | None:
    """The probe could not be carried out for a reason of its own, such as a password file that cannot be read."""
    if case.cause is not Cause.PROBER_FAULT:
        return None
    return Verdict(
        tier=Tier.MONITORING,
        confidence=Confidence.CERTAIN,
        dependency=Dependency.MONITORING,
        because=f"mailward could not probe {case.result.server}: {case.result.detail or 'a fault of its own'}",
    )


def prober_has_no_network(case: Case) -> Verdict | None:
    """The prober's host reaches nothing beyond the servers either, so it is the one that is cut off."""
    if case.evidence.prober.network_up is not False or case.cause not in _FROM_HERE:
        return None
    return Verdict(
        tier=Tier.MONITORING,
        confidence=Confidence.CERTAIN,
        dependency=Dependency.NETWORKING,
        because=f"mailward's own host has no network: that {case.result.server} {what_happened(case.result)} proves"
        " nothing",
    )


def everything_is_out_of_reach(case: Case) -> Verdict | None:
    """
    Everything fails alike before anything can answer, on three servers or more, and nothing at all is well: a network
    all of them share, or the prober is cut off (design §3). Which of the two cannot be told from here.
    """
    unheard = (Phase.DNS, Phase.CONNECT)
    if case.phase not in unheard or case.cause not in _FROM_HERE - {Cause.REFUSED}:
        return None
    alike = [seen.result.server for seen in case.sightings if seen.failed and seen.result.failed_phase in unheard]
    if len({case.result.server, *alike}) < 3 or len(alike) < len(case.sightings):
        return None
    running = [host.server for host in case.evidence.servers if host.service and host.service.state.value == "running"]
    names = listed(sorted({case.result.server, *alike}))
    hosts = f"; the hosts of {listed(running)} say their services run" if running else ""
    return Verdict(
        tier=Tier.MONITORING if running else Tier.NETWORK,
        confidence=Confidence.PROBABLE,
        dependency=Dependency.NETWORKING,
        because=f"{names} are all out of reach at once, and nothing else is known to be well: a network they share is"
        f" cut, or mailward is{hosts}",
    )
