"""
The rules that count results: so many in a row, a percentage of a window, so many in a window, a level held for long.

Each is a value that judges remembered samples and says why with its numbers. None of them knows what was probed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, takewhile

from mailward.model.probing import ResultType
from mailward.monitors.definition import Judgement, Memory, Reading, Rule, Standing
from mailward.monitors.readers import Reader, ServiceReader
from mailward.monitors.samples import Sample

_NOTHING_YET = Judgement(standing=Standing.NO_DATA, because="no result yet")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsecutiveFailures:
    """Broken when the last `failures` results all failed (OverallConsecutiveProbeFailuresMonitor)."""

    failures: int
    reader: Reader = field(default_factory=ServiceReader)

    @property
    def memory(self) -> Memory:
        """As many as must fail, and room to say how long it has been going on."""
        return Memory(count=max(self.failures, 10))

    def read(self, sample: Sample) -> Reading:
        """As the reader reads."""
        return self.reader.read(sample)

    def judge(self, samples: Sequence[Sample], now: datetime) -> Judgement:  # noqa: ARG002 - every rule gets the moment
        """Count the failures at the end of *samples*."""
        if not samples:
            return _NOTHING_YET
        run = 0
        for sample in reversed(samples):
            if self.reader.read(sample) is not Reading.BAD:
                break
            run += 1
        if run == 0:
            return Judgement(standing=Standing.HELD, because="the last result succeeded")
        last = samples[-1].said
        if run < self.failures:
            return Judgement(
                standing=Standing.DOUBTFUL,
                because=f"{_failures(run)}, {self.failures} in a row would break the rule; the last: {last}",
            )
        more = " or more" if run == len(samples) == self.memory.count else ""
        return Judgement(standing=Standing.BROKE, because=f"{run}{more} failures in a row, the last: {last}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PercentInWindow:
    """Broken when less than `minimum_percent` of a window's results succeeded (OverallPercentSuccessMonitor)."""

    minimum_percent: float
    minimum_samples: int
    window: timedelta
    minimum_failures: int = 1
    """With fewer failures a percentage only says that the window held few results."""
    outage: int | None = None
    """
    So many failures in a row, confirmations included, are an outage: told and ended by another rule, and not counted
    here, lest a mended service stays red until its outage has left the window. None counts every failure.
    """
    reader: Reader = field(default_factory=ServiceReader)

    @property
    def memory(self) -> Memory:
        """The whole window."""
        return Memory(count=1, age=self.window)

    def read(self, sample: Sample) -> Reading:
        """As the reader reads."""
        return self.reader.read(sample)

    def judge(self, samples: Sequence[Sample], now: datetime) -> Judgement:
        """Count the window's results; confirmations would count one fault many times and are left out."""
        oldest = now - self.window
        total = failed = 0
        for reading, run in groupby((s for s in samples if s.at >= oldest), key=self.reader.read):
            members = list(run)
            if reading is Reading.BAD and self.outage is not None and len(members) >= self.outage:
                continue
            counted = sum(not sample.confirmation for sample in members)
            total += counted
            failed += counted if reading is Reading.BAD else 0
        if total < self.minimum_samples:
            return Judgement(
                standing=Standing.NO_DATA, because=f"{total} of the {self.minimum_samples} results a percentage needs"
            )
        percent = 100.0 * (total - failed) / total
        because = f"{percent:.0f} % of {total} results in {_minutes(self.window)} succeeded"
        if percent >= self.minimum_percent or failed < self.minimum_failures:
            return Judgement(standing=Standing.HELD, because=because)
        last = next(sample.said for sample in reversed(samples) if self.reader.read(sample) is Reading.BAD)
        return Judgement(
            standing=Standing.BROKE,
            because=f"{because}, less than {self.minimum_percent:g} %; the last failure: {last}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FailuresInWindow:
    """Broken when `failures` results of a window failed, in a row or not (OverallXFailuresMonitor)."""

    failures: int
    window: timedelta
    reader: Reader = field(default_factory=ServiceReader)

    @property
    def memory(self) -> Memory:
        """The whole window."""
        return Memory(count=1, age=self.window)

    def read(self, sample: Sample) -> Reading:
        """As the reader reads."""
        return self.reader.read(sample)

    def judge(self, samples: Sequence[Sample], now: datetime) -> Judgement:
        """Count the window's failures; confirmations are left out as in `PercentInWindow`."""
        if not samples:
            return _NOTHING_YET
        oldest = now - self.window
        bad = [s for s in samples if s.at >= oldest and not s.confirmation and self.reader.read(s) is Reading.BAD]
        because = f"{_failures(len(bad))} in {_minutes(self.window)}"
        if len(bad) >= self.failures:
            return Judgement(standing=Standing.BROKE, because=f"{because}, the last: {bad[-1].said}")
        is_well = self.reader.read(samples[-1]) is Reading.WELL
        return Judgement(standing=Standing.HELD if is_well else Standing.DOUBTFUL, because=because)


@dataclass(frozen=True, kw_only=True, slots=True)
class AboveThreshold:
    """
    Broken when a counter was above `threshold` in the last `samples` looks (consecutive sample above threshold), or
    when the last `failures` looks found what is too much whatever the counter shows.
    """

    threshold: float
    samples: int
    what: str
    """The counter, as in a sentence: "requests queued"."""
    failures: int = 2

    @property
    def memory(self) -> Memory:
        """As many looks as must agree."""
        return Memory(count=max(self.samples, self.failures))

    def read(self, sample: Sample) -> Reading:
        """BAD when failed or above the threshold; NOTHING without a level: an idle counter is no data, not health."""
        if sample.is_monitoring_fault:
            return Reading.NOTHING
        if sample.result.is_failure:
            return Reading.BAD
        if sample.level is None or sample.result is not ResultType.SUCCEEDED:
            return Reading.NOTHING
        return Reading.BAD if sample.level > self.threshold else Reading.WELL

    def judge(self, samples: Sequence[Sample], now: datetime) -> Judgement:  # noqa: ARG002 - every rule gets the moment
        """Look at the last samples."""
        if not samples:
            return _NOTHING_YET
        last = samples[-1]
        because = last.said
        if not last.result.is_failure:
            because = f"{last.level or 0:g} {self.what}, the limit is {self.threshold:g}: {last.detail}"
        if self.read(last) is Reading.WELL:
            return Judgement(standing=Standing.HELD, because=because)
        failed = _at_the_end(samples, lambda sample: sample.result.is_failure)
        bad = _at_the_end(samples, lambda sample: self.read(sample) is Reading.BAD)
        if failed >= self.failures:
            return Judgement(standing=Standing.BROKE, because=f"{because} ({failed} looks running)")
        if bad >= self.samples:
            return Judgement(standing=Standing.BROKE, because=f"{because} ({bad} looks running)")
        return Judgement(standing=Standing.DOUBTFUL, because=because)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnyOf:
    """Broken when any of its rules is; all of them read samples as the first does."""

    rules: tuple[Rule, ...]

    @property
    def memory(self) -> Memory:
        """What the most demanding rule needs of each."""
        memories = [rule.memory for rule in self.rules]
        ages = [memory.age for memory in memories if memory.age is not None]
        return Memory(
            count=max(memory.count for memory in memories),
            age=max(ages, default=None),
            most=max(memory.most for memory in memories),
        )

    def read(self, sample: Sample) -> Reading:
        """As the first rule reads."""
        return self.rules[0].read(sample)

    def judge(self, samples: Sequence[Sample], now: datetime) -> Judgement:
        """The worst answer; of equals the first."""
        return max(
            (rule.judge(samples, now) for rule in self.rules), key=lambda judgement: _BADNESS[judgement.standing]
        )


_BADNESS = {
    Standing.NO_DATA: 0,
    Standing.HELD: 1,
    Standing.DOUBTFUL: 2,
    Standing.WARNS: 3,
    Standing.BROKE: 4,
}


def _at_the_end(samples: Sequence[Sample], is_bad: Callable[[Sample], bool]) -> int:
    """How many samples at the end are bad."""
    return sum(1 for _ in takewhile(is_bad, reversed(samples)))


def _failures(count: int) -> str:
    return f"{count} failure{'' if count == 1 else 's'}"


def _minutes(window: timedelta) -> str:
    seconds = window.total_seconds()
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
