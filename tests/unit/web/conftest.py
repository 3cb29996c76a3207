"""Asking the API without a socket: one ASGI request, and whatever came back."""

import json
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher

from mailward.metrics.exposition import Exposition
from mailward.testing.manager_values import example_manager
from mailward.testing.memory_credentials import MemoryCredentials
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import SetClock
from mailward.testing.repair_values import NOON
from mailward.web.access import Access, Peer
from mailward.web.admission import PeerAdmission
from mailward.web.api import build_api
from mailward.web.keyring import Keyring
from mailward.web.passwords import Passwords

OWNER, VIEWERS = 990, 991
ACCESS = Access(owner_uid=OWNER, owner_name="mailward", viewer_group=VIEWERS)
OPERATOR = Peer(uid=OWNER, groups=frozenset({OWNER}))
ROOT = Peer(uid=0, groups=frozenset({0}))
VIEWER = Peer(uid=1000, groups=frozenset({1000, VIEWERS}))
STRANGER = Peer(uid=1001, groups=frozenset({1001}))


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


async def asked(app, method, path, *, peer=OPERATOR, query=None, body=b"", headers=None, client=None) -> Answered:
    sent = {"content-type": "application/json"} | (headers or {})
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": (query if isinstance(query, str) else urlencode(query or {}, doseq=True)).encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "server": None,
        "client": client,
        "state": {} if peer is None else {"peer": peer},
    }
    requests = [{"type": "http.request", "body": body, "more_body": False}]
    messages = []

    async def receive():
        return requests.pop(0) if requests else {"type": "http.disconnect"}

    async def send(message):
        messages.append(message)

    with suppress(Exception):  # after its answer a fault is raised on to the server, which logs it
        await app(scope, receive, send)
    start = messages[0]
    return Answered(
        status=start["status"],
        headers={name.decode(): value.decode() for name, value in start["headers"]},
        body=b"".join(message.get("body", b"") for message in messages[1:]),
    )


@dataclass
class Ask:
    """Asks any application, as an operator unless said otherwise."""

    access: Access = ACCESS

    async def __call__(self, app, method, path, **how) -> Answered:
        return await asked(app, method, path, **how)


@pytest.fixture
def ask():
    return Ask()


@pytest.fixture(scope="session")
def passwords():
    """Hashes that cost next to nothing."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def keyring(clock, passwords):
    """Nobody can log in yet."""
    return Keyring(MemoryCredentials(MemoryStore(clock=clock)), clock=clock, passwords=passwords)


@pytest.fixture
def fake():
    return example_manager()


@pytest.fixture
def api(fake, keyring):
    exposition = Exposition(fake, SetClock(NOON))
    app = build_api(fake, admission=PeerAdmission(access=ACCESS), exposition=exposition, keyring=keyring)

    async def request(method, path, **how):
        who = {"viewer": VIEWER, "stranger": STRANGER, "root": ROOT, "nobody": None}
        if isinstance(how.get("peer"), str):
            how["peer"] = who[how["peer"]]
        return await asked(app, method, path, **how)

    return request
