"""
Which other probes say where a failure lies (design, section 3: "From the layers").

Asked at the first failure, so that the verdict of its confirmation rests on news from after the fault.
"""

from collections.abc import Iterable, Iterator

from mailward.model import items
from mailward.model.organization import Organization
from mailward.model.probing import ProbeResult
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.samples import ProbeKey


class Neighbourhood:
    """The planned probes, arranged once so that thousands of failures can be placed quickly."""

    def __init__(self, planned: Iterable[PlannedProbe], organization: Organization) -> None:
        """Arrange *planned*, which follow from *organization*."""
        self._organization = organization
        self._planned: set[ProbeKey] = set()
        self._deep_tests: dict[str, ProbeKey] = {}
        """Of each server the first deep test: a server may hold hundreds."""
        for probe in planned:
            self._planned.add(probe.key)
            if probe.key.probe == items.DEEP_TEST_PROBE:
                self._deep_tests.setdefault(probe.key.server, probe.key)

    def of(self, result: ProbeResult) -> tuple[ProbeKey, ...]:
        """
        The probes to run now to place *result*, a failure.

        A customer touch point is compared with its proxy's own test and with self and deep test of the mailbox server;
        a deep test with the self test of its server; a self test with one deep test.
        """
        return tuple(key for key in dict.fromkeys(self._wanted(result)) if key in self._planned)

    def _wanted(self, result: ProbeResult) -> Iterator[ProbeKey]:
        if result.probe == items.CTP_PROBE:
            point = self._organization.access_points.get(result.server)
            for server in (result.server, *(point.servers if point is not None else ())):
                yield _whole(items.PROXY_TEST_PROBE, server)
            database = self._organization.databases.get(result.target)
            if database is not None:
                yield _whole(items.SELF_TEST_PROBE, database.active)
                yield ProbeKey(probe=items.DEEP_TEST_PROBE, server=database.active, target=database.name)
        elif result.probe == items.DEEP_TEST_PROBE:
            yield _whole(items.SELF_TEST_PROBE, result.server)
        elif result.probe == items.SELF_TEST_PROBE and result.server in self._deep_tests:
            yield self._deep_tests[result.server]


def _whole(probe: str, server: str) -> ProbeKey:
    """A probe whose target is the server itself."""
    return ProbeKey(probe=probe, server=server, target=server)
