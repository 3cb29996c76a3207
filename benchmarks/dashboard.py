"""
What a page of the dashboard costs in an organization of 10,000 servers.

An engine that is not running has the monitors of a simulated two-tier organization, a hundredth of them Unhealthy. Its
store holds 30 days of roll-ups of one server and 10,000 events. Pages and API are asked for through ASGI in this
process, so that no socket is measured: the best of several and from
memory, as time on the clock and as CPU of all threads, beside two
peers of the same run: a bare page of the same web framework, and `json.dumps` of the report's values. Copies, alerts,
recoveries and holds are canned, because a simulation repairs nothing. Last, 10,000 events reach one browser's live
stream within a second or so: how many messages it is sent. The goal (design, section 9): any page within 300 ms; it is
judged by the CPU, which on a machine with nothing else to do is the time on the clock.

    python benchmarks/dashboard.py [--servers 10000] [--runs 5] [--only PATH] [--profile PATH]
"""

import argparse
import asyncio
import cProfile
import json
import logging
import pstats
import time
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mailward.engine.answers import Answers
from mailward.engine.engine import Engine
from mailward.lab.blueprint import Shape
from mailward.lab.simulated import Simulation
from mailward.model import items
from mailward.model.alerting import Alert
from mailward.model.copies import CopyKind, CopyState, DatabaseCopy
from mailward.model.event import Event, EventKind
from mailward.model.holds import Hold
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.probing import Cause, Phase, PhaseOutcome, PhaseTiming, ProbeResult, ResultType
from mailward.model.recovery import Operation
from mailward.model.wire import to_plain
from mailward.storage.sqlite import SqliteStore
from mailward.testing.repair_values import ALERTS, HOLDS
from mailward.web.admission import LoopbackAdmission
from mailward.web.pages.live import changes
from mailward.web.site import build_site

GOAL_MS = 300
EVENTS = 10_000
PHASES = (Phase.DNS, Phase.CONNECT, Phase.TLS, Phase.GREETING, Phase.AUTH, Phase.SELECT, Phase.FETCH, Phase.LOGOUT)
_FIVE_MINUTES = timedelta(minutes=5)
_MONTH = timedelta(days=30)


class Canned(Answers):
    """The real answers, but for what a simulation has not."""

    canned_copies: tuple[DatabaseCopy, ...] = ()

    async def copies(self, *, server: str | None = None, database: str | None = None) -> tuple[DatabaseCopy, ...]:
        """Two copies of every database."""
        return tuple(
            one for one in self.canned_copies if server in (None, one.server) and database in (None, one.database)
        )

    async def alerts(self, *, resolved: bool = False) -> tuple[Alert, ...]:
        """A few."""
        del resolved
        return ALERTS

    async def holds(self, *, subject: str | None = None, ended: bool = False) -> tuple[Hold, ...]:
        """A few."""
        del ended
        return tuple(hold for hold in HOLDS if subject in (None, hold.server))

    async def recoveries(
        self, *, server: str | None = None, unfinished: bool = False, limit: int = 50
    ) -> tuple[Operation, ...]:
        """None."""
        del server, unfinished, limit
        return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one answer cost at best."""

    status: int
    size: int
    clock_ms: float
    cpu_ms: float


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--servers", type=int, default=10_000)
    options.add_argument("--runs", type=int, default=5, help="of which the best counts")
    options.add_argument("--only", metavar="PATH", help="measure this page alone")
    options.add_argument("--profile", metavar="PATH", help="show where the time of this page goes")
    given = options.parse_args()
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory() as directory:
        asyncio.run(_measure(given, Path(directory)))


async def _measure(given: argparse.Namespace, directory: Path) -> None:
    simulation = Simulation(Shape.TWO_TIER, servers=given.servers, databases_per_server=1)
    store = SqliteStore(directory / "store.db", clock=simulation.clock)
    await store.open()
    engine = Engine(simulation.load(), simulation.parts(store=store))
    judge_everything(engine)
    manager = Canned(engine)
    manager.canned_copies = two_copies(engine)
    server = list(engine.snapshot.organization.servers)[-1]
    await fill(store, engine, server)
    site = build_site(manager, admission=LoopbackAdmission(), clock=simulation.clock)
    print(f"{given.servers} servers, {len(engine.assessment.statuses)} monitors", flush=True)
    if given.profile:
        await profile(site, given.profile)
    else:
        await measure_anew(site, engine)
        await measure_pages(site, manager, server, given)
        await measure_storm()
    await store.close()


async def measure_anew(site: Starlette, engine: Engine) -> None:
    """The overview when nothing of the report is in memory, and when one server has changed since."""
    one = engine.assessment.sets[:1]
    for what, changed in (("of everything", engine.assessment.sets), ("after one health set changed", one)):
        engine.assessment.take_changed_sets = lambda changed=changed: changed  # type: ignore[method-assign,misc]
        found = await cost(site, "/", 2)
        print(
            f"/ with the report counted anew {what}: {found.clock_ms:.0f} ms, {found.cpu_ms:.0f} ms of CPU", flush=True
        )
    del engine.assessment.take_changed_sets  # type: ignore[method-assign]


async def measure_pages(site: Starlette, manager: Canned, server: str, given: argparse.Namespace) -> None:
    """Every page and list, beside the peers."""
    hello = Starlette(routes=[Route("/", lambda _: PlainTextResponse("hello"))])
    bare = await cost(hello, "/", given.runs)
    plain = [to_plain(one) for one in await manager.report()]
    began = time.perf_counter()
    size = len(json.dumps(plain))
    dumps = (time.perf_counter() - began) * 1000
    print(f"peers: a bare page {bare.clock_ms:.2f} ms; json.dumps of the report, {size / 1e6:.1f} MB, {dumps:.0f} ms")
    print(f"{'ms':>8} {'CPU ms':>8} {'kB':>7} {'x bare':>8} {'x dumps':>8}")
    for path in (given.only,) if given.only else paths(server):
        found = await cost(site, path, given.runs)
        verdict = "" if found.cpu_ms <= GOAL_MS else f"  goal: {GOAL_MS} ms"
        answer = "" if found.status == 200 else f"  ({found.status})"
        print(
            f"{found.clock_ms:8.1f} {found.cpu_ms:8.1f} {found.size / 1000:7.0f} {found.clock_ms / bare.clock_ms:8.0f}"
            f" {found.clock_ms / dumps:8.2f}  {path}{answer}{verdict}",
            flush=True,
        )


def paths(server: str) -> Sequence[str]:
    """What is measured; a page that does not exist answers 404 and says so."""
    name = quote(server)
    return (
        "/",
        f"/?q={name}",
        "/?show=all&page=50",
        f"/servers/{name}",
        f"/servers/{name}?span=30d",
        "/servers/proxy1",
        "/databases",
        "/databases?show=all&page=7",
        "/events",
        "/recoveries",
        "/alerts",
        "/availability",
        f"/api/v1/health?server={name}",
        "/api/v1/health",
        "/api/v1/report",
        "/metrics",
    )


async def cost(app: Starlette, path: str, runs: int) -> Cost:
    """The best of *runs*, after one that warms up."""
    await asked(app, path)
    best: Cost | None = None
    for _ in range(runs):
        began, cpu = time.perf_counter(), time.process_time()
        status, size = await asked(app, path)
        took, used = (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000
        if best is None or took < best.clock_ms:
            best = Cost(status=status, size=size, clock_ms=took, cpu_ms=used)
    assert best is not None
    return best


async def asked(app: Starlette, path: str) -> tuple[int, int]:
    """The status and the bytes that a browser on this machine would get."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1")],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "state": {},
    }
    status, size = 0, 0

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, size
        status = message.get("status", status)
        size += len(message.get("body", b""))

    await app(scope, receive, send)
    return status, size


async def profile(site: Starlette, path: str) -> None:
    """Where one page's time goes; what it has done by threads is done in the loop meanwhile."""
    await asked(site, path)
    in_a_thread = asyncio.to_thread

    async def here(work: Callable[..., Any], *words: Any, **named: Any) -> Any:
        return work(*words, **named)

    asyncio.to_thread = here
    measured = cProfile.Profile()
    measured.enable()
    await asked(site, path)
    measured.disable()
    asyncio.to_thread = in_a_thread
    pstats.Stats(measured).sort_stats("cumulative").print_stats(35)


async def measure_storm() -> None:
    """How many messages a browser gets of a storm of events, and how long its stream lasts."""
    happened = replace(an_event(0), id=1)

    async def storm() -> Any:
        for number in range(EVENTS):
            yield replace(happened, id=number + 1)
            if number % 100 == 0:
                await asyncio.sleep(0.01)

    began = time.perf_counter()
    told = [message async for message in changes(storm())]
    took = time.perf_counter() - began
    print(f"/live: {EVENTS} events in {took:.1f} s became {len(told)} messages, {len(told) / took:.1f} a second")


def judge_everything(engine: Engine) -> None:
    """Every monitor as it was stored before a restart: well, but for one in a hundred."""
    now = engine.parts.clock.now()
    stored = [
        MonitorStatus(
            key=definition.key,
            state=AlertValue.UNHEALTHY if number % 100 == 7 else AlertValue.HEALTHY,
            since=now,
            because="3 consecutive failures" if number % 100 == 7 else "the last result succeeded",
            last_result_at=now,
        )
        for number, definition in enumerate(engine.coverage.monitors)
    ]
    engine.assessment.use(engine.coverage, engine.snapshot.organization, now=now, stored=stored)


def a_result(probe: str, health_set: str, server: str, target: str, place: int) -> ProbeResult:
    """A result with its phases; the one at place 7 failed."""
    took = timedelta(milliseconds=4)
    failed = place == 7
    return ProbeResult(
        probe=probe,
        health_set=health_set,
        server=server,
        target=target,
        at=_epoch(),
        took=took * len(PHASES),
        result=ResultType.FAILED if failed else ResultType.SUCCEEDED,
        failed_phase=Phase.SELECT if failed else None,
        cause=Cause.STORE_ERROR if failed else None,
        detail="NO [SERVERBUG] Internal error occurred" if failed else "",
        phases=tuple(PhaseTiming(phase=phase, took=took, outcome=PhaseOutcome.OK) for phase in PHASES),
        transcript=tuple(f"S: line {line} of a conversation" for line in range(20)) if failed else (),
    )


def two_copies(engine: Engine) -> tuple[DatabaseCopy, ...]:
    """Every database with an active and a passive copy; a few lag."""
    names = list(engine.snapshot.organization.servers)
    now = engine.parts.clock.now()
    found = []
    for number, database in enumerate(engine.snapshot.organization.databases.values()):
        other = names[-1 - number % 100]
        state = CopyState.RESYNCHRONIZING if number % 100 == 7 else CopyState.HEALTHY
        for place, (server, how) in enumerate(((database.active, CopyState.MOUNTED), (other, state)), start=1):
            found.append(
                DatabaseCopy(
                    database=database.name,
                    server=server,
                    state=how,
                    because="it follows the active copy",
                    kind=CopyKind.SYNC,
                    preference=place,
                    seen_at=now,
                    lag=timedelta(seconds=number % 60),
                    waiting=0,
                )
            )
    return tuple(found)


async def fill(store: SqliteStore, engine: Engine, server: str) -> None:
    """A month of roll-ups of one server's conversations, results of it and of others, and many events."""
    now = engine.parts.clock.now()
    keys = [planned for planned in engine.coverage.probes if planned.key.server == server]
    spoken = [planned for planned in keys if planned.key.probe in (items.SELF_TEST_PROBE, items.DEEP_TEST_PROBE)]
    for day in range(30):
        results = [
            replace(
                a_result(one.key.probe, one.health_set, server, one.key.target, step % 100),
                at=now - _MONTH + timedelta(days=day) + _FIVE_MINUTES * step,
            )
            for step in range(timedelta(days=1) // _FIVE_MINUTES)
            for one in spoken
        ]
        await store.add_results(results)
    for number in range(0, EVENTS, 500):
        await store.save_statuses((), [an_event(number + place) for place in range(500)])


def an_event(number: int) -> Event:
    """One of many changes of monitors."""
    return Event(
        at=_epoch() + timedelta(seconds=number),
        kind=EventKind.MONITOR_CHANGED,
        subject=f"be{number % 1000}/IMAP.Protocol/ImapSelfTestMonitor/be{number % 1000}",
        because="3 consecutive failures",
        before="Healthy",
        after="Degraded",
    )


def _epoch() -> Any:
    return HOLDS[0].since


if __name__ == "__main__":
    main()
