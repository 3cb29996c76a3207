"""The API and the dashboard together, as they are served over TCP."""

from dataclasses import replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from mailward.ports.clock import Clock
from mailward.ports.faults import Faults
from mailward.ports.manager import Manager
from mailward.web.admission import Admission
from mailward.web.api import api_routes, on_fault, on_http_error
from mailward.web.guarding import guarded
from mailward.web.keyring import Keyring
from mailward.web.pages import alerts, availability, databases, events, live, orders, overview, recoveries, server
from mailward.web.pages import faults as fault_pages
from mailward.web.pages.login import LoginPages
from mailward.web.pages.problem_page import problem_page
from mailward.web.pages.rendering import SECURITY_HEADERS, Site
from mailward.web.problems import Code, Problem
from mailward.web.routes import Routes
from mailward.web.scraping import Exposes


def build_site(
    manager: Manager,
    *,
    admission: Admission,
    clock: Clock,
    site: Site | None = None,
    exposition: Exposes | None = None,
    keyring: Keyring | None = None,
    login: LoginPages | None = None,
    faults: Faults | None = None,
) -> Starlette:
    """
    Return API and dashboard on *manager*.

    Args:
        manager: Who is asked.
        admission: Who may ask.
        clock: Tells what "now" is on a page.
        site: What the pages know of where they stand.
        exposition: Shows the manager to Prometheus; without one there are no metrics.
        keyring: Who can log in; without one nobody can be added.
        login: The pages to log in on and out; None: there are none.
        faults: What can be broken: only in the demo there is something.
    """
    reads: Routes = {
        **overview.READS,
        **server.READS,
        **databases.READS,
        **recoveries.READS,
        **alerts.READS,
        **events.READS,
        **availability.READS,
        **live.READS,
    }
    changes: Routes = {**orders.CHANGES, **recoveries.CHANGES}
    if faults is not None:
        reads, changes = {**reads, **fault_pages.reads(faults)}, {**changes, **fault_pages.changes(faults)}

    async def on_http(request: Request, error: Exception) -> Response:
        """A page for people, a problem for programs."""
        if _is_for_programs(request) or not isinstance(error, HTTPException):
            return await on_http_error(request, error)
        return await problem_page(
            manager, request, Problem(Code.NOT_FOUND, f"there is no page {request.url.path[:200]}")
        )

    app = Starlette(
        routes=[
            *api_routes(manager, admission=admission, clock=clock, exposition=exposition, keyring=keyring),
            *guarded(
                reads,
                changes,
                manager=manager,
                admission=admission,
                show=problem_page,
                special=login.routes() if login is not None else (),
            ),
            Mount("/static", _Static(packages=[("mailward.web", "static")])),
        ],
        exception_handlers={HTTPException: on_http, Exception: on_fault},
    )
    app.state.clock = clock
    app.state.site = replace(site or Site(), has_faults=faults is not None)
    return app


class _Static(StaticFiles):
    """What pages need: what has a version in its name browsers keep, of what is ours they ask whether it is new."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Add how long the answer may be kept."""
        response = await super().get_response(path, scope)
        has_version = any(letter.isdigit() for letter in path)
        response.headers["Cache-Control"] = "max-age=86400" if has_version else "no-cache"
        response.headers["X-Content-Type-Options"] = SECURITY_HEADERS["X-Content-Type-Options"]
        return response


def _is_for_programs(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/health/", "/static/"))
