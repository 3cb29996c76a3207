"""The routes about protocol logs: how one stands, switching it, and which mailbox server served a session."""

import logging
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.protocol_log import LONGEST
from mailward.ports.manager import Manager
from mailward.web.answers import many, one
from mailward.web.requests import actor, asked, body, in_path, manner
from mailward.web.routes import Routes

_log = logging.getLogger("mailward.web")
_ONE_MS = timedelta(milliseconds=1)
USUAL_MS = 600_000
LONGEST_MS = LONGEST // _ONE_MS


async def _standing(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    return one(await manager.protocol_log(in_path(request, "server")))


async def _on(manager: Manager, request: Request) -> Response:
    given = await body(request)
    lasting = given.integer("lasting_ms", USUAL_MS, low=1, high=LONGEST_MS) * _ONE_MS
    reason, dry_run = given.text("reason") or "", given.boolean("dry_run") or False
    given.finish()
    server, who = in_path(request, "server"), actor(request)
    _log.info("protocol log of %s on for %s%s, asked for by %s", server, lasting, manner(dry_run), who)
    return one(await manager.protocol_log_on(server, lasting=lasting, actor=who, reason=reason, dry_run=dry_run))


async def _off(manager: Manager, request: Request) -> Response:
    given = await body(request)
    reason, dry_run = given.text("reason") or "", given.boolean("dry_run") or False
    given.finish()
    server, who = in_path(request, "server"), actor(request)
    _log.info("protocol log of %s off%s, asked for by %s", server, manner(dry_run), who)
    return one(await manager.protocol_log_off(server, actor=who, reason=reason, dry_run=dry_run))


async def _sessions(manager: Manager, request: Request) -> Response:
    given = asked(request)
    user, since = given.required_text("user"), given.required_moment("since")
    given.finish()
    return await many(await manager.logged_sessions(user, since=since))


READS: Routes = {
    "/api/v1/protocol-log/{server}": _standing,
    "/api/v1/logged-sessions": _sessions,
}
CHANGES: Routes = {
    "/api/v1/protocol-log/{server}/on": _on,
    "/api/v1/protocol-log/{server}/off": _off,
}
