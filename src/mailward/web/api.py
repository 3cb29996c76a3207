"""
The API: which routes there are, who may ask them, and what becomes of an error.

One request is one question to the Manager port, and the answer its value in wire form.

Invariant: a viewer changes nothing; whoever is not known at all gets no answer; nothing a caller sends is echoed
beyond 500 characters; no stack trace leaves the process.
"""

from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mailward.model.errors import ConfigError, NotFound, PermanentFailure, Refused, TemporaryFailure
from mailward.ports.clock import Clock
from mailward.ports.manager import Manager
from mailward.web import health_page, holding, moving, protocol_logs, repairing, telling, watching
from mailward.web.access import Access, Caller, Right, access_of_this_process
from mailward.web.answers import plain
from mailward.web.openapi import document
from mailward.web.problems import STATUS, Code, Problem, problem_response
from mailward.web.routes import Deed, Routes


def build_api(manager: Manager, *, access: Access | None = None, clock: Clock | None = None) -> Starlette:
    """
    Return the API on *manager*.

    Args:
        manager: Who is asked.
        access: Who may ask; by default the rule for this process's user.
        clock: Says since when something is held where a request does not; without one each request must.
    """
    rule = access or access_of_this_process()
    reads: Routes = {
        **watching.READS,
        **repairing.READS,
        **moving.READS,
        **protocol_logs.READS,
        **holding.READS,
        **telling.READS,
        **health_page.READS,
        "/api/v1/openapi.json": _openapi,
        "/livez": _livez,
        "/readyz": _readyz,
    }
    changes: Routes = {
        **watching.CHANGES,
        **repairing.CHANGES,
        **moving.CHANGES,
        **protocol_logs.CHANGES,
        "/api/v1/holds": holding.hold(clock),
        **holding.CHANGES,
        **telling.CHANGES,
    }
    routes = [
        *(Route(path, partial(_guarded, deed, manager, rule, Right.VIEWER)) for path, deed in reads.items()),
        *(
            Route(path, partial(_guarded, deed, manager, rule, Right.OPERATOR), methods=["POST"])
            for path, deed in changes.items()
        ),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _on_http_error, Exception: _on_fault})


async def _guarded(deed: Deed, manager: Manager, access: Access, needed: Right, request: Request) -> Response:
    """Let the caller in, do the deed, and turn what it raises into a problem."""
    try:
        request.state.caller = _let_in(request, access, needed)
        return await deed(manager, request)
    except Problem as problem:
        return problem_response(problem)
    except NotFound as unknown:
        return problem_response(Problem(Code.NOT_FOUND, str(unknown)))
    except (Refused, ConfigError) as refusal:
        return problem_response(Problem(Code.CONFLICT, str(refusal)))
    except PermanentFailure as failure:
        return problem_response(Problem(Code.INTERNAL, str(failure)))
    except TemporaryFailure as failure:
        return problem_response(Problem(Code.UNAVAILABLE, str(failure)))


def _let_in(request: Request, access: Access, needed: Right) -> Caller:
    peer = request.scope.get("state", {}).get("peer")
    caller = access.caller(peer) if peer is not None else None
    if caller is None:
        who = "unknown callers" if peer is None else f"uid {peer.uid}"
        raise Problem(
            Code.FORBIDDEN,
            f"this manager does not answer {who}: be its own user ({access.owner_name}), root, or a member of the group"
            " 'mailward'",
        )
    if caller.right < needed:
        raise Problem(Code.FORBIDDEN, f"{caller.name} may look but not change; that needs {access.owner_name} or root")
    return caller


async def _openapi(_manager: Manager, _request: Request) -> Response:
    return plain(document())


async def _livez(_manager: Manager, _request: Request) -> Response:
    return PlainTextResponse("ok\n")


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


async def _on_http_error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == STATUS[Code.METHOD_NOT_ALLOWED]:
        return problem_response(
            Problem(Code.METHOD_NOT_ALLOWED, f"{request.method} is not possible on {request.url.path[:200]}")
        )
    return problem_response(Problem(Code.NOT_FOUND, f"there is nothing at {request.url.path[:200]}"))


async def _on_fault(_request: Request, _error: Exception) -> Response:
    return problem_response(Problem(Code.INTERNAL, "the manager failed on this request; its log says why"))
