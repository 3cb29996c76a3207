"""The routes about what is watched: health, probes and their results, events."""

import logging

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mailward.model.event import EventKind
from mailward.model.monitoring import AlertValue
from mailward.ports.manager import Manager
from mailward.web.answers import many, one
from mailward.web.parameters import Parameters
from mailward.web.problems import Code, Problem
from mailward.web.requests import actor, asked, body, in_path, query
from mailward.web.routes import Routes
from mailward.web.stream import frames

RESULTS_MAX = 1000
EVENTS_MAX = 1000

_log = logging.getLogger("mailward.web")


async def _status(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    return one(await manager.status())


async def _measures(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    return one(await manager.measures())


async def _servers(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    return await many(await manager.servers())


async def _health(manager: Manager, request: Request) -> Response:
    given = asked(request)
    server, health_set = given.named_text("server"), given.named_text("health_set")
    state = given.member("state", AlertValue)
    given.finish()
    return await many(await manager.health(server=server, health_set=health_set, state=state.value if state else None))


async def _report(manager: Manager, request: Request) -> Response:
    given = asked(request)
    server = given.named_text("server")
    given.finish()
    return await many(await manager.report(server=server))


async def _rollup(manager: Manager, request: Request) -> Response:
    given = asked(request)
    percent = given.integer("minimum_online_percent", 70, low=0, high=100)
    size = given.integer("group_size", 12, low=1, high=100_000)
    given.finish()
    return await many(await manager.rollup(minimum_online_percent=percent, group_size=size))


async def _items(manager: Manager, request: Request) -> Response:
    given = asked(request)
    health_set, server = given.named_text("health_set"), given.named_text("server")
    given.finish()
    return await many(await manager.items(health_set=health_set, server=server))


async def _item_help(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    name = in_path(request, "name")
    item = await manager.item_help(name)
    if item is None:
        raise Problem(Code.NOT_FOUND, f"there is no item {name[:100]!r}")
    return one(item)


async def _results(manager: Manager, request: Request) -> Response:
    given = asked(request)
    probe, server, failed = given.named_text("probe"), given.named_text("server"), given.boolean("failed")
    limit = given.integer("limit", 50, low=1, high=RESULTS_MAX)
    given.finish()
    return await many(await manager.results(probe=probe, server=server, failed=failed, limit=limit))


async def _latencies(manager: Manager, request: Request) -> Response:
    given = asked(request)
    server, probe = given.required_text("server"), given.required_text("probe")
    target, since = given.required_text("target"), given.required_moment("since")
    given.finish()
    return one(await manager.latencies(server, probe=probe, target=target, since=since))


async def _events(manager: Manager, request: Request) -> Response:
    given = asked(request)
    after = given.integer("after", 0, low=0, high=2**62)
    before = given.integer("before", 0, low=1, high=2**62) or None
    kinds, subject = given.members("kind", EventKind), given.named_text("subject")
    since = given.moment("since")
    limit = given.integer("limit", 100, low=1, high=EVENTS_MAX)
    newest_first = given.boolean("newest_first") or False
    given.finish()
    found = await manager.events(
        after=after,
        before=before,
        kinds=kinds,
        subject=subject,
        since=since,
        limit=limit,
        newest_first=newest_first,
    )
    more = len(found) == limit and not newest_first
    return await many(found, next_=str(found[-1].id) if more else None)


async def _availability(manager: Manager, request: Request) -> Response:
    given = asked(request)
    month = given.required_text("month")
    given.finish()
    return one(await manager.availability(month))


async def _stream(manager: Manager, request: Request) -> Response:
    parameters = query(request)
    if (last := request.headers.get("last-event-id")) is not None:
        parameters["after"] = [last]
    given = Parameters(parameters)
    after = given.integer("after", -1, low=0, high=2**62)
    given.finish()
    if after < 0:  # neither named: from now on
        newest = await manager.events(limit=1, newest_first=True)
        after = newest[0].id if newest else 0
    return StreamingResponse(
        frames(manager.follow(after=after)), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _probe(manager: Manager, request: Request) -> Response:
    given = await body(request)
    identity, server = given.required_text("identity"), given.required_text("server")
    given.finish()
    who = actor(request)
    _log.info("probe %s on %s, asked for by %s", identity, server, who)
    return await many(await manager.probe(identity, server=server, actor=who))


async def _reload(manager: Manager, request: Request) -> Response:
    (await body(request)).finish()
    return one(await manager.reload(actor=actor(request)))


READS: Routes = {
    "/api/v1/status": _status,
    "/api/v1/measures": _measures,
    "/api/v1/servers": _servers,
    "/api/v1/health": _health,
    "/api/v1/report": _report,
    "/api/v1/rollup": _rollup,
    "/api/v1/items": _items,
    "/api/v1/items/{name}/help": _item_help,
    "/api/v1/results": _results,
    "/api/v1/latencies": _latencies,
    "/api/v1/events": _events,
    "/api/v1/availability": _availability,
    "/api/v1/events/stream": _stream,
}
CHANGES: Routes = {"/api/v1/probe": _probe, "/api/v1/reload": _reload}
