"""
What one scrape of /metrics costs at 10,000 servers, beside prometheus-client's own rendering of a comparable registry.

Both show the state of four health sets on each server as seven series, 280,000 in all, and both are asked for the same
text. The registry of the peer holds its gauges ready; ours makes every series anew from values of the Manager port, in
a thread. Printed: seconds for each, their ratio, the size of the text plain and compressed, and by how much a loop that
wants to wake every 10 ms is late meanwhile: what probes feel of a scrape.

    python benchmarks/metrics.py [--servers 10000] [--rounds 3]
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from mailward.health.sets import report
from mailward.metrics.exposition import Exposition
from mailward.model.health import HealthSetReport
from mailward.model.items import IMAP, IMAP_PROTOCOL, IMAP_PROXY, SERVER_RESOURCES
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.testing.manager import FakeManager
from mailward.testing.manager_values import MEASURES, STATUS
from mailward.testing.platform import SetClock

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SETS = (IMAP, IMAP_PROTOCOL, IMAP_PROXY, SERVER_RESOURCES)
EVERY_S = 0.01


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    options.add_argument("--servers", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    rows = health_sets(given.servers)
    registry = comparable(rows)
    manager = FakeManager(status=STATUS, measures=MEASURES, report=rows)
    exposition = Exposition(manager, SetClock())
    ours, peers, late = [], [], []
    for _ in range(given.rounds):  # in turns, so that what else the machine does meets both
        peers.append(seconds(lambda: generate_latest(registry)))
        took, lateness = asyncio.run(scrape(exposition))
        ours.append(took)
        late += lateness
    plain = asyncio.run(exposition.metrics()).body
    packed = asyncio.run(exposition.metrics(accept_encoding="gzip")).body
    mine, peer = statistics.median(ours), statistics.median(peers)
    print(f"{given.servers} servers, {len(rows) * len(AlertValue)} series of health sets, {len(plain) / 1e6:.0f} MB of")
    print(f"text, {len(packed) / 1e6:.1f} MB compressed; medians of {given.rounds}")
    print(f"  prometheus-client, its own registry   {peer:6.2f} s")
    print(f"  /metrics                              {mine:6.2f} s   {mine / peer:4.2f} x")
    usual, worst = statistics.median(late) * 1000, max(late) * 1000
    print(f"  the loop meanwhile: late by {usual:.1f} ms at the median, {worst:.0f} ms at worst")


def health_sets(servers: int) -> tuple[HealthSetReport, ...]:
    """Four healthy sets on each server, as the manager reports them."""
    return report(
        MonitorStatus(
            key=MonitorKey(server=f"mbx{number}.example.org", health_set=name, item="monitor", target="target"),
            state=AlertValue.HEALTHY,
            since=NOON,
            because="every probe succeeded",
        )
        for number in range(servers)
        for name in SETS
    )


def comparable(rows: tuple[HealthSetReport, ...]) -> CollectorRegistry:
    """The same series as gauges that stand ready."""
    registry = CollectorRegistry()
    gauge = Gauge("health_set_state", "The same.", ("server", "health_set", "state"), registry=registry)
    for row in rows:
        for state in AlertValue:
            gauge.labels(row.server, row.health_set, state.value).set(state is row.alert_value)
    return registry


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def scrape(exposition: Exposition) -> tuple[float, list[float]]:
    """Seconds of one scrape, and by how much a loop was late that wanted to wake every 10 ms."""
    late: list[float] = []

    async def wake() -> None:
        while True:
            wanted = time.perf_counter() + EVERY_S
            await asyncio.sleep(EVERY_S)
            late.append(time.perf_counter() - wanted)

    waking = asyncio.create_task(wake())
    began = time.perf_counter()
    await exposition.metrics()
    took = time.perf_counter() - began
    waking.cancel()
    return took, late


if __name__ == "__main__":
    main()
