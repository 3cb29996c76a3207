"""Between a request and its deed: whoever asks is let in or not, and what goes wrong becomes a problem."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from mailward.model.errors import ConfigError, NotFound, PermanentFailure, Refused, TemporaryFailure
from mailward.ports.manager import Manager
from mailward.web.access import Right
from mailward.web.admission import Admission
from mailward.web.problems import Code, Problem
from mailward.web.routes import Deed, Routes

Shown = Callable[[Manager, Request, Problem], Awaitable[Response]]
"""Turns a problem into what the asker can read: JSON for programs, a page for people."""
_Piece = str | bytes | memoryview


@dataclass(frozen=True, kw_only=True, slots=True)
class Special:
    """A route that needs another right than most of its method: GET a viewer, POST an operator."""

    path: str
    method: str
    needed: Right
    deed: Deed


@dataclass(frozen=True, kw_only=True, slots=True)
class _Guard:
    """What stands before every deed of some routes."""

    manager: Manager
    admission: Admission
    show: Shown

    def before(self, deed: Deed, needed: Right) -> Callable[[Request], Awaitable[Response]]:
        """The deed as an endpoint: the caller is let in first, and what is raised becomes a problem."""

        async def guarded(request: Request) -> Response:
            try:
                request.state.caller = await self.admission.admit(request, needed)
                response = await deed(self.manager, request)
                if isinstance(response, StreamingResponse):
                    response.body_iterator = self._while_admitted(request, needed, response.body_iterator)
                if cookie := getattr(request.state, "set_cookie", ""):
                    response.headers.append("Set-Cookie", cookie)
                return response
            except Problem as problem:
                found = problem
            except NotFound as unknown:
                found = Problem(Code.NOT_FOUND, str(unknown))
            except (Refused, ConfigError) as refusal:
                found = Problem(Code.CONFLICT, str(refusal))
            except PermanentFailure as failure:
                found = Problem(Code.INTERNAL, str(failure))
            except TemporaryFailure as failure:
                found = Problem(Code.UNAVAILABLE, str(failure))
            return await self.show(self.manager, request, found)

        return guarded

    async def _while_admitted(
        self, request: Request, needed: Right, pieces: AsyncIterable[_Piece]
    ) -> AsyncIterator[_Piece]:
        """The pieces of an answer that lasts, until whoever gets it may come in no more."""
        try:
            async for piece in pieces:
                try:
                    await self.admission.admit(request, needed)
                except (Problem, TemporaryFailure):
                    return
                yield piece
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()


def guarded(
    reads: Routes,
    changes: Routes,
    *,
    manager: Manager,
    admission: Admission,
    show: Shown,
    special: Iterable[Special] = (),
) -> list[BaseRoute]:
    """The routes of *reads*, for viewers, of *changes*, which are posted by operators, and those that are *special*."""
    guard = _Guard(manager=manager, admission=admission, show=show)
    return [
        *(Route(one.path, guard.before(one.deed, one.needed), methods=[one.method]) for one in special),
        *(Route(path, guard.before(deed, Right.VIEWER), methods=["GET"]) for path, deed in reads.items()),
        *(Route(path, guard.before(deed, Right.OPERATOR), methods=["POST"]) for path, deed in changes.items()),
    ]
