"""
`/metrics` and `/probe` on one manager.

Whoever may look may have something probed here, because that is bounded: who asks at the same time shares one run, and
a run's results are answered for `FRESH`. What is probed is a server or access point of the organization, by an item it
has anyway; no address is ever taken from the asker.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from mailward.metrics.blackbox import blackbox_families
from mailward.metrics.families import Reading, families
from mailward.metrics.rendering import Text, render
from mailward.model.probing import ProbeResult
from mailward.ports.clock import Clock
from mailward.ports.manager import Manager

FRESH = timedelta(seconds=10)
"""For how long the results of one run are answered again: no faster than the quickest probe by default."""
KEPT_MOST = 10_000
"""Runs whose results are remembered."""


@dataclass(frozen=True, slots=True)
class _Run:
    results: asyncio.Task[tuple[ProbeResult, ...]]
    began: datetime


class Exposition:
    """Shows one manager to Prometheus."""

    def __init__(self, manager: Manager, clock: Clock) -> None:
        """*clock* says how old a result is."""
        self._manager = manager
        self._clock = clock
        self._runs: dict[tuple[str, str], _Run] = {}

    async def metrics(self, *, accept: str = "", accept_encoding: str = "") -> Text:
        """
        Everything about the manager and what it watches.

        Raises:
            TemporaryFailure: The manager cannot be asked now.
        """
        manager = self._manager
        reading = Reading(
            status=await manager.status(),
            measures=await manager.measures(),
            health_sets=await manager.report(),
            alerts=await manager.alerts(),
        )
        return await asyncio.to_thread(
            render, partial(families, reading), accept=accept, accept_encoding=accept_encoding
        )

    async def probe(self, *, target: str, module: str, accept: str = "", accept_encoding: str = "") -> Text:
        """
        Probe *target*, a server or access point, by *module*: an item, or HEALTHSET/ITEM/TARGET for one of its targets.

        Raises:
            NotFound: There is no such server, or it has no such probe; the text names the nearest.
            TemporaryFailure: It could not be probed now, which says nothing of the server.
        """
        found = tuple(blackbox_families(await self._results(target, module)))
        return render(lambda: found, accept=accept, accept_encoding=accept_encoding)

    async def _results(self, target: str, module: str) -> tuple[ProbeResult, ...]:
        key, now = (target.lower(), module.lower()), self._clock.now()
        self._forget(now)
        run = self._runs.get(key)
        if run is None:
            task = asyncio.create_task(self._manager.probe(module, server=target), name=f"probe {module} on {target}")
            run = self._runs[key] = _Run(task, now)
            task.add_done_callback(lambda ended: self._keep_only_answers(key, ended))
        return await asyncio.shield(run.results)

    def _forget(self, now: datetime) -> None:
        """Let go of results that are too old, and of the oldest beyond the bound; what is under way stays."""
        for key, run in tuple(self._runs.items()):
            is_old = abs(now - run.began) >= FRESH or len(self._runs) > KEPT_MOST
            if is_old and run.results.done():
                del self._runs[key]

    def _keep_only_answers(self, key: tuple[str, str], ended: asyncio.Task[tuple[ProbeResult, ...]]) -> None:
        if ended.cancelled() or ended.exception() is not None:
            self._runs.pop(key, None)
