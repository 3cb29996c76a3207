"""The routes about what is held in place: component states, maintenance, pauses, overrides."""

import logging
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.holds import Hold, HoldKind, Requester
from mailward.ports.clock import Clock
from mailward.ports.manager import Manager
from mailward.web.answers import many, one
from mailward.web.parameters import Parameters
from mailward.web.requests import actor, asked, body, number_in_path
from mailward.web.routes import Deed, Routes

_log = logging.getLogger("mailward.web")


async def _holds(manager: Manager, request: Request) -> Response:
    given = asked(request)
    subject, ended = given.named_text("subject"), given.boolean("ended") or False
    given.finish()
    return await many(await manager.holds(subject=subject, ended=ended))


def hold(clock: Clock | None) -> Deed:
    """Return the route that holds something in place; *clock* says since when, where the request does not."""

    async def deed(manager: Manager, request: Request) -> Response:
        wanted = _hold_in(await body(request), owner=actor(request), now=clock.now() if clock else None)
        _log.info("%s of %s held by %s: %s", wanted.kind.value, wanted.subject, wanted.owner, wanted.reason)
        return one(await manager.hold(wanted, actor=actor(request)))

    return deed


def _hold_in(given: Parameters, *, owner: str, now: datetime | None) -> Hold:
    """The hold a request describes; the owner is whoever sent it."""
    kind = given.required_member("kind", HoldKind)
    subject, value = given.required_text("subject"), given.text("value") or "on"
    reason = given.required_text("reason")
    since = given.required_moment("since", now)
    until, requester = given.moment("until"), given.member("requester", Requester)
    data = given.mapping("data")
    given.finish()
    return Hold(
        kind=kind,
        subject=subject,
        value=value,
        owner=owner,
        reason=reason,
        since=since,
        until=until,
        requester=requester,
        data=data,
    )


async def _release(manager: Manager, request: Request) -> Response:
    (await body(request)).finish()
    released = await manager.release(number_in_path(request, "hold"), actor=actor(request))
    _log.info("%s of %s released by %s", released.kind.value, released.subject, actor(request))
    return one(released)


READS: Routes = {"/api/v1/holds": _holds}
CHANGES: Routes = {"/api/v1/holds/{id}/release": _release}
