"""
What people order on the pages of servers and databases: what it would do is shown first, and done once they agree.

Invariant: what moves or restarts something is never done by the first click; what was agreed to as a planned move does
not become a forced one.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.errors import Refused
from mailward.model.holds import Hold, HoldKind
from mailward.ports.manager import Intention, Manager, MoveIntention
from mailward.ports.service_control import ServiceDeed
from mailward.web.pages.rendering import back_to, page, part
from mailward.web.requests import actor, form, in_path
from mailward.web.routes import Routes

PROBE_WAITED_SECONDS = 5.0
_LASTS = {
    "30 minutes": timedelta(minutes=30),
    "1 hour": timedelta(hours=1),
    "4 hours": timedelta(hours=4),
    "1 day": timedelta(days=1),
}
LASTS = tuple(_LASTS)
"""How long maintenance may be said to last."""
_AGREED = "yes"
_log = logging.getLogger("mailward.web")
_under_way: set["asyncio.Task[object]"] = set()


async def _start_maintenance(manager: Manager, request: Request) -> Response:
    given = await form(request)
    reason, lasts = given.required_text("reason"), given.required_text("lasts")
    given.finish()
    if lasts not in _LASTS:
        raise Refused(f"maintenance cannot last {lasts[:40]!r}; choose one of {', '.join(LASTS)}")
    name, who, now = in_path(request, "server"), actor(request), request.app.state.clock.now()
    wanted = Hold(
        kind=HoldKind.MAINTENANCE,
        subject=name,
        value="on",
        owner=who,
        reason=reason,
        since=now,
        until=now + _LASTS[lasts],
    )
    held = await manager.hold(wanted, actor=who)
    _log.info("maintenance of %s begun by %s: %s", name, who, reason)
    return back_to(_server(name), f"{held.subject} is in maintenance for {lasts}: nothing is done to it")


async def _release(manager: Manager, request: Request) -> Response:
    given = await form(request)
    number = given.integer("id", 0, low=1, high=2**53)
    given.finish()
    released = await manager.release(number, actor=actor(request))
    _log.info("%s of %s released by %s", released.kind.value, released.subject, actor(request))
    return back_to(_server(in_path(request, "server")), f"the {released.kind.value} of {released.subject} has ended")


async def _probe(manager: Manager, request: Request) -> Response:
    given = await form(request)
    identity = given.required_text("identity")
    given.finish()
    name, who = in_path(request, "server"), actor(request)
    _log.info("probe %s on %s, asked for by %s", identity, name, who)
    running = asyncio.ensure_future(manager.probe(identity, server=name, actor=who))
    _under_way.add(running)
    running.add_done_callback(_over)
    await asyncio.wait({running}, timeout=PROBE_WAITED_SECONDS)
    if not running.done():
        return back_to(_server(name), f"{identity} runs; its results will show here")
    results = running.result()
    failed = [one for one in results if one.result.is_failure]
    said = f"{failed[0].target}: {failed[0].why}" if failed else f"{len(results)} of {len(results)} succeeded"
    return back_to(_server(name), f"{identity} was run: {said}")


def _over(task: "asyncio.Task[object]") -> None:
    _under_way.discard(task)
    if not task.cancelled() and task.exception() is not None:
        _log.info("a probe that was asked for did not run: %s", task.exception())


async def _control_service(manager: Manager, request: Request) -> Response:
    given = await form(request)
    deed, reason = given.required_member("deed", ServiceDeed), given.text("reason") or ""
    agreed = given.text("agreed") == _AGREED
    given.finish()
    name, who = in_path(request, "server"), actor(request)
    order = f"{deed.value} the IMAP service of {name}"
    _log.info("%s%s, asked for by %s", order, "" if agreed else " as a rehearsal", who)
    intention = await manager.control_service(name, deed, actor=who, reason=reason, dry_run=not agreed)
    if not agreed or not intention.allowed:
        kept = {"deed": deed.value, "reason": reason}
        return await _shown(manager, request, intention, order, kept, back=_server(name))
    return back_to(_server(name), f"{order}: {intention.because}")


async def _move(manager: Manager, request: Request) -> Response:
    given = await form(request)
    to, reason = given.text("to"), given.text("reason") or ""
    agreed, only_planned = given.text("agreed") == _AGREED, given.boolean("only_planned") or False
    given.finish()
    name, who = in_path(request, "database"), actor(request)
    order = f"move {name} to {to or 'its best copy'}"
    _log.info("%s%s, asked for by %s", order, "" if agreed else " as a rehearsal", who)
    intention = await manager.move_database(
        name, to=to, actor=who, reason=reason, dry_run=not agreed, only_planned=only_planned
    )
    target = next((move.target for move in intention.moves), None)
    kept = {"to": to or target or "", "reason": reason}
    return await _moved(manager, request, intention, order, kept, agreed=agreed, back="/databases")


async def _drain(manager: Manager, request: Request) -> Response:
    given = await form(request)
    reason = given.text("reason") or ""
    agreed, only_planned = given.text("agreed") == _AGREED, given.boolean("only_planned") or False
    given.finish()
    name, who = in_path(request, "server"), actor(request)
    _log.info("drain of %s%s, asked for by %s", name, "" if agreed else " as a rehearsal", who)
    intention = await manager.drain(name, actor=who, reason=reason, dry_run=not agreed, only_planned=only_planned)
    return await _moved(
        manager, request, intention, f"drain {name}", {"reason": reason}, agreed=agreed, back=_server(name)
    )


async def _undrain(manager: Manager, request: Request) -> Response:
    given = await form(request)
    reason, move_back = given.text("reason") or "", given.boolean("move_back") or False
    agreed, only_planned = given.text("agreed") == _AGREED, given.boolean("only_planned") or False
    given.finish()
    name, who = in_path(request, "server"), actor(request)
    _log.info("undrain of %s%s, asked for by %s", name, "" if agreed else " as a rehearsal", who)
    intention = await manager.undrain(
        name, actor=who, reason=reason, dry_run=not agreed, move_back=move_back, only_planned=only_planned
    )
    kept = {"reason": reason, "move_back": "true" if move_back else "false"}
    return await _moved(
        manager,
        request,
        intention,
        f"allow the copies of {name} to become active again",
        kept,
        agreed=agreed,
        back=_server(name),
    )


async def _moved(
    manager: Manager,
    request: Request,
    intention: MoveIntention,
    order: str,
    kept: Mapping[str, str],
    *,
    agreed: bool,
    back: str,
) -> Response:
    if not agreed or not intention.allowed:
        planned = {"only_planned": "true"} if intention.is_planned else {}
        return await _shown(manager, request, intention, order, {**kept, **planned}, back=back)
    if len(intention.operations) == 1:
        return back_to(f"/recoveries/{intention.operations[0]}", f"begun: {order}")
    begun = ", ".join(str(number) for number in intention.operations)
    return back_to(back, f"{order}: {f'recoveries {begun} are under way' if begun else intention.because}")


async def _shown(
    manager: Manager,
    request: Request,
    intention: Intention | MoveIntention,
    order: str,
    kept: Mapping[str, str],
    *,
    back: str,
) -> Response:
    """What would be done and what speaks for and against it; the form repeats what was asked (*kept*)."""
    return await page(
        manager,
        request,
        "order.html",
        order=order,
        intention=intention,
        moves=getattr(intention, "moves", None),
        unblocks=getattr(intention, "unblocks", ()),
        command=getattr(intention, "command", ()),
        kept={**kept, "agreed": _AGREED},
        back=back,
    )


def _server(name: str) -> str:
    return f"/servers/{part(name)}"


CHANGES: Routes = {
    "/servers/{server}/maintenance": _start_maintenance,
    "/servers/{server}/release": _release,
    "/servers/{server}/probe": _probe,
    "/servers/{server}/service": _control_service,
    "/servers/{server}/drain": _drain,
    "/servers/{server}/undrain": _undrain,
    "/databases/{database}/move": _move,
}
