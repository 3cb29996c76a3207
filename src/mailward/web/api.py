"""
The API: which routes there are, who may ask them, and what becomes of an error.

One request is one question to the Manager port, and the answer its value in wire form.

Invariant: a viewer changes nothing; whoever is not known at all gets no answer but to what load balancers ask, and that
over TCP alone; nothing a caller sends is echoed
beyond 500 characters; no stack trace leaves the process.
"""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from mailward.ports.clock import Clock
from mailward.ports.manager import Manager
from mailward.web import credentials, health_page, holding, moving, protocol_logs, repairing, telling, watching
from mailward.web.access import Right, access_of_this_process
from mailward.web.admission import Admission, PeerAdmission
from mailward.web.answers import plain
from mailward.web.guarding import Special, guarded
from mailward.web.keyring import Keyring
from mailward.web.openapi import document
from mailward.web.problems import STATUS, Code, Problem, problem_response
from mailward.web.routes import Routes
from mailward.web.scraping import Exposes, scraped


def build_api(
    manager: Manager,
    *,
    admission: Admission | None = None,
    clock: Clock | None = None,
    exposition: Exposes | None = None,
    keyring: Keyring | None = None,
) -> Starlette:
    """
    Return the API on *manager*, as it is served on the unix socket.

    Args:
        manager: Who is asked.
        admission: Who may ask; by default the rule for this process's user.
        clock: Says since when something is held where a request does not; without one each request must.
        exposition: Shows the manager to Prometheus; without one there are no metrics.
        keyring: Who can log in over TCP; without one nobody can be added.
    """
    rule = admission or PeerAdmission(access=access_of_this_process())
    return Starlette(
        routes=api_routes(manager, admission=rule, clock=clock, exposition=exposition, keyring=keyring),
        exception_handlers={HTTPException: on_http_error, Exception: on_fault},
    )


def api_routes(
    manager: Manager,
    *,
    admission: Admission,
    clock: Clock | None = None,
    exposition: Exposes | None = None,
    keyring: Keyring | None = None,
) -> list[BaseRoute]:
    """Every route of the API, for whom *admission* lets in."""
    reads: Routes = {
        **watching.READS,
        **repairing.READS,
        **moving.READS,
        **protocol_logs.READS,
        **holding.READS,
        **telling.READS,
        "/api/v1/openapi.json": _openapi,
        **scraped(exposition),
    }
    open_to_all: Routes = {
        **health_page.READS,
        "/livez": _livez,
        "/readyz": _readyz,
        "/-/healthy": _livez,
        "/-/ready": _readyz,
    }
    changes: Routes = {
        **watching.CHANGES,
        **repairing.CHANGES,
        **moving.CHANGES,
        **protocol_logs.CHANGES,
        "/api/v1/holds": holding.hold(clock),
        **holding.CHANGES,
        **telling.CHANGES,
        **credentials.changes(keyring),
    }
    special = (
        *(Special(path=path, method="GET", needed=Right.NONE, deed=deed) for path, deed in open_to_all.items()),
        *(
            Special(path=path, method="GET", needed=Right.OPERATOR, deed=deed)
            for path, deed in credentials.reads(keyring).items()
        ),
    )
    return guarded(reads, changes, manager=manager, admission=admission, show=_as_problem, special=special)


async def _as_problem(_manager: Manager, _request: Request, problem: Problem) -> Response:
    return problem_response(problem)


async def _openapi(_manager: Manager, _request: Request) -> Response:
    return plain(document())


async def _livez(_manager: Manager, request: Request) -> Response:
    """Whoever answers this is alive; nothing is asked that might not answer."""
    return PlainTextResponse("[+]event loop\nalive\n" if "verbose" in request.query_params else "ok\n")


async def _readyz(manager: Manager, request: Request) -> Response:
    status = await manager.status()
    ready = status.store_reachable
    if "verbose" not in request.query_params:
        return PlainTextResponse("ok\n" if ready else "not ready\n", status_code=200 if ready else 503)
    lines = [
        f"[{'+' if ready else '-'}]store",
        f"[{'+' if status.configuration_error is None else '-'}]configuration",
        f"[{'+' if status.probes_late == 0 else '-'}]probes",
        "ready" if ready else "not ready",
    ]
    return PlainTextResponse("\n".join(lines) + "\n", status_code=200 if ready else 503)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Say that there is no such route, or no such method."""
    if isinstance(error, HTTPException) and error.status_code == STATUS[Code.METHOD_NOT_ALLOWED]:
        return problem_response(
            Problem(Code.METHOD_NOT_ALLOWED, f"{request.method} is not possible on {request.url.path[:200]}")
        )
    return problem_response(Problem(Code.NOT_FOUND, f"there is nothing at {request.url.path[:200]}"))


async def on_fault(_request: Request, _error: Exception) -> Response:
    """Say that the fault is ours; the server logs it."""
    return problem_response(Problem(Code.INTERNAL, "the manager failed on this request; its log says why"))
