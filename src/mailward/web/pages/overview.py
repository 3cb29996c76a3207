"""The first page: what is wrong, what is being done about it, what waits for somebody, and every server."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.monitoring import AlertValue
from mailward.model.recovery import OperationStatus
from mailward.ports.manager import Manager, ManagerStatus
from mailward.web.pages.choosing import wanted_by
from mailward.web.pages.matrix import is_wrong, matrix
from mailward.web.pages.rendering import page
from mailward.web.routes import Routes

_DOUBTS_SHOWN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """Something mailward itself is unsure about."""

    about: str
    because: str
    server: str | None = None


async def _overview(manager: Manager, request: Request) -> Response:
    wanted = wanted_by(request)
    reports, servers = await manager.report(), await manager.servers()
    unfinished = await manager.recoveries(unfinished=True, limit=200)
    return await page(
        manager,
        request,
        "overview.html",
        wanted=wanted,
        matrix=await asyncio.to_thread(matrix, reports, servers, wanted),
        alerts=await manager.alerts(),
        waiting=[one for one in unfinished if one.status is OperationStatus.AWAITING_APPROVAL],
        at_work=[one for one in unfinished if one.status is not OperationStatus.AWAITING_APPROVAL],
        doubts=doubts(
            await manager.status(),
            [(one.server, one.health_set, one.because) for one in reports if one.alert_value is AlertValue.UNAVAILABLE],
        ),
        is_wrong=is_wrong,
    )


def doubts(status: ManagerStatus, unavailable: Iterable[tuple[str, str, str]]) -> tuple[Doubt, ...]:
    """
    What mailward cannot vouch for now.

    Args:
        status: How the manager is doing.
        unavailable: Server, health set and reason of whatever gives no answer.
    """
    found: list[Doubt] = []
    if not status.store_reachable:
        waits = f"{status.pending_results} results wait for it; nothing is repaired meanwhile"
        found.append(Doubt(about="the store is not reachable", because=waits))
    if status.configuration_error is not None:
        found.append(Doubt(about="the new configuration was refused", because=status.configuration_error))
    if status.probes_late:
        found.append(Doubt(about="probes are late", because=f"{status.probes_late} by more than a second"))
    if not status.leads and status.mode != "observe":
        found.append(Doubt(about="this manager does not lead", because="another one acts, or none does"))
    if status.stopped is not None:
        found.append(Doubt(about="no action is taken", because=status.stopped))
    found += [
        Doubt(about=f"no answer about {health_set} of {server}", because=because, server=server)
        for server, health_set, because in unavailable
    ]
    return tuple(found)


READS: Routes = {"/": _overview}
