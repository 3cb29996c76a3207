"""A problem as a page: what is wrong, and the way back."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailward.model.errors import TemporaryFailure
from mailward.ports.manager import Manager
from mailward.web.pages.rendering import SECURITY_HEADERS, page, part
from mailward.web.problems import STATUS, Code, Problem


async def problem_page(manager: Manager, request: Request, problem: Problem) -> Response:
    """Show *problem*; whom logging in would help is sent to do that."""
    if problem.code is Code.UNAUTHENTICATED and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={part(wanted)}", status_code=303, headers=SECURITY_HEADERS)
    status = STATUS[problem.code]
    try:
        return await page(
            manager, request, "problem.html", status_code=status.value, title=status.phrase, detail=problem.detail
        )
    except TemporaryFailure:
        return Response(problem.detail, status_code=status.value, media_type="text/plain", headers=SECURITY_HEADERS)
