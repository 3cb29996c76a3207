"""
Which other probes say where a failure lies (design, section 3: "From the layers").

Asked at the first failure, so that the verdict of its confirmation rests on news from after the fault.
"""

from collections.abc import Iterator, Sequence

from mailward.model import items
from mailward.model.organization import Organization
from mailward.model.probing import ProbeResult
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.samples import ProbeKey


def neighbours_of(
    result: ProbeResult, planned: Sequence[PlannedProbe], organization: Organization
) -> tuple[ProbeKey, ...]:
    """
    The probes to run now to place *result*, a failure.

    A customer touch point is compared with its proxy's own test and with self and deep test of the mailbox server; a
    deep test with the self test of its server; a self test with one deep test, since a server may hold hundreds.
    """
    known = {probe.key for probe in planned}
    wanted = dict.fromkeys(_wanted(result, planned, organization))
    return tuple(key for key in wanted if key in known)


def _wanted(result: ProbeResult, planned: Sequence[PlannedProbe], organization: Organization) -> Iterator[ProbeKey]:
    if result.probe == items.CTP_PROBE:
        point = organization.access_points.get(result.server)
        for server in (result.server, *(point.servers if point is not None else ())):
            yield _whole(items.PROXY_TEST_PROBE, server)
        database = organization.databases.get(result.target)
        if database is not None:
            yield _whole(items.SELF_TEST_PROBE, database.active)
            yield ProbeKey(probe=items.DEEP_TEST_PROBE, server=database.active, target=database.name)
    elif result.probe == items.DEEP_TEST_PROBE:
        yield _whole(items.SELF_TEST_PROBE, result.server)
    elif result.probe == items.SELF_TEST_PROBE:
        deep = (p.key for p in planned if p.key.probe == items.DEEP_TEST_PROBE and p.key.server == result.server)
        yield from list(deep)[:1]


def _whole(probe: str, server: str) -> ProbeKey:
    """A probe whose target is the server itself."""
    return ProbeKey(probe=probe, server=server, target=server)
