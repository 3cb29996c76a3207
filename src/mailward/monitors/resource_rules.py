"""The rules about things that run out: certificates and disks. They warn before they break."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.model.probing import CERTIFICATE_FAULTS, Cause, Certificate
from mailward.monitors.definition import Judgement, Memory, Reading, Standing
from mailward.monitors.samples import Sample

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateRule:
    """
    Broken when the served certificate does not verify or has little life left; warns while it has less than it should,
    and when the file on disk is another one (renewed, but the service was not reloaded).
    """

    unhealthy_below: timedelta
    degraded_below: timedelta
    verify: bool = True
    """False where the configuration says not to verify: then only its dates are judged."""

    @property
    def memory(self) -> Memory:
        """The last certificate seen says it all."""
        return Memory(count=2)

    def read(self, sample: Sample) -> Reading:
        """NOTHING when no certificate was seen."""
        if sample.cause in CERTIFICATE_FAULTS:
            return Reading.BAD
        if sample.certificate is None:
            return Reading.NOTHING
        judgement = self._judge(sample.certificate, sample, sample.at)
        return Reading.WELL if judgement.standing is Standing.HELD else Reading.BAD

    def judge(self, samples: Sequence[Sample], now: datetime) -> Judgement:
        """Judge the last certificate seen."""
        if not samples:
            return Judgement(standing=Standing.NO_DATA, because="no certificate seen yet")
        last = samples[-1]
        if last.certificate is None:
            return Judgement(standing=Standing.BROKE, because=last.said)
        return self._judge(last.certificate, last, now)

    def _judge(self, certificate: Certificate, sample: Sample, now: datetime) -> Judgement:
        left = certificate.not_after - now
        ends = f"the certificate of {certificate.subject} expires in {_span(left)}"
        if left <= timedelta(0):
            return Judgement(
                standing=Standing.BROKE, because=f"the certificate of {certificate.subject} expired {_span(-left)} ago"
            )
        if sample.cause in CERTIFICATE_FAULTS or (self.verify and not certificate.verified):
            why = certificate.problem or sample.detail or "it does not verify"
            return Judgement(standing=Standing.BROKE, because=f"the certificate does not verify: {why}")
        if left < self.unhealthy_below:
            return Judgement(standing=Standing.BROKE, because=ends)
        if sample.certificate_on_disk is not None and sample.certificate_on_disk != certificate.sha256:
            return Judgement(
                standing=Standing.WARNS,
                because="the certificate served is not the one on disk: reload the service to have the new one served",
            )
        return Judgement(standing=Standing.WARNS if left < self.degraded_below else Standing.HELD, because=ends)


@dataclass(frozen=True, kw_only=True, slots=True)
class DiskForecast:
    """Broken when little is free or nothing can be written; warns when the trend reaches zero soon (least squares)."""

    unhealthy_below_percent: float
    forecast: timedelta
    trend_window: timedelta
    trend_minimum: timedelta

    @property
    def memory(self) -> Memory:
        """The window of the trend."""
        return Memory(count=1, age=self.trend_window, most=512)

    def read(self, sample: Sample) -> Reading:
        """BAD when read-only or below the limit."""
        if sample.cause is Cause.STORE_READ_ONLY:
            return Reading.BAD
        if sample.level is None:
            return Reading.NOTHING
        return Reading.BAD if sample.level < self.unhealthy_below_percent else Reading.WELL

    def judge(self, samples: Sequence[Sample], now: datetime) -> Judgement:
        """Judge the last look, then the trend."""
        if not samples:
            return Judgement(standing=Standing.NO_DATA, because="the disk has not been looked at yet")
        last = samples[-1]
        if last.cause is Cause.STORE_READ_ONLY or last.level is None:
            return Judgement(standing=Standing.BROKE, because=last.detail)
        free = f"{last.level:.1f} % free ({last.detail})"
        if last.level < self.unhealthy_below_percent:
            return Judgement(standing=Standing.BROKE, because=f"{free}, less than {self.unhealthy_below_percent:g} %")
        left = self._time_left(samples, last.level, now)
        if left is not None and left < self.forecast:
            return Judgement(standing=Standing.WARNS, because=f"{free}, none in {_span(left)} if it goes on like this")
        return Judgement(standing=Standing.HELD, because=free)

    def _time_left(self, samples: Sequence[Sample], level: float, now: datetime) -> timedelta | None:
        """When the trend reaches zero, or None when it does not fall or there is too little to see one."""
        points = [
            ((sample.at - now) / _HOUR, sample.level)
            for sample in samples
            if sample.level is not None and now - sample.at <= self.trend_window
        ]
        if len(points) < 3 or (points[-1][0] - points[0][0]) * _HOUR < self.trend_minimum:
            return None
        mean_hour = sum(hour for hour, _ in points) / len(points)
        mean_free = sum(free for _, free in points) / len(points)
        spread = sum((hour - mean_hour) ** 2 for hour, _ in points)
        slope = sum((hour - mean_hour) * (free - mean_free) for hour, free in points) / spread
        return None if slope >= 0 else min(level / -slope, 24 * 3650.0) * _HOUR


def _span(span: timedelta) -> str:
    """Days, or hours below two days."""
    return f"{span / _DAY:.0f} days" if span >= 2 * _DAY else f"{span / _HOUR:.0f} h"
