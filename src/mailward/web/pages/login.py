"""The page to log in on, and logging out; both work without JavaScript."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailward.ports.manager import Manager
from mailward.web.access import Right
from mailward.web.admission import refuse_foreign_page
from mailward.web.client_address import Network, address_of
from mailward.web.guarding import Special
from mailward.web.logging_in import Logins
from mailward.web.login_admission import LoginAdmission
from mailward.web.pages.rendering import SECURITY_HEADERS, bare_page
from mailward.web.problems import STATUS, Code, Problem
from mailward.web.requests import fields

_LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of ours: one slash first, so that no browser reads a host into it, no backslash, no control character."""


def local_path(text: str) -> str:
    """Where to go after logging in: *text* where it is a path here, else the first page."""
    is_ours = len(text) <= 2000 and _LOCAL_PATH.fullmatch(text) is not None
    return text if is_ours and not text.startswith(("/login", "/logout")) else "/"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginPages:
    """What logging in and out needs."""

    admission: LoginAdmission
    logins: Logins
    trusted_proxies: tuple[Network, ...] = field(default=())

    def routes(self) -> tuple[Special, ...]:
        """The routes, each with the right it needs."""
        return (
            Special(path="/login", method="GET", needed=Right.NONE, deed=self._show),
            Special(path="/login", method="POST", needed=Right.NONE, deed=self._log_in),
            Special(path="/logout", method="POST", needed=Right.VIEWER, deed=self._log_out),
        )

    async def _show(self, _manager: Manager, request: Request) -> Response:
        self.admission.refuse_strange_host(request)
        wanted = local_path(request.query_params.get("next", ""))
        known, sessions = await self.admission.keyring.known(), self.admission.sessions
        cookie = request.cookies.get(sessions.cookie_name, "")
        caller = self.admission.session_caller(known, cookie, now=self.admission.keyring.now) if cookie else None
        if caller is not None or known.is_empty:
            return RedirectResponse(wanted, status_code=303, headers=SECURITY_HEADERS)
        return await self._page(request, wanted=wanted, ended=bool(cookie))

    async def _log_in(self, _manager: Manager, request: Request) -> Response:
        self.admission.refuse_strange_host(request)
        refuse_foreign_page(request)
        given = dict(reversed(await fields(request)))
        name, wanted = given.get("name", "").strip(), local_path(given.get("next", ""))
        sessions = self.admission.sessions
        try:
            session = await self.logins.log_in(
                name[:200], given.get("password", ""), address=address_of(request, self.trusted_proxies)
            )
        except Problem as problem:
            if problem.code not in (Code.UNAUTHENTICATED, Code.TOO_MANY_ATTEMPTS):
                raise
            return await self._page(request, wanted=wanted, name=name[:64], problem=problem)
        headers = {**SECURITY_HEADERS, "Set-Cookie": sessions.written(session)}
        return RedirectResponse(wanted, status_code=303, headers=headers)

    async def _log_out(self, _manager: Manager, request: Request) -> Response:
        if request.state.caller.has_session:
            await self.admission.keyring.end_sessions(request.state.caller.name)
        headers = {**SECURITY_HEADERS, "Set-Cookie": self.admission.sessions.taken_away()}
        return RedirectResponse("/login", status_code=303, headers=headers)

    async def _page(
        self, request: Request, *, wanted: str, name: str = "", ended: bool = False, problem: Problem | None = None
    ) -> Response:
        response = await bare_page(
            request,
            "login.html",
            status_code=(STATUS[problem.code] if problem else HTTPStatus.OK).value,
            wanted=wanted,
            name=name,
            ended=ended,
            problem=problem.detail if problem else "",
        )
        response.headers.update(problem.headers if problem else {})
        return response
