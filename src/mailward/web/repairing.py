"""The routes about what is repaired: operations, their stories, a person's yes and no, and orders by hand."""

import logging

from starlette.requests import Request
from starlette.responses import Response

from mailward.ports.manager import Manager
from mailward.ports.service_control import ServiceDeed
from mailward.web.answers import many, one
from mailward.web.deciding import decisions
from mailward.web.problems import Code, Problem
from mailward.web.requests import actor, asked, body, in_path, manner, number_in_path, order
from mailward.web.routes import Routes

OPERATIONS_MAX = 1000

_log = logging.getLogger("mailward.web")


async def _recoveries(manager: Manager, request: Request) -> Response:
    given = asked(request)
    server, unfinished = given.named_text("server"), given.boolean("unfinished") or False
    limit = given.integer("limit", 50, low=1, high=OPERATIONS_MAX)
    given.finish()
    return await many(await manager.recoveries(server=server, unfinished=unfinished, limit=limit))


async def _recovery(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    return one(await manager.recovery(number_in_path(request, "recovery")))


async def _why(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    return await many(await manager.why(in_path(request, "subject")))


async def _would_have(manager: Manager, request: Request) -> Response:
    given = asked(request)
    since = given.required_moment("since")
    given.finish()
    return await many(await manager.would_have(since=since))


async def _service(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    return one(await manager.service(in_path(request, "server")))


async def _control_service(manager: Manager, request: Request) -> Response:
    reason, dry_run, force = order(await body(request))
    server, deed = in_path(request, "server"), _deed(request)
    _log.info("%s of the service of %s%s, asked for by %s", deed.value, server, manner(dry_run, force), actor(request))
    return one(
        await manager.control_service(server, deed, actor=actor(request), reason=reason, dry_run=dry_run, force=force)
    )


async def _restart_server(manager: Manager, request: Request) -> Response:
    reason, dry_run, force = order(await body(request))
    server = in_path(request, "server")
    _log.info("restart of the server %s%s, asked for by %s", server, manner(dry_run, force), actor(request))
    return one(await manager.restart_server(server, actor=actor(request), reason=reason, dry_run=dry_run, force=force))


def _deed(request: Request) -> ServiceDeed:
    name = in_path(request, "deed")
    try:
        return ServiceDeed(name)
    except ValueError:
        known = ", ".join(deed.value for deed in ServiceDeed)
        raise Problem(Code.NOT_FOUND, f"a service cannot be told to {name[:100]!r}; known: {known}") from None


READS: Routes = {
    "/api/v1/recoveries": _recoveries,
    "/api/v1/recoveries/{id}": _recovery,
    "/api/v1/why/{subject}": _why,
    "/api/v1/would-have": _would_have,
    "/api/v1/service/{server}": _service,
}
CHANGES: Routes = {
    **decisions("/api/v1/recoveries", read=body, answer=lambda _, operation: one(operation)),
    "/api/v1/service/{server}/{deed}": _control_service,
    "/api/v1/servers/{server}/restart": _restart_server,
}
