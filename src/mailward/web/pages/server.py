"""
The page of one server, access point, or of mailward itself.

How it is, how fast it was, what failed last, what it holds, what is held in place there, and what may be ordered.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceStatus
from mailward.model.holds import EVERY_SERVER, WHOLE_ORGANIZATION, Hold
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Operation
from mailward.ports.manager import Manager, ServerEntry, ServerKind
from mailward.web.pages.charts import Chart, Span, chart, choose_targets, marks, targets_of, waterfall
from mailward.web.pages.orders import LASTS
from mailward.web.pages.rendering import page
from mailward.web.pages.server_health import probes_to_run, shown_sets
from mailward.web.requests import asked, in_path
from mailward.web.routes import Routes

HOST_ASKED_SECONDS = 0.15
"""How long the page waits for the server's host."""
HOST_PATIENCE_SECONDS = 10.0
"""The same for a reader who has asked to wait."""
_RESULTS = 5
_RECOVERIES = 5
_MARKS_MOST = 200
_WITH_COPIES = (ServerKind.MAILBOX, ServerKind.PROXY_AND_MAILBOX)

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True, slots=True)
class _History:
    """What only the store knows."""

    charts: tuple[Chart, ...] = ()
    marks: tuple[Event, ...] = ()
    failures: tuple[ProbeResult, ...] = ()
    recoveries: tuple[Operation, ...] = ()
    trouble: str | None = None
    """Why it cannot be read now."""


async def _server(manager: Manager, request: Request) -> Response:
    given = asked(request)
    span, target = given.member("span", Span) or Span.SIX_HOURS, given.text("target")
    is_patient = given.text("host") == "wait"
    given.text("said")
    given.finish()
    monitors = await manager.health(server=in_path(request, "server"))
    entry = _entry(await manager.servers(), monitors[0].server if monitors else in_path(request, "server"))
    name = entry.name if entry is not None else monitors[0].server if monitors else in_path(request, "server")
    asking = asyncio.ensure_future(_service(manager, name, entry, HOST_PATIENCE_SECONDS if is_patient else None))
    targets = targets_of(await manager.items(server=name))
    history = await _history(
        manager,
        name,
        targets,
        choose_targets(targets, monitors, target),
        since=request.app.state.clock.now() - span.length,
    )
    holds = await _held(manager, name)
    copies = await _or_none(manager.copies(server=name)) if entry is not None and entry.kind in _WITH_COPIES else ()
    service, why_no_service = await asking
    return await page(
        manager,
        request,
        "server.html",
        name=name,
        entry=entry,
        sets=shown_sets(monitors),
        span=span,
        spans=tuple(Span),
        history=history,
        waterfall=waterfall,
        copies=copies,
        holds=holds,
        service=service,
        why_no_service=why_no_service,
        probes=probes_to_run(targets),
        lasts=LASTS,
        maintenance=[hold for hold in holds if hold.kind.value == "maintenance" and hold.is_on(name)],
    )


def _entry(entries: Sequence[ServerEntry], name: str) -> ServerEntry | None:
    return next((entry for entry in entries if entry.name.lower() == name.lower()), None)


async def _history(
    manager: Manager, name: str, targets: Mapping[str, tuple[str, ...]], chosen: Mapping[str, str], *, since: datetime
) -> _History:
    try:
        latencies = [
            await manager.latencies(name, probe=probe, target=target, since=since) for probe, target in chosen.items()
        ]
        done = await manager.events(kinds=(EventKind.ACTION_ENDED,), subject=name, limit=_MARKS_MOST, newest_first=True)
        return _History(
            charts=tuple(chart(one, targets[one.probe]) for one in latencies),
            marks=marks(done, since=since),
            failures=await manager.results(server=name, failed=True, limit=_RESULTS),
            recoveries=await _or_none(manager.recoveries(server=name, limit=_RECOVERIES)),
        )
    except TemporaryFailure as failure:
        return _History(trouble=str(failure))


async def _held(manager: Manager, name: str) -> tuple[Hold, ...]:
    """What is held on that server, and what reaches it because it is held everywhere."""
    found = [await _or_none(manager.holds(subject=subject)) for subject in (name, WHOLE_ORGANIZATION, EVERY_SERVER)]
    return tuple(hold for holds in found for hold in holds)


async def _or_none(asking: Awaitable[tuple[Value, ...]]) -> tuple[Value, ...]:
    """What is answered; nothing where the manager only watches, or has no such thing."""
    try:
        return await asking
    except Refused:
        return ()


async def _service(
    manager: Manager, name: str, entry: ServerEntry | None, patience: float | None
) -> tuple[ServiceStatus | None, str | None]:
    """The service as its host says, or why that is not known; a slow host keeps nobody waiting."""
    if entry is None or entry.kind is ServerKind.ACCESS_POINT:
        return None, None
    try:
        return await asyncio.wait_for(manager.service(name), patience or HOST_ASKED_SECONDS), None
    except TimeoutError:
        return None, "its host has not answered yet"
    except (Refused, TemporaryFailure) as error:
        return None, str(error)


READS: Routes = {"/servers/{server}": _server}
