"""
Who may do what over TCP: every route there is, and every kind of caller.

A route added anywhere is tried here by itself: a GET is for viewers, a POST for operators. What is otherwise stands in
`OTHERWISE`, and a line there for a route that is gone is a mistake too.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from starlette.routing import Mount, Route

from mailward.model.credentials import Role
from mailward.testing.manager_values import example_manager
from mailward.testing.memory_credentials import MemoryCredentials
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import SetClock
from mailward.web.access import Right
from mailward.web.api import build_api
from mailward.web.door import site_for
from mailward.web.keyring import Keyring
from mailward.web.sessions import Session, SessionRule
from mailward.web.settings import WebSettings

OTHERWISE = {
    ("GET", "/livez"): Right.NONE,
    ("GET", "/readyz"): Right.NONE,
    ("GET", "/-/healthy"): Right.NONE,
    ("GET", "/-/ready"): Right.NONE,
    ("GET", "/health/{server}"): Right.NONE,
    ("GET", "/static/mailward.css"): Right.NONE,
    ("GET", "/login"): Right.NONE,
    ("POST", "/login"): Right.NONE,
    ("POST", "/logout"): Right.VIEWER,
    ("GET", "/api/v1/users"): Right.OPERATOR,
    ("GET", "/api/v1/tokens"): Right.OPERATOR,
}
WEB = WebSettings(public_url="http://mailward.example.org")
KEY = b"k" * 32
FOR_PROGRAMS = {route.path for route in build_api(example_manager()).routes}
PASSWORD = "correct horse battery"


def routes() -> list[tuple[str, str]]:
    """Method and path of every route of a site; of a folder of files one file."""
    clock = SetClock()
    keyring = Keyring(MemoryCredentials(MemoryStore(clock=clock)), clock=clock)
    found = []
    for route in site_for(example_manager(), WEB, keyring=keyring, key=KEY, clock=clock).routes:
        if isinstance(route, Mount):
            found.append(("GET", f"{route.path}/mailward.css"))
        else:
            assert isinstance(route, Route)
            found += [(method, route.path) for method in sorted(route.methods - {"HEAD"})]
    return found


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of caller: what they have, and which right that is; NONE is whoever we do not know."""

    name: str
    right: Right = Right.NONE
    token: str = ""
    session: str = ""
    login: bool = True
    """Whether anybody can log in here."""
    demo: bool = False
    client: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=lambda: {"sec-fetch-site": "same-origin"})


CROSS_SITE = {"sec-fetch-site": "cross-site"}
KINDS = (
    Kind(name="nobody"),
    Kind(name="a viewer's token", right=Right.VIEWER, token="viewer", client="192.0.2.7"),
    Kind(name="an operator's token", right=Right.OPERATOR, token="operator", client="192.0.2.7"),
    Kind(name="an expired token", token="expired"),
    Kind(name="a revoked token", token="revoked"),
    Kind(name="a token that never was", token="mailward_x"),
    Kind(name="an operator's password for a token", token=PASSWORD),
    Kind(name="a viewer's session", right=Right.VIEWER, session="udo", client="192.0.2.7"),
    Kind(name="an operator's session", right=Right.OPERATOR, session="eva", client="192.0.2.7"),
    Kind(name="an operator's session, cross-site", right=Right.OPERATOR, session="eva", headers=CROSS_SITE),
    Kind(name="a session without a word of its origin", right=Right.OPERATOR, session="eva", headers={}),
    Kind(name="a session too old", session="old"),
    Kind(name="a session too long idle", session="idle"),
    Kind(name="a session that logged out", session="logged out"),
    Kind(name="a session of somebody removed", session="gone"),
    Kind(name="a session signed by another key", session="forged"),
    Kind(name="a bad token beside a good session", token="mailward_x", session="eva"),
    Kind(name="this machine without login", right=Right.VIEWER, login=False),
    Kind(name="this machine without login, by a proxy", login=False, headers={"x-forwarded-for": "192.0.2.7"}),
    Kind(name="another machine without login", login=False, client="192.0.2.7"),
    Kind(name="the demo", right=Right.OPERATOR, login=False, demo=True),
    Kind(name="the demo, cross-site", right=Right.OPERATOR, login=False, demo=True, headers=CROSS_SITE),
    Kind(name="the demo, from another machine", login=False, demo=True, client="192.0.2.7"),
)


@pytest.fixture
def tried(ask, fake, clock, keyring):
    """Ask a route as some kind of caller."""

    async def do(method: str, path: str, kind: Kind):
        without_login = Right.OPERATOR if kind.demo else Right.VIEWER
        site = site_for(fake, WEB, keyring=keyring, key=KEY, clock=clock, without_login=without_login)
        headers = dict(kind.headers)
        if kind.login:
            secrets, cookies = await everybody(keyring, clock)
            if kind.token:
                headers["authorization"] = f"Bearer {secrets.get(kind.token, kind.token)}"
            if kind.session:
                headers["cookie"] = cookies[kind.session]
        where = re.sub(r"\{\w+(:\w+)?\}", "x", path)
        return await ask(
            site, method, where, client=kind.client, body=b"{}", headers={"host": "localhost:8143", **headers}
        )

    return do


async def everybody(keyring, clock) -> tuple[dict[str, str], dict[str, str]]:
    """Users and tokens of every kind: the tokens' secrets, and the sessions' cookies."""
    day = timedelta(days=1)
    secrets = {}
    for name, role, lasting in (
        ("viewer", Role.VIEWER, None),
        ("operator", Role.OPERATOR, day),
        ("revoked", Role.OPERATOR, None),
        ("expired", Role.OPERATOR, timedelta(milliseconds=1)),
    ):
        issued = await keyring.add_token(name, role, lasting=lasting, actor="root")
        secrets[name] = issued.secret
    await keyring.revoke_token("revoked", actor="root")
    for name, role in (("udo", Role.VIEWER), ("eva", Role.OPERATOR), ("gone", Role.OPERATOR), ("out", Role.OPERATOR)):
        await keyring.add_user(name, role, PASSWORD, actor="root")
    clock.advance(timedelta(milliseconds=1))
    known, now = await keyring.known(), clock.now()

    def cookie(user: str, begun=now, seen=now, key=KEY) -> str:
        rule = SessionRule(key=key, lasts=WEB.session_lasts, idle=WEB.session_idle, is_secure=False)
        generation = known.users[user].generation
        session = Session(user=user, generation=generation, begun_at=begun, seen_at=seen)
        return rule.written(session).partition(";")[0]

    cookies = {
        "udo": cookie("udo"),
        "eva": cookie("eva"),
        "old": cookie("eva", begun=now - WEB.session_lasts),
        "idle": cookie("eva", begun=now - WEB.session_idle, seen=now - WEB.session_idle),
        "gone": cookie("gone"),
        "logged out": cookie("out"),
        "forged": cookie("eva", key=b"x" * 32),
    }
    await keyring.remove_user("gone", actor="root")
    await keyring.end_sessions("out")
    return secrets, cookies


def expected(method: str, path: str, kind: Kind) -> str:
    """What comes of it, by the rules as docs/reference/api.md has them."""
    needed = OTHERWISE.get((method, path), Right.VIEWER if method == "GET" else Right.OPERATOR)
    may = "let in" if kind.right >= needed else "forbidden"
    asks_by_page = kind.headers.get("sec-fetch-site") == "same-origin"
    if needed is Right.NONE:
        return "let in" if method == "GET" or asks_by_page else "forbidden"
    if kind.right is Right.NONE:
        if not kind.login:
            return "forbidden"
        return "to log in" if method == "GET" and path not in FOR_PROGRAMS else "unauthenticated"
    return "forbidden" if method == "POST" and not kind.token and not asks_by_page else may


def outcome(answered) -> str:
    """What came of it. A change that says nothing is refused as such, and whoever hears that was let in."""
    if 303 == answered.status and answered.headers["location"].startswith("/login?"):
        return "to log in"
    return {401: "unauthenticated", 403: "forbidden"}.get(answered.status, "let in")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(("method", "path"), routes(), ids=lambda word: word)
async def test_every_route_is_for_whom_it_is_for(tried, method, path, kind):
    answered = await tried(method, path, kind)

    assert expected(method, path, kind) == outcome(answered), answered.body
    assert 500 != answered.status


def test_no_exception_is_left_of_a_route_that_is_gone():
    assert set() == set(OTHERWISE) - set(routes())


async def test_a_token_is_no_matter_of_sites(tried):
    kind = Kind(name="", right=Right.OPERATOR, token="operator", headers=CROSS_SITE)

    assert 200 == (await tried("POST", "/api/v1/reload", kind)).status


@pytest.mark.parametrize("host", ["mailward.example.org", "MAILWARD.example.org:443", "127.0.0.1:8143", "[::1]"])
async def test_our_own_names_are_answered(tried, host):
    kind = Kind(name="", session="eva", headers={"host": host})

    assert 200 == (await tried("GET", "/api/v1/status", kind)).status


@pytest.mark.parametrize("path", ["/", "/login", "/api/v1/status"])
async def test_a_strange_name_is_not_answered(tried, path):
    kind = Kind(name="", session="eva", headers={"host": "evil.example"})

    assert 403 == (await tried("GET", path, kind)).status
