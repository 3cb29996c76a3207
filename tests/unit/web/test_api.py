"""The routes: strict about what is asked, and about who asks."""

import pytest

from mailward.testing.manager_values import STATUS
from mailward.testing.repair_values import HOLDS, NOTICES
from mailward.web.api import build_api

CHANGES = (
    "/api/v1/probe",
    "/api/v1/reload",
    "/api/v1/recoveries/2/approve",
    "/api/v1/recoveries/2/deny",
    "/api/v1/recoveries/2/abort",
    "/api/v1/service/mbx2/restart",
    "/api/v1/servers/mbx2/restart",
    "/api/v1/servers/mbx2/drain",
    "/api/v1/servers/mbx2/undrain",
    "/api/v1/databases/DB1/move",
    "/api/v1/protocol-log/mbx1/on",
    "/api/v1/protocol-log/mbx1/off",
    "/api/v1/holds",
    "/api/v1/holds/1/release",
    "/api/v1/notify/test",
    "/api/v1/backup",
    "/api/v1/users",
    "/api/v1/users/eva/password",
    "/api/v1/users/eva/remove",
    "/api/v1/tokens",
    "/api/v1/tokens/grafana/revoke",
)
OPERATOR_READS = ("/api/v1/users", "/api/v1/tokens")
READS = (
    "/api/v1/status",
    "/api/v1/measures",
    "/api/v1/servers",
    "/api/v1/health",
    "/api/v1/report",
    "/api/v1/rollup",
    "/api/v1/items",
    "/api/v1/items/ImapCTPProbe/help",
    "/api/v1/results",
    "/api/v1/latencies?server=mbx2&probe=ImapDeepTestProbe&target=DB2&since=2026-11-01T00:00:00Z",
    "/api/v1/events",
    "/api/v1/availability?month=2026-11",
    "/api/v1/openapi.json",
    "/api/v1/recoveries",
    "/api/v1/recoveries/1",
    "/api/v1/why/mbx2",
    "/api/v1/would-have?since=2026-11-01T00:00:00Z",
    "/api/v1/service/mbx2",
    "/api/v1/copies",
    "/api/v1/protocol-log/mbx1",
    "/api/v1/logged-sessions?user=health-db2&since=2026-11-01T00:00:00Z",
    "/api/v1/holds",
    "/api/v1/alerts",
    "/api/v1/alert?key=mailbox+server%2Fmbx2",
    "/api/v1/notices",
    "/health/mbx2",
    "/livez",
    "/readyz",
    "/-/healthy",
    "/-/ready",
    "/metrics",
    "/probe?target=mbx2&module=ImapDeepTestProbe",
)
GETS = (*READS, *OPERATOR_READS)


def test_every_route_is_tried_with_every_right(fake):
    routes = [(route, GETS if "GET" in route.methods else CHANGES) for route in build_api(fake).routes]
    not_tried = {"/api/v1/events/stream"}  # never ends; its right is that of every read

    tried = [any(route.path_regex.match(path.partition("?")[0]) for path in paths) for route, paths in routes]

    assert not_tried == {route.path for (route, _), one in zip(routes, tried, strict=True) if not one}


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("peer", ["viewer", "root"])
async def test_a_viewer_may_look_and_so_may_an_operator(api, path, peer):
    name, _, query = path.partition("?")

    assert 200 == (await api("GET", name, query=query, peer=peer)).status


@pytest.mark.parametrize("path", OPERATOR_READS)
async def test_who_may_come_in_is_shown_to_operators_alone(api, path):
    assert (403, 200) == ((await api("GET", path, peer="viewer")).status, (await api("GET", path)).status)


async def test_the_stream_is_not_for_strangers(api):
    assert 403 == (await api("GET", "/api/v1/events/stream", peer="stranger")).status


@pytest.mark.parametrize("path", CHANGES)
async def test_a_viewer_may_not_change(api, fake, path):
    answered = await api("POST", path, peer="viewer", body=b"{}")

    assert (403, "forbidden") == (answered.status, answered.json["code"])
    assert [] == [*fake.reloaded_by, *fake.orders, *fake.decisions, *fake.backups, *fake.probed_by, *fake.log_orders]
    assert (HOLDS, NOTICES) == (tuple(fake.held), tuple(fake.outbox))


@pytest.mark.parametrize(("method", "path"), [*(("GET", one) for one in GETS), *(("POST", one) for one in CHANGES)])
@pytest.mark.parametrize("peer", ["stranger", "nobody"])
async def test_whoever_is_not_known_gets_no_answer(api, method, path, peer):
    answered = await api(method, path.partition("?")[0], peer=peer)

    assert (403, "forbidden") == (answered.status, answered.json["code"])


async def test_root_is_an_operator_by_name(api, fake):
    assert 200 == (await api("POST", "/api/v1/reload", peer="root")).status
    assert ["root"] == fake.reloaded_by


async def test_the_managers_own_user_is_recorded_by_name(api, fake):
    await api("POST", "/api/v1/reload")

    assert ["mailward"] == fake.reloaded_by


async def test_an_unknown_name_is_not_found_and_the_nearest_is_named(api):
    answered = await api("GET", "/api/v1/health", query={"server": "mbx3"})

    assert (404, "not-found") == (answered.status, answered.json["code"])
    assert "'mbx2'" in answered.json["detail"]


async def test_what_cannot_be_answered_now_may_be_asked_again(api, fake):
    fake.silent_because = "the store is busy"

    answered = await api("GET", "/api/v1/health")

    assert (503, "unavailable", "1") == (answered.status, answered.json["code"], answered.headers["retry-after"])


async def test_a_wrong_path_and_a_wrong_method_are_problems_too(api):
    missing, wrong = await api("GET", "/api/v1/helth"), await api("DELETE", "/api/v1/health")

    assert (404, "not-found") == (missing.status, missing.json["code"])
    assert (405, "method-not-allowed") == (wrong.status, wrong.json["code"])


async def test_a_fault_of_the_manager_shows_no_trace(api, fake):
    fake.status_now = None

    answered = await api("GET", "/readyz")

    assert (500, "internal") == (answered.status, answered.json["code"])
    assert b"NoneType" not in answered.body
    assert b"Traceback" not in answered.body


async def test_a_manager_that_cannot_store_is_alive_but_not_ready(api, fake):
    from dataclasses import replace

    fake.status_now = replace(STATUS, store_reachable=False, probes_late=3)

    assert 200 == (await api("GET", "/livez")).status
    assert 503 == (await api("GET", "/readyz")).status
    assert (200, 503) == ((await api("GET", "/-/healthy")).status, (await api("GET", "/-/ready")).status)
    assert "[+]event loop\nalive\n" == (await api("GET", "/livez", query="verbose")).body.decode()
    verbose = await api("GET", "/readyz", query="verbose")
    assert "[-]store\n[+]configuration\n[-]probes\nnot ready\n" == verbose.body.decode()
