"""What load balancers are told."""

import logging
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from mailward.model.errors import NotFound, TemporaryFailure
from mailward.model.health import Serving
from mailward.web.health_page import READS


class Judge:
    """The one question of the Manager port that this page asks."""

    def __init__(self):
        self.servers = {"proxy1": Serving(server="proxy1", is_serving=True, because="ImapProxyTestMonitor is Healthy")}
        self.trouble = None
        self.asked = []

    async def serving(self, server):
        self.asked.append(server)
        if self.trouble is not None:
            raise self.trouble
        if server not in self.servers:
            raise NotFound(f"there is no server {server!r}")
        return self.servers[server]

    def takes_out(self, because):
        self.servers["proxy1"] = Serving(server="proxy1", is_serving=False, because=because)


@pytest.fixture
def judge():
    return Judge()


@pytest.fixture
def poll(judge, ask):
    app = Starlette(routes=[Route(path, partial(deed, judge)) for path, deed in READS.items()])

    async def polling(path="/health/proxy1", method="GET", **headers):
        return await ask(app, method, path, headers=headers)

    return polling


async def test_a_server_that_serves_is_200_with_one_line_that_says_why(poll):
    answered = await poll()

    assert (200, b"serving: ImapProxyTestMonitor is Healthy\n") == (answered.status, answered.body)
    assert "ImapProxyTestMonitor is Healthy" == answered.headers["x-mailward-because"]
    assert "no-store" == answered.headers["cache-control"]
    assert "text/plain; charset=utf-8" == answered.headers["content-type"]


async def test_a_server_that_does_not_serve_is_503_with_one_line_that_says_why(poll, judge):
    judge.takes_out("maintenance by eva: new disks")

    answered = await poll()
    assert (503, b"not serving: maintenance by eva: new disks\n") == (answered.status, answered.body)
    assert "maintenance by eva: new disks" == answered.headers["x-mailward-because"]


async def test_head_has_the_status_and_the_reason_too(poll, judge):
    judge.takes_out("maintenance by eva: new disks")

    answered = await poll(method="HEAD")
    assert (503, "maintenance by eva: new disks") == (answered.status, answered.headers["x-mailward-because"])


async def test_nothing_can_be_changed_there(poll, judge):
    assert 405 == (await poll(method="POST")).status
    assert [] == judge.asked


@pytest.mark.parametrize("accept", ["application/json", "text/html, application/json;q=0.9", "APPLICATION/JSON"])
async def test_json_is_answered_to_who_asks_for_it(poll, judge, accept):
    judge.takes_out("maintenance by eva: new disks")

    answered = await poll(accept=accept)
    assert 503 == answered.status
    assert {
        "schema": 1,
        "server": "proxy1",
        "is_serving": False,
        "because": "maintenance by eva: new disks",
    } == answered.json
    assert "maintenance by eva: new disks" == answered.headers["x-mailward-because"]


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "application/json;q=0", "application/jsonlines", ",;,"])
async def test_everybody_else_gets_the_line(poll, accept):
    assert b"serving: " == (await poll(accept=accept)).body[:9]


async def test_an_unknown_server_is_404_and_neither_200_nor_503(poll):
    answered = await poll("/health/proxy9")

    assert (404, "not-found") == (answered.status, answered.json["code"])


@pytest.mark.parametrize("path", ["/health/", "/health", "/health/proxy1/more"])
async def test_anything_but_one_name_is_404(poll, path):
    assert (await poll(path)).status in (404, 307)


@pytest.mark.parametrize(
    "trouble", [TemporaryFailure("the store is gone"), RuntimeError("a fault of ours"), KeyError()]
)
async def test_trouble_of_our_own_takes_no_server_out_and_is_logged(poll, judge, caplog, trouble):
    judge.trouble = trouble

    with caplog.at_level(logging.WARNING, logger="mailward.web"):
        answered = await poll()

    assert (200, b"serving: mailward cannot judge it now; its log says why\n") == (answered.status, answered.body)
    assert "the health page of 'proxy1' says 200" in caplog.text


async def test_a_reason_cannot_write_headers_or_lines_of_its_own(poll, judge):
    judge.takes_out("disks\r\nX-Evil: yes\x00 größer " + "x" * 5000)

    answered = await poll()
    assert "x-evil" not in answered.headers
    assert 1 == answered.body.count(b"\n")
    assert answered.headers["x-mailward-because"].startswith("disks  X-Evil: yes  gr??er ")
    assert 500 == len(answered.headers["x-mailward-because"])


async def test_the_query_is_passed_over(judge, ask):
    app = Starlette(routes=[Route(path, partial(deed, judge)) for path, deed in READS.items()])

    assert 200 == (await ask(app, "GET", "/health/proxy1", query={"from": "balancer"})).status


async def test_names_are_decoded_and_their_length_has_an_end(poll, judge):
    await poll("/health/" + "x" * 5000)

    assert ["x" * 500] == judge.asked
