"""The page of mailbox databases: where their copies are, how each stands, and orders to move them."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.copies import DatabaseCopy
from mailward.model.errors import Refused
from mailward.ports.manager import Manager
from mailward.web.pages.choosing import wanted_by
from mailward.web.pages.copy_matrix import copy_matrix
from mailward.web.pages.rendering import page
from mailward.web.routes import Routes


async def _databases(manager: Manager, request: Request) -> Response:
    wanted = wanted_by(request)
    copies, why_none = await _copies(manager)
    return await page(
        manager,
        request,
        "databases.html",
        wanted=wanted,
        matrix=await asyncio.to_thread(copy_matrix, copies, wanted),
        why_none=why_none,
    )


async def _copies(manager: Manager) -> tuple[tuple[DatabaseCopy, ...], str | None]:
    """Every copy, or why this manager knows of none."""
    try:
        return await manager.copies(), None
    except Refused as refused:
        return (), str(refused)


READS: Routes = {"/databases": _databases}
