"""
How old a neighbour's result may be to count.

A result is fresh for two of its probe's intervals and an allowance for the conversation itself: one missed turn makes
it no less true, two do. What is older is *unknown*, never healthy and never broken.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.model.items import CTP_PROBE, DEEP_TEST_PROBE, PROXY_TEST_PROBE, SELF_TEST_PROBE
from mailward.model.organization import Organization
from mailward.model.probing import ProbeResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Freshness:
    """The intervals of the probes (design §2), from which the age limits follow."""

    self_test: timedelta = timedelta(seconds=20)
    proxy_test: timedelta = timedelta(seconds=20)
    deep_test: timedelta = timedelta(seconds=60)
    passive_copy: timedelta = timedelta(minutes=5)
    """The deep test of a copy that is not active."""
    ctp: timedelta = timedelta(seconds=30)
    """Between two conversations of one proxy; its databases take turns, so one pair waits as many times as long."""
    allowance: timedelta = timedelta(seconds=18)
    """A conversation's longest time: a proxy's usual back-end timeout and 3 s."""

    def limit(self, result: ProbeResult, organization: Organization) -> timedelta:
        """The age up to which *result* counts."""
        return 2 * self._interval(result, organization) + self.allowance

    def is_fresh(self, result: ProbeResult, organization: Organization, now: datetime) -> bool:
        """Whether *result* still says something at *now*."""
        return now - result.at <= self.limit(result, organization)

    def _interval(self, result: ProbeResult, organization: Organization) -> timedelta:
        if result.probe == SELF_TEST_PROBE:
            return self.self_test
        if result.probe == PROXY_TEST_PROBE:
            return self.proxy_test
        if result.probe == CTP_PROBE:
            return self.ctp * max(1, len(organization.databases))
        if result.probe == DEEP_TEST_PROBE:
            database = organization.databases.get(result.target)
            return self.passive_copy if database and database.active != result.server else self.deep_test
        return self.deep_test
