"""
What the engine itself costs: thousands of probes whose conversations cost nothing.

An engine with a store in memory watches a simulated organization of one-box servers; each has a self test, two deep
tests and a customer touch point every 30 s. A canned probe takes 5 ms of waiting and next to no CPU, so what is
measured is scheduling, judging, explaining and keeping. Printed for a well organization and for one in which a tenth of
the servers hang: probes per second, lateness (from the due moment until the probe really runs), and the CPU for each
probe beside the probe's own. The goals are in the design, section 9: 12,000 monitors at 30 s, and 10 % hung targets
delay nobody (p99 lateness < 250 ms).

    python benchmarks/engine.py [--servers 3000] [--seconds 25] [--hung-percent 10] [--conversations] [--profile]
"""

import argparse
import asyncio
import contextlib
import cProfile
import gc
import logging
import pstats
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta

from mailward.engine.engine import Engine
from mailward.engine.parts import Parts
from mailward.engine.timetable import Start
from mailward.lab.blueprint import Shape
from mailward.lab.simulated import Simulation
from mailward.model import items
from mailward.model.probing import Cause, Phase, PhaseOutcome, PhaseTiming, ProbeResult, ResultType
from mailward.model.target import ProbeTarget
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.samples import ProbeKey
from mailward.ports.clock import Clock
from mailward.ports.probe import Probe
from mailward.ports.settings import Snapshot

INTERVAL = timedelta(seconds=30)
GOAL_LATE_MS = 250
WARM_UP_S = 3.0
PROBES = (items.SELF_TEST_PROBE, items.DEEP_TEST_PROBE, items.PROXY_TEST_PROBE, items.CTP_PROBE)
PHASES = tuple(
    PhaseTiming(phase=phase, took=timedelta(milliseconds=1), outcome=PhaseOutcome.OK)
    for phase in (Phase.DNS, Phase.CONNECT, Phase.TLS, Phase.GREETING, Phase.AUTH, Phase.SELECT, Phase.FETCH)
)


class Canned:
    """A probe that waits and succeeds, or hangs until its time-out where it is told to."""

    def __init__(self, name: str, clock: Clock, watch: "Watch", *, hung: frozenset[str]) -> None:
        """Probe nothing; servers in *hung* never answer."""
        self.name = name
        self._clock = clock
        self._watch = watch
        self._hung = hung

    async def run(self, target: ProbeTarget) -> ProbeResult:
        """Wait as a conversation would."""
        self._watch.began(ProbeKey(probe=target.probe, server=target.server, target=target.target))
        hangs = target.server.replace("imap", "mail").partition(".")[0] in self._hung
        took = target.timeout if hangs else timedelta(milliseconds=5)
        at = self._clock.now()
        await asyncio.sleep(took.total_seconds())
        return ProbeResult(
            probe=target.probe,
            health_set=target.health_set,
            server=target.server,
            target=target.target,
            at=at,
            took=took,
            result=ResultType.TIMED_OUT if hangs else ResultType.SUCCEEDED,
            failed_phase=Phase.GREETING if hangs else None,
            cause=Cause.TIMEOUT if hangs else None,
            phases=PHASES,
            account=target.account.user if target.account else None,
            canary=target.canary,
        )


class Watch:
    """Notes when each probe was due and when it really began."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._due: dict[ProbeKey, float] = {}
        self.late_ms: list[float] = []

    def follow(self, engine: Engine) -> None:
        """Look over the shoulder of the engine's timetable."""
        decide = engine.timetable.due

        def due(now: float) -> list[Start]:
            starts = decide(now)
            self._due.update((start.planned.key, now - start.late) for start in starts)
            return starts

        engine.timetable.due = due  # type: ignore[method-assign]

    def began(self, key: ProbeKey) -> None:
        """A probe runs now."""
        if key in self._due:
            self.late_ms.append((asyncio.get_running_loop().time() - self._due.pop(key)) * 1000)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    options.add_argument("--servers", type=int, default=3000)
    options.add_argument("--databases", type=int, default=2, help="per server")
    options.add_argument("--seconds", type=float, default=22.0, help="of measuring, for each of the two lines")
    options.add_argument("--hung-percent", type=int, default=10)
    options.add_argument("--conversations", action="store_true", help="real probes against simulated servers")
    options.add_argument("--profile", action="store_true", help="show where the engine's time goes")
    given = options.parse_args()
    logging.disable(logging.CRITICAL)  # an event is a log line; how fast a terminal is, is not the question
    for percent in (0, given.hung_percent):
        profile = cProfile.Profile() if given.profile else None
        asyncio.run(_measure(given, percent, profile))
        if profile is not None:
            pstats.Stats(profile).sort_stats("tottime").print_stats(18)


async def _measure(given: argparse.Namespace, hung_percent: int, profile: cProfile.Profile | None) -> None:
    began = time.process_time()
    simulation = Simulation(Shape.ONE_BOX, servers=given.servers, databases_per_server=given.databases)
    hung = frozenset(list(simulation.organization.servers)[: given.servers * hung_percent // 100])
    watch = Watch()
    parts = simulation.parts()
    if not given.conversations:
        parts = replace(parts, probes=_canned(parts, watch, hung))
    engine = Engine(_snapshot(simulation), parts)
    watch.follow(engine)
    async with _running(engine):
        if given.conversations:
            for name in hung:
                simulation.break_(f"service-hung@{name}")
        starting = time.process_time() - began
        await asyncio.sleep(WARM_UP_S)
        watch.late_ms.clear()
        stored, cpu, clock = await _stored(engine), time.process_time(), time.monotonic()
        if profile is not None:
            profile.enable()
        await asyncio.sleep(given.seconds)
        if profile is not None:
            profile.disable()
        cpu, clock = time.process_time() - cpu, time.monotonic() - clock
        count = await _stored(engine) - stored
    own = 0.0 if given.conversations else await _cost_of_probe(parts, engine)
    print(f"{hung_percent} % of {given.servers} servers hang; {len(engine.coverage.probes)} probes,", end=" ")
    print(f"{len(engine.coverage.monitors)} monitors, ready after {starting:.1f} s of CPU")
    print(f"  {count / clock:8.0f} probes/s, {100 * cpu / clock:.0f} % of one core")
    _print_lateness(watch.late_ms)
    print(
        f"  {(cpu / max(count, 1) - own) * 1e6:8.0f} µs of CPU for each probe, beside the {own * 1e6:.0f} µs of its own"
    )


def _snapshot(simulation: Simulation) -> Snapshot:
    probing = ProbingSettings(
        self_test_interval=INTERVAL, deep_test_interval=INTERVAL, passive_copy_interval=INTERVAL, ctp_interval=INTERVAL
    )
    return replace(simulation.load(), probing=probing)


def _canned(parts: Parts, watch: Watch, hung: frozenset[str]) -> Mapping[str, Probe]:
    return {name: Canned(name, parts.clock, watch, hung=hung) for name in PROBES}


async def _stored(engine: Engine) -> int:
    await engine.ledger.flush()
    return len(await engine.parts.store.results(limit=10**9))


async def _cost_of_probe(parts: Parts, engine: Engine, *, runs: int = 2000) -> float:
    """Seconds of CPU that the canned probe itself takes, many at once."""
    planned = next(probe for probe in engine.coverage.probes if probe.target is not None)
    target = replace(planned.target, server="nobody") if planned.target else None
    assert target is not None
    gc.collect()
    began = time.process_time()
    await asyncio.gather(*(parts.probes[target.probe].run(target) for _ in range(runs)))
    return (time.process_time() - began) / runs


def _print_lateness(late_ms: list[float]) -> None:
    if not late_ms:
        return
    percentiles = statistics.quantiles(late_ms, n=100)
    verdict = "as it should be" if percentiles[98] < GOAL_LATE_MS else f"goal: < {GOAL_LATE_MS} ms"
    print(f"  {percentiles[49]:8.1f} ms late in the middle, p99 {percentiles[98]:.1f} ms ({verdict}),", end=" ")
    print(f"worst {max(late_ms):.0f} ms")


@contextlib.asynccontextmanager
async def _running(engine: Engine) -> AsyncIterator[None]:
    stop, running = asyncio.Event(), asyncio.Event()
    run = asyncio.create_task(engine.run(stop, on_running=running.set))
    await running.wait()
    try:
        yield
    finally:
        stop.set()
        await run


if __name__ == "__main__":
    main()
