"""A problem as a page: what is wrong, and the way back."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailward.model.errors import TemporaryFailure
from mailward.ports.manager import Manager
from mailward.web.pages.rendering import SECURITY_HEADERS, bare_page, page, part
from mailward.web.problems import STATUS, Code, Problem

_ELSEWHERE = ("cross-site", "same-site")


async def problem_page(manager: Manager, request: Request, problem: Problem) -> Response:
    """Show *problem*; whom logging in would help is sent to do that."""
    if problem.code is Code.UNAUTHENTICATED and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if request.headers.get("sec-fetch-site") in _ELSEWHERE and request.headers.get("sec-fetch-mode") == "navigate":
            # Browsers keep the cookie of a session back on a way that began elsewhere, such as a link in an alert's
            # mail (SameSite=Strict): this page has them ask again, from here.
            return await bare_page(request, "continue.html", wanted=wanted)
        return RedirectResponse(f"/login?next={part(wanted)}", status_code=303, headers=SECURITY_HEADERS)
    status = STATUS[problem.code]
    shown = {"title": status.phrase, "detail": problem.detail}
    try:
        if getattr(request.state, "caller", None) is None:
            response = await bare_page(request, "problem.html", status_code=status.value, **shown)
        else:
            response = await page(manager, request, "problem.html", status_code=status.value, **shown)
        response.headers.update(problem.headers)
        return response
    except TemporaryFailure:
        return Response(problem.detail, status_code=status.value, media_type="text/plain", headers=SECURITY_HEADERS)
