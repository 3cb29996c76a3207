"""The routes about users and tokens; all of them are for operators alone."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.credentials import Role
from mailward.model.errors import Refused
from mailward.ports.manager import Manager
from mailward.web.answers import many, one
from mailward.web.keyring import Keyring
from mailward.web.requests import actor, asked, body, in_path
from mailward.web.routes import Deed, Routes

LASTING_MAX = timedelta(days=3650)
_MS = timedelta(milliseconds=1)
_Answer = Callable[[Keyring, Request], Awaitable[Response]]


def reads(keyring: Keyring | None) -> Routes:
    """The routes that list; without a *keyring* they say that nobody is known here."""
    return {"/api/v1/users": _with(keyring, _users), "/api/v1/tokens": _with(keyring, _tokens)}


def changes(keyring: Keyring | None) -> Routes:
    """The routes that change."""
    return {
        "/api/v1/users": _with(keyring, _add_user),
        "/api/v1/users/{name}/password": _with(keyring, _set_password),
        "/api/v1/users/{name}/remove": _with(keyring, _remove_user),
        "/api/v1/tokens": _with(keyring, _add_token),
        "/api/v1/tokens/{name}/revoke": _with(keyring, _revoke_token),
    }


def _with(keyring: Keyring | None, answer: _Answer) -> Deed:
    async def deed(_manager: Manager, request: Request) -> Response:
        if keyring is None:
            raise Refused("this manager keeps no users and no tokens")
        return await answer(keyring, request)

    return deed


async def _users(keyring: Keyring, request: Request) -> Response:
    asked(request).finish()
    return await many(await keyring.users())


async def _tokens(keyring: Keyring, request: Request) -> Response:
    asked(request).finish()
    return await many(await keyring.tokens())


async def _add_user(keyring: Keyring, request: Request) -> Response:
    given = await body(request)
    name, role = given.required_text("name"), given.required_member("role", Role)
    password = given.secret("password")
    given.finish()
    return one(await keyring.add_user(name, role, password, actor=actor(request)))


async def _set_password(keyring: Keyring, request: Request) -> Response:
    given = await body(request)
    password = given.secret("password")
    given.finish()
    return one(await keyring.set_password(in_path(request, "name"), password, actor=actor(request)))


async def _remove_user(keyring: Keyring, request: Request) -> Response:
    (await body(request)).finish()
    return one(await keyring.remove_user(in_path(request, "name"), actor=actor(request)))


async def _add_token(keyring: Keyring, request: Request) -> Response:
    given = await body(request)
    name, role = given.required_text("name"), given.required_member("role", Role)
    lasting = given.integer("lasting_ms", 0, low=1, high=LASTING_MAX // _MS)
    given.finish()
    issued = await keyring.add_token(name, role, lasting=lasting * _MS if lasting else None, actor=actor(request))
    return one(issued)


async def _revoke_token(keyring: Keyring, request: Request) -> Response:
    (await body(request)).finish()
    return one(await keyring.revoke_token(in_path(request, "name"), actor=actor(request)))
