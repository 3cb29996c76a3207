"""Who comes in over TCP where nobody can log in, and what another site's page can make a browser do: nothing."""

import pytest
from starlette.requests import Request

from mailward.web.access import Right
from mailward.web.admission import ANYBODY, LoopbackAdmission, refuse_foreign_page, refuse_strange_host
from mailward.web.problems import Problem

DEMO, VISIT = LoopbackAdmission(right=Right.OPERATOR), LoopbackAdmission()


def request(client="127.0.0.1", host="127.0.0.1:8143", **headers):
    named = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/",
            "client": None if client is None else (client, 4711),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }
    )


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.8.7", "::1"])
@pytest.mark.parametrize("host", ["127.0.0.1:8143", "localhost", "[::1]:8143", "LOCALHOST:1"])
async def test_whoever_is_on_this_machine_may_look(client, host):
    caller = await VISIT.admit(request(client, host), Right.VIEWER)

    assert (ANYBODY, Right.VIEWER) == (caller.name, caller.right)


@pytest.mark.parametrize("client", ["192.0.2.1", "2001:db8::1", "testclient", None])
async def test_nobody_else_comes_in(client):
    with pytest.raises(Problem, match="own machine"):
        await DEMO.admit(request(client), Right.VIEWER)


async def test_looking_is_not_changing_and_the_text_says_what_to_do():
    with pytest.raises(Problem, match="mailward users add"):
        await VISIT.admit(request(sec_fetch_site="same-origin"), Right.OPERATOR)


async def test_in_the_demo_anybody_on_this_machine_may_change_things():
    caller = await DEMO.admit(request(sec_fetch_site="same-origin"), Right.OPERATOR)

    assert Right.OPERATOR is caller.right


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8143", "127.0.0.1.evil.example", "", "[", "192.0.2.1"])
async def test_a_name_that_only_leads_here_is_not_ours(host):
    with pytest.raises(Problem, match="under the name"):
        await VISIT.admit(request(host=host), Right.VIEWER)


def test_a_name_that_is_configured_is_ours():
    refuse_strange_host(request(host="mailward.example.org"), ("mailward.example.org",))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": "http://127.0.0.1:8143"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {},
    ],
)
async def test_what_a_page_of_somebody_elses_asked_for_is_not_done(headers):
    with pytest.raises(Problem, match="not made"):
        await DEMO.admit(request(**headers), Right.OPERATOR)


@pytest.mark.parametrize(
    "headers", [{"sec_fetch_site": "same-origin"}, {"sec_fetch_site": "none"}, {"origin": "http://127.0.0.1:8143"}]
)
def test_our_own_pages_may_ask(headers):
    refuse_foreign_page(request(**headers))
