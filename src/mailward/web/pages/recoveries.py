"""What is and was repaired: the list, each recovery's story, and a person's yes or no to it."""

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.recovery import Operation, OperationStatus
from mailward.ports.manager import Manager
from mailward.web.deciding import decisions
from mailward.web.pages.paging import part_of
from mailward.web.pages.rendering import back_to, page
from mailward.web.pages.storytelling import tell
from mailward.web.requests import asked, form, in_path, number_in_path
from mailward.web.routes import Routes

UNFINISHED_MOST = 200
LOOKED_THROUGH = 1000
"""How many recoveries, of the newest, the list and the links between them reach."""


async def _recoveries(manager: Manager, request: Request) -> Response:
    given = asked(request)
    server, status = given.text("server"), given.member("status", OperationStatus)
    number = given.integer("page", 1, low=1, high=100_000)
    given.text("said")
    given.finish()
    found = await manager.recoveries(server=server, limit=LOOKED_THROUGH)
    unfinished = await manager.recoveries(server=server, unfinished=True, limit=UNFINISHED_MOST)
    chosen = [one for one in found if one.status is status or (status is None and one.status.is_over)]
    return await page(
        manager,
        request,
        "recoveries.html",
        server=server or "",
        status=status,
        statuses=tuple(OperationStatus),
        unfinished=unfinished if status is None else (),
        part=part_of(chosen, number),
        reached=len(found) == LOOKED_THROUGH,
        looked_through=LOOKED_THROUGH,
    )


async def _recovery(manager: Manager, request: Request) -> Response:
    given = asked(request)
    given.text("said")
    given.finish()
    story = await manager.recovery(number_in_path(request, "recovery"))
    others = await manager.recoveries(limit=LOOKED_THROUGH)
    return await page(manager, request, "recovery.html", told=tell(story, others=others))


async def _why(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    server = in_path(request, "server")
    stories = sorted(await manager.why(server), key=lambda story: story.operation.id, reverse=True)
    return await page(manager, request, "why.html", server=server, told=[tell(story) for story in stories])


def _answered(done: str, operation: Operation) -> Response:
    return back_to(f"/recoveries/{operation.id}", f"You have {done} recovery {operation.id}.")


READS: Routes = {
    "/recoveries": _recoveries,
    "/recoveries/{id}": _recovery,
    "/why/{server}": _why,
}
CHANGES: Routes = decisions("/recoveries", read=form, answer=_answered)
