"""
What one sample says to monitors of different subjects: the service, the health mailbox, push.

Invariant: a failed observation is not a failed server. What is our own fault says nothing about a service; it is what
the health mailbox's monitor looks for.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from mailward.model.probing import Cause, ResultType
from mailward.monitors.definition import Reading
from mailward.monitors.samples import Sample


class Reader(Protocol):
    """Reads samples for a rule."""

    def read(self, sample: Sample) -> Reading:
        """What the sample says."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceReader:
    """Does the thing probed work? A late push is the push monitor's news: the mailbox could be read."""

    def read(self, sample: Sample) -> Reading:
        """WELL, BAD, or NOTHING for NotApplicable, ProberOverloaded and faults of the monitoring."""
        if sample.result is ResultType.SUCCEEDED:
            return Reading.WELL
        if not sample.result.is_failure or sample.is_monitoring_fault:
            return Reading.NOTHING
        return Reading.WELL if sample.cause is Cause.PUSH_MISSED else Reading.BAD


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnReader:
    """Is mailward itself well? Here a fault of the monitoring is the very thing looked for."""

    def read(self, sample: Sample) -> Reading:
        """BAD for every failure, WELL for every success."""
        if sample.result is ResultType.SUCCEEDED:
            return Reading.WELL
        return Reading.BAD if sample.result.is_failure else Reading.NOTHING


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthMailboxReader:
    """Can the health mailbox itself be used? What failed before the login says nothing about it."""

    def read(self, sample: Sample) -> Reading:
        """BAD when the fault was put on the monitoring at or after the login."""
        if sample.result is ResultType.SUCCEEDED:
            return Reading.WELL
        if not sample.result.is_failure or not sample.is_monitoring_fault or sample.cause is Cause.PROBER_FAULT:
            return Reading.NOTHING
        return Reading.NOTHING if sample.phase is None or sample.phase.is_before_login else Reading.BAD


@dataclass(frozen=True, kw_only=True, slots=True)
class PushReader:
    """Was a waiting client told of new mail in time? Only writing turns say."""

    limit: timedelta

    def read(self, sample: Sample) -> Reading:
        """BAD when push was missed or took longer than the limit."""
        if sample.cause is Cause.PUSH_MISSED:
            return Reading.BAD
        if not sample.wrote or sample.push_took is None:
            return Reading.NOTHING
        return Reading.WELL if sample.push_took <= self.limit else Reading.BAD
