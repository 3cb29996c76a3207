"""
What a monitor remembers of one measurement: the few facts its rules read, without transcript or phases.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.model.evidence import DiskUsage
from mailward.model.probing import Cause, Certificate, Phase, ProbeResult, ResultType
from mailward.model.verdict import Tier, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeKey:
    """What identifies a probe and its results."""

    probe: str
    """The item's name, such as ImapDeepTestProbe."""
    server: str
    target: str

    def __str__(self) -> str:
        return f"{self.probe} of {self.server}" + (f", {self.target}" if self.target != self.server else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One measurement as rules see it."""

    at: datetime
    """When it ended: what is judged is what was last known, not what was last begun."""
    result: ResultType
    cause: Cause | None = None
    phase: Phase | None = None
    detail: str = ""
    verdict: Verdict | None = None
    mailbox_server: str | None = None
    confirmation: bool = False
    wrote: bool = False
    push_took: timedelta | None = None
    certificate: Certificate | None = None
    certificate_on_disk: str | None = None
    """SHA-256 fingerprint of the file the service is configured with, where the host is reached."""
    level: float | None = None
    """What a counter showed, or the free share of a disk in percent."""

    @property
    def is_monitoring_fault(self) -> bool:
        """Whether the measurement failed through our own fault: a failed observation is not a failed server."""
        return (self.verdict is not None and self.verdict.tier is Tier.MONITORING) or self.cause is Cause.PROBER_FAULT

    @property
    def said(self) -> str:
        """What went wrong, as a clause for a sentence."""
        if self.verdict is not None and self.verdict.because:
            return self.verdict.because
        words = [self.phase.value if self.phase else "", self.cause.value if self.cause else self.result.value]
        return ": ".join([" ".join(word for word in words if word), *([self.detail] if self.detail else [])])


def probe_key(result: ProbeResult) -> ProbeKey:
    """The probe a result belongs to."""
    return ProbeKey(probe=result.probe, server=result.server, target=result.target)


def sample_of(result: ProbeResult, *, certificate_on_disk: str | None = None) -> Sample:
    """The sample of a probe's result, verdict included where diagnosis has added one."""
    return Sample(
        at=result.at + result.took,
        result=result.result,
        cause=result.cause,
        phase=result.failed_phase,
        detail=result.detail,
        verdict=result.verdict,
        mailbox_server=result.mailbox_server,
        confirmation=result.confirmation,
        wrote=result.wrote,
        push_took=result.push_took,
        certificate=result.certificate,
        certificate_on_disk=certificate_on_disk,
        level=result.level,
    )


def free_percent(usage: DiskUsage) -> tuple[float, str]:
    """The free percent of one file system, and of what: space or inodes, whichever is less."""
    space = _percent(usage.free_bytes, usage.total_bytes)
    if usage.free_inodes is not None and usage.total_inodes:
        inodes = _percent(usage.free_inodes, usage.total_inodes)
        if inodes < space:
            return inodes, "inodes"
    return space, "space"


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 100.0
