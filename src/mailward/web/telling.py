"""The routes about who is told, and the store's backup."""

import logging

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.wire import SCHEMA
from mailward.ports.manager import Manager
from mailward.web.answers import many, one, plain
from mailward.web.requests import actor, asked, body
from mailward.web.routes import Routes

NOTICES_MAX = 1000

_log = logging.getLogger("mailward.web")


async def _alerts(manager: Manager, request: Request) -> Response:
    given = asked(request)
    resolved = given.boolean("resolved") or False
    given.finish()
    return await many(await manager.alerts(resolved=resolved))


async def _alert(manager: Manager, request: Request) -> Response:
    given = asked(request)
    key = given.required_text("key")
    given.finish()
    return one(await manager.alert(key))


async def _notices(manager: Manager, request: Request) -> Response:
    given = asked(request)
    limit = given.integer("limit", 50, low=1, high=NOTICES_MAX)
    given.finish()
    return await many(await manager.notices(limit=limit))


async def _test_channels(manager: Manager, request: Request) -> Response:
    given = await body(request)
    channel = given.named_text("channel")
    given.finish()
    _log.info("test of %s, asked for by %s", f"channel {channel}" if channel else "all channels", actor(request))
    return await many(await manager.test_channels(channel, actor=actor(request)))


async def _backup(manager: Manager, request: Request) -> Response:
    given = await body(request)
    path = given.required_text("path")
    given.finish()
    _log.info("backup of the store to %s, asked for by %s", path, actor(request))
    return plain({"schema": SCHEMA, "written": await manager.backup(path, actor=actor(request))})


READS: Routes = {"/api/v1/alerts": _alerts, "/api/v1/alert": _alert, "/api/v1/notices": _notices}
CHANGES: Routes = {"/api/v1/notify/test": _test_channels, "/api/v1/backup": _backup}
