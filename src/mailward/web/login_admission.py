"""
Over TCP: who shows a token, or has logged in.

As long as nobody can log in the rule of the loopback interface holds; from the first user or token on, this one, at
once.
"""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from mailward.model.credentials import Role
from mailward.web.access import Caller, Right
from mailward.web.admission import Admission, refuse_foreign_page, refuse_strange_host
from mailward.web.keyring import Keyring, Known, digest_of
from mailward.web.problems import Code, Problem
from mailward.web.sessions import SessionRule

ANYONE = Caller(name="anybody", right=Right.NONE)
RIGHT_OF = {Role.VIEWER: Right.VIEWER, Role.OPERATOR: Right.OPERATOR}
_CHANGES_NOTHING = ("GET", "HEAD")


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginAdmission:
    """Asks for a token or a session, once there is anybody who has one."""

    keyring: Keyring
    sessions: SessionRule
    without_login: Admission
    """The rule while nobody can log in."""
    names: tuple[str, ...] = ()
    """Under which names and addresses of this manager's people reach it, in lower case."""

    async def admit(self, request: Request, needed: Right) -> Caller:
        """Let in whoever has a token or a session with the right that is needed."""
        if needed is Right.NONE:
            return ANYONE
        known = await self.keyring.known()
        if known.is_empty:
            return await self.without_login.admit(request, needed)
        self.refuse_strange_host(request)
        authorization = request.headers.get("authorization")
        if authorization is not None:
            caller = self._by_token(known, authorization)
        else:
            caller = self._by_session(known, request)
            if request.method not in _CHANGES_NOTHING:
                refuse_foreign_page(request)
        if caller.right < needed:
            raise Problem(Code.FORBIDDEN, f"{caller.name} may look but not change; that needs an operator")
        return caller

    def refuse_strange_host(self, request: Request) -> None:
        """
        Pass only requests for one of our names, or for the very address they came to.

        Raises:
            Problem: FORBIDDEN.
        """
        server = request.scope.get("server")
        refuse_strange_host(request, (*self.names, str(server[0]).lower()) if server else self.names)

    def session_caller(self, known: Known, cookie: str, *, now: datetime) -> Caller | None:
        """Who carries this cookie, or None when it does not count or no more."""
        session = self.sessions.read(cookie)
        if session is None or not self.sessions.is_valid(session, now=now):
            return None
        kept = known.users.get(session.user)
        if kept is None or kept.generation != session.generation:
            return None
        return Caller(name=kept.user.name, right=RIGHT_OF[kept.user.role], has_session=True)

    def _by_token(self, known: Known, authorization: str) -> Caller:
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Problem(Code.UNAUTHENTICATED, "send a token as `Authorization: Bearer TOKEN`")
        kept = known.tokens.get(digest_of(secret.strip()))
        if kept is None:
            raise Problem(Code.UNAUTHENTICATED, "there is no such token; `mailward tokens add NAME` makes one")
        if kept.token.is_expired(self.keyring.now):
            raise Problem(
                Code.UNAUTHENTICATED,
                f"the token {kept.token.name} has expired; `mailward tokens revoke` and `tokens add` make a new one",
            )
        self.keyring.note_use(kept.token)
        return Caller(name=f"token {kept.token.name}", right=RIGHT_OF[kept.token.role])

    def _by_session(self, known: Known, request: Request) -> Caller:
        cookie, now = request.cookies.get(self.sessions.cookie_name, ""), self.keyring.now
        caller = self.session_caller(known, cookie, now=now) if cookie else None
        if caller is None:
            raise Problem(
                Code.UNAUTHENTICATED,
                "log in at /login, or send a token as `Authorization: Bearer TOKEN`"
                + ("; the session has ended" if cookie else ""),
            )
        if not _is_by_itself(request):
            session = self.sessions.read(cookie)
            renewed = self.sessions.renewed(session, now=now) if session is not None else None
            if renewed is not None:
                request.state.set_cookie = self.sessions.written(renewed)
        return caller


def _is_by_itself(request: Request) -> bool:
    """Whether a page sent it, perhaps while nobody looks: such a request keeps no session alive."""
    return "hx-request" in request.headers or request.headers.get("accept", "").startswith("text/event-stream")
