"""
The API over TCP keeps what its own description says, for data that fit it and for data that do not.

The description is taken from a served site, requests are made up from it (schemathesis), and each answer is checked:
its status is described, its type and its members are, and nothing is a fault of ours.
"""

import asyncio
import socket
import threading
from contextlib import contextmanager
from warnings import catch_warnings, simplefilter

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, given, settings

from mailward.model.credentials import Role
from mailward.testing.manager_values import example_manager
from mailward.testing.memory_credentials import MemoryCredentials
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import SetClock
from mailward.web.described import OPERATIONS
from mailward.web.door import site_for
from mailward.web.keyring import Keyring
from mailward.web.passwords import Passwords
from mailward.web.serve import bind_tcp, serve
from mailward.web.settings import WebSettings

with catch_warnings():
    simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        positive_data_acceptance,
        response_schema_conformance,
        status_code_conformance,
    )

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
ENDLESS = "/api/v1/events/stream"
MODES = {"positive": GenerationMode.POSITIVE, "negative": GenerationMode.NEGATIVE}


@contextmanager
def a_loop():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda deed: asyncio.run_coroutine_threadsafe(deed, loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def served():
    """Where a site is served, and an operator's token for it."""
    with a_loop() as do:

        async def start(listener):
            clock = SetClock()
            passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
            keyring = Keyring(MemoryCredentials(MemoryStore(clock=clock)), clock=clock, passwords=passwords)
            issued = await keyring.add_token("schemathesis", Role.OPERATOR, lasting=None, actor="root")
            site = site_for(example_manager(), WebSettings(), keyring=keyring, key=b"k" * 32, clock=clock)
            return asyncio.ensure_future(serve(site, listener)), issued.secret

        async def stop(serving):
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        serving, secret = do(start(bind_tcp("127.0.0.1", port)))
        try:
            yield f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {secret}"}
        finally:
            do(stop(serving))


@pytest.fixture(scope="module")
def described(served):
    address, headers = served
    return schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json", headers=headers)


def tried() -> list[tuple[str, str, str]]:
    """Every route with data that fit, and with such that do not where there is anything that could not fit."""
    found = []
    for one in OPERATIONS:
        if one.path != ENDLESS:
            can_be_wrong = one.query or one.body
            found += [(one.method, one.path, mode) for mode in MODES if mode == "positive" or can_be_wrong]
    return found


@pytest.mark.parametrize(("method", "path", "mode"), tried(), ids=lambda word: word)
def test_every_answer_is_as_described(served, described, method, path, mode):
    operation = described[path][method.upper()]
    cases = operation.as_strategy(generation_mode=MODES[mode])
    checks = (*CHECKS, positive_data_acceptance) if mode == "positive" else CHECKS

    @settings(max_examples=6, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def conforms(case):
        case.call_and_validate(headers=served[1], checks=checks)

    conforms()
