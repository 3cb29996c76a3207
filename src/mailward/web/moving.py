"""The routes about copies of mailbox databases: how they stand, and orders to move them."""

import logging

from starlette.requests import Request
from starlette.responses import Response

from mailward.ports.manager import Manager
from mailward.web.answers import many, one
from mailward.web.requests import actor, asked, body, in_path, manner, order
from mailward.web.routes import Routes

_log = logging.getLogger("mailward.web")


async def _copies(manager: Manager, request: Request) -> Response:
    given = asked(request)
    server, database = given.named_text("server"), given.named_text("database")
    given.finish()
    return await many(await manager.copies(server=server, database=database))


async def _move_database(manager: Manager, request: Request) -> Response:
    given = await body(request)
    to, only_planned = given.named_text("to"), given.boolean("only_planned") or False
    reason, dry_run, force = order(given)
    database, who = in_path(request, "database"), actor(request)
    how = manner(dry_run, force)
    _log.info("move of %s to %s%s, asked for by %s", database, to or "its best copy", how, who)
    return one(
        await manager.move_database(
            database, to=to, actor=who, reason=reason, dry_run=dry_run, force=force, only_planned=only_planned
        )
    )


async def _drain(manager: Manager, request: Request) -> Response:
    given = await body(request)
    only_planned = given.boolean("only_planned") or False
    reason, dry_run, force = order(given)
    server, who = in_path(request, "server"), actor(request)
    _log.info("drain of %s%s, asked for by %s", server, manner(dry_run, force), who)
    return one(
        await manager.drain(server, actor=who, reason=reason, dry_run=dry_run, force=force, only_planned=only_planned)
    )


async def _undrain(manager: Manager, request: Request) -> Response:
    given = await body(request)
    reason, dry_run = given.text("reason") or "", given.boolean("dry_run") or False
    move_back, only_planned = given.boolean("move_back") or False, given.boolean("only_planned") or False
    given.finish()
    server, who = in_path(request, "server"), actor(request)
    back = ", moving back what prefers it" if move_back else ""
    _log.info("undrain of %s%s%s, asked for by %s", server, back, manner(dry_run), who)
    return one(
        await manager.undrain(
            server, actor=who, reason=reason, dry_run=dry_run, move_back=move_back, only_planned=only_planned
        )
    )


READS: Routes = {"/api/v1/copies": _copies}
CHANGES: Routes = {
    "/api/v1/databases/{database}/move": _move_database,
    "/api/v1/servers/{server}/drain": _drain,
    "/api/v1/servers/{server}/undrain": _undrain,
}
