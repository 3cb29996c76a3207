"""
The routes of `/api/v1`: one request is one question to the Manager port, and the answer its value in wire form.

Invariant: a viewer changes nothing; whoever is not known at all gets no answer; nothing a caller sends is echoed
beyond 500 characters; no stack trace leaves the process.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.event import EventKind
from mailward.model.monitoring import AlertValue
from mailward.model.wire import answer, listing
from mailward.ports.manager import Manager
from mailward.web.access import Access, Caller, Right, access_of_this_process
from mailward.web.openapi import document
from mailward.web.parameters import Parameters
from mailward.web.problems import STATUS, Code, Problem, problem_response
from mailward.web.stream import frames

BODY_BYTES_MAX = 64 * 1024
RESULTS_MAX = 1000
EVENTS_MAX = 1000
_ENCODED_IN_THE_LOOP = 200
"""Longer lists are encoded in a thread, so that no probe waits for them."""

_log = logging.getLogger("mailward.web")
_Answer = Callable[[Manager, Request], Awaitable[Response]]


def build_api(manager: Manager, *, access: Access | None = None) -> Starlette:
    """Return the API on *manager*; *access* is by default the rule for this process's user."""
    rule = access or access_of_this_process()
    reads: dict[str, _Answer] = {
        "/api/v1/status": _status,
        "/api/v1/health": _health,
        "/api/v1/report": _report,
        "/api/v1/rollup": _rollup,
        "/api/v1/items": _items,
        "/api/v1/items/{name}/help": _item_help,
        "/api/v1/results": _results,
        "/api/v1/events": _events,
        "/api/v1/events/stream": _stream,
        "/api/v1/openapi.json": _openapi,
        "/livez": _livez,
        "/readyz": _readyz,
    }
    changes: dict[str, _Answer] = {"/api/v1/probe": _probe, "/api/v1/reload": _reload}
    routes = [
        *(Route(path, partial(_guarded, deed, manager, rule, Right.VIEWER)) for path, deed in reads.items()),
        *(
            Route(path, partial(_guarded, deed, manager, rule, Right.OPERATOR), methods=["POST"])
            for path, deed in changes.items()
        ),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _on_http_error, Exception: _on_fault})


async def _guarded(deed: _Answer, manager: Manager, access: Access, needed: Right, request: Request) -> Response:
    """Let the caller in, do the deed, and turn what it raises into a problem."""
    try:
        request.state.caller = _let_in(request, access, needed)
        return await deed(manager, request)
    except Problem as problem:
        return problem_response(problem)
    except Refused as refusal:
        return problem_response(Problem(Code.NOT_FOUND, str(refusal)))
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


async def _status(manager: Manager, request: Request) -> Response:
    Parameters(_query(request)).finish()
    return _json(answer(await manager.status()))


async def _health(manager: Manager, request: Request) -> Response:
    asked = Parameters(_query(request))
    server, health_set = asked.text("server"), asked.text("health_set")
    state = asked.member("state", AlertValue)
    asked.finish()
    found = await manager.health(server=server, health_set=health_set, state=state.value if state else None)
    return await _list(found)


async def _report(manager: Manager, request: Request) -> Response:
    asked = Parameters(_query(request))
    server = asked.text("server")
    asked.finish()
    return await _list(await manager.report(server=server))


async def _rollup(manager: Manager, request: Request) -> Response:
    asked = Parameters(_query(request))
    percent = asked.integer("minimum_online_percent", 70, low=0, high=100)
    size = asked.integer("group_size", 12, low=1, high=100_000)
    asked.finish()
    return await _list(await manager.rollup(minimum_online_percent=percent, group_size=size))


async def _items(manager: Manager, request: Request) -> Response:
    asked = Parameters(_query(request))
    health_set, server = asked.text("health_set"), asked.text("server")
    asked.finish()
    return await _list(await manager.items(health_set=health_set, server=server))


async def _item_help(manager: Manager, request: Request) -> Response:
    Parameters(_query(request)).finish()
    name = str(request.path_params["name"])
    item = await manager.item_help(name)
    if item is None:
        raise Problem(Code.NOT_FOUND, f"there is no item {name[:100]!r}")
    return _json(answer(item))


async def _results(manager: Manager, request: Request) -> Response:
    asked = Parameters(_query(request))
    probe, server, failed = asked.text("probe"), asked.text("server"), asked.boolean("failed")
    limit = asked.integer("limit", 50, low=1, high=RESULTS_MAX)
    asked.finish()
    return await _list(await manager.results(probe=probe, server=server, failed=failed, limit=limit))


async def _events(manager: Manager, request: Request) -> Response:
    asked = Parameters(_query(request))
    after = asked.integer("after", 0, low=0, high=2**62)
    kinds, subject = asked.members("kind", EventKind), asked.text("subject")
    limit = asked.integer("limit", 100, low=1, high=EVENTS_MAX)
    newest_first = asked.boolean("newest_first") or False
    asked.finish()
    found = await manager.events(after=after, kinds=kinds, subject=subject, limit=limit, newest_first=newest_first)
    more = len(found) == limit and not newest_first
    return await _list(found, next_=str(found[-1].id) if more else None)


async def _stream(manager: Manager, request: Request) -> Response:
    given = _query(request)
    if (last := request.headers.get("last-event-id")) is not None:
        given["after"] = [last]
    asked = Parameters(given)
    after = asked.integer("after", -1, low=0, high=2**62)
    asked.finish()
    if after < 0:  # neither named: from now on
        newest = await manager.events(limit=1, newest_first=True)
        after = newest[0].id if newest else 0
    return StreamingResponse(
        frames(manager.follow(after=after)), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _probe(manager: Manager, request: Request) -> Response:
    asked = Parameters(await _body(request))
    identity, server = asked.required_text("identity"), asked.required_text("server")
    asked.finish()
    _log.info("probe %s on %s, asked for by %s", identity, server, request.state.caller.name)
    return await _list(await manager.probe(identity, server=server))


async def _reload(manager: Manager, request: Request) -> Response:
    Parameters(await _body(request)).finish()
    try:
        return _json(answer(await manager.reload(actor=request.state.caller.name)))
    except Refused as refusal:
        raise Problem(Code.CONFLICT, str(refusal)) from refusal


async def _openapi(_manager: Manager, _request: Request) -> Response:
    return _json(document())


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


def _query(request: Request) -> dict[str, list[object]]:
    given: dict[str, list[object]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    return given


async def _body(request: Request) -> dict[str, list[object]]:
    """Read a JSON object of bounded size; an empty body is an empty object."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > BODY_BYTES_MAX:
            raise Problem(Code.TOO_LARGE, f"a request may hold {BODY_BYTES_MAX // 1024} KiB at most")
    if not received:
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(Code.UNSUPPORTED_MEDIA_TYPE, "send the request as application/json")
    try:
        given = json.loads(received)
    except (ValueError, RecursionError):
        raise Problem(Code.BAD_REQUEST, "the request is not JSON") from None
    if not isinstance(given, dict):
        raise Problem(Code.BAD_REQUEST, "the request is not a JSON object")
    return {name: [value] for name, value in given.items()}


async def _list(values: Sequence[object], *, next_: str | None = None) -> Response:
    if len(values) <= _ENCODED_IN_THE_LOOP:
        return _json(listing(values, next_=next_))
    return await asyncio.to_thread(lambda: _json(listing(values, next_=next_)))


def _json(plain: dict[str, Any]) -> Response:
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), media_type="application/json", headers={"Cache-Control": "no-store"})


async def _on_http_error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == STATUS[Code.METHOD_NOT_ALLOWED]:
        return problem_response(
            Problem(Code.METHOD_NOT_ALLOWED, f"{request.method} is not possible on {request.url.path[:200]}")
        )
    return problem_response(Problem(Code.NOT_FOUND, f"there is nothing at {request.url.path[:200]}"))


async def _on_fault(_request: Request, _error: Exception) -> Response:
    return problem_response(Problem(Code.INTERNAL, "the manager failed on this request; its log says why"))
