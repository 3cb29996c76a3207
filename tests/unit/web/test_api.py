"""The routes: strict about what is asked, and about who asks."""

import json

import pytest

from mailward.model.wire import answer, listing
from mailward.testing.manager_values import EVENTS, HEALTH, STATUS

CHANGES = ("/api/v1/probe", "/api/v1/reload")
READS = (
    "/api/v1/status",
    "/api/v1/health",
    "/api/v1/report",
    "/api/v1/rollup",
    "/api/v1/items",
    "/api/v1/items/ImapCTPProbe/help",
    "/api/v1/results",
    "/api/v1/events",
    "/livez",
    "/readyz",
)


async def test_one_value_carries_the_schema_beside_its_members(api):
    answered = await api("GET", "/api/v1/status")

    assert (200, "application/json") == (answered.status, answered.headers["content-type"])
    assert answer(STATUS) == answered.json
    assert 1 == answered.json["schema"]


async def test_a_list_has_items_and_next(api):
    answered = await api("GET", "/api/v1/health")

    assert listing(HEALTH) == answered.json
    assert {"schema", "items", "next"} == set(answered.json)


async def test_a_full_page_of_events_says_where_the_next_begins(api):
    answered = await api("GET", "/api/v1/events", query={"limit": 1})

    assert "1" == answered.json["next"]
    rest = await api("GET", "/api/v1/events", query={"after": answered.json["next"]})
    assert listing(EVENTS[1:]) == rest.json


@pytest.mark.parametrize("path", READS)
async def test_a_viewer_may_look(api, path):
    assert 200 == (await api("GET", path, peer="viewer")).status


@pytest.mark.parametrize("path", CHANGES)
async def test_a_viewer_may_not_change(api, fake, path):
    answered = await api("POST", path, peer="viewer", body=b"{}")

    assert (403, "forbidden") == (answered.status, answered.json["code"])
    assert [] == fake.reloaded_by


@pytest.mark.parametrize("path", [*READS, *CHANGES])
@pytest.mark.parametrize("peer", ["stranger", "nobody"])
async def test_whoever_is_not_known_gets_no_answer(api, path, peer):
    answered = await api("POST" if path in CHANGES else "GET", path, peer=peer)

    assert (403, "forbidden") == (answered.status, answered.json["code"])


async def test_root_is_an_operator_by_name(api, fake):
    assert 200 == (await api("POST", "/api/v1/reload", peer="root")).status
    assert ["root"] == fake.reloaded_by


async def test_the_managers_own_user_is_recorded_by_name(api, fake):
    await api("POST", "/api/v1/reload")

    assert ["mailward"] == fake.reloaded_by


async def test_all_bad_parameters_are_listed_at_once(api):
    answered = await api("GET", "/api/v1/results", query={"limit": "0", "failed": "perhaps", "sever": "mbx1"})

    assert (400, "bad-request") == (answered.status, answered.json["code"])
    assert {"limit", "failed", "sever"} == {error["parameter"] for error in answered.json["errors"]}
    assert "did you mean 'server'?" in answered.json["detail"]
    assert "application/problem+json" == answered.headers["content-type"]


async def test_a_state_that_does_not_exist_is_a_mistake_and_not_an_empty_answer(api):
    answered = await api("GET", "/api/v1/health", query={"state": "Broken"})

    assert 400 == answered.status
    assert "Unhealthy" in answered.json["detail"]


async def test_a_state_is_known_without_regard_to_case(api):
    assert listing(HEALTH[:1]) == (await api("GET", "/api/v1/health", query={"state": "unhealthy"})).json


async def test_an_unknown_name_is_not_found_and_the_nearest_is_named(api):
    answered = await api("GET", "/api/v1/health", query={"server": "mbx3"})

    assert (404, "not-found") == (answered.status, answered.json["code"])
    assert "'mbx2'" in answered.json["detail"]


async def test_a_refused_configuration_is_a_conflict(api, fake):
    fake.configuration_mistakes = "mailward.toml:3: unknown key"

    answered = await api("POST", "/api/v1/reload")

    assert (409, "conflict", "mailward.toml:3: unknown key") == (
        answered.status,
        answered.json["code"],
        answered.json["detail"],
    )


async def test_what_cannot_be_answered_now_may_be_asked_again(api, fake):
    fake.silent_because = "the store is busy"

    answered = await api("GET", "/api/v1/health")

    assert (503, "unavailable", "1") == (answered.status, answered.json["code"], answered.headers["retry-after"])


async def test_a_probe_needs_an_item_and_a_server(api):
    answered = await api("POST", "/api/v1/probe", body=b"{}")

    assert {"identity", "server"} == {error["parameter"] for error in answered.json["errors"]}


async def test_a_body_must_be_json(api):
    assert 400 == (await api("POST", "/api/v1/probe", body=b"{")).status
    assert 400 == (await api("POST", "/api/v1/probe", body=b"[1]")).status
    assert 400 == (await api("POST", "/api/v1/probe", body=b"[" * 60_000)).status
    answered = await api("POST", "/api/v1/probe", body=b"{}", headers={"content-type": "text/plain"})
    assert (415, "unsupported-media-type") == (answered.status, answered.json["code"])


async def test_a_parameter_of_the_wrong_kind_is_named(api):
    answered = await api("POST", "/api/v1/probe", body=json.dumps({"identity": ["a"], "server": "mbx2"}).encode())

    assert "identity" == answered.json["errors"][0]["parameter"]


async def test_a_body_larger_than_64_kib_is_not_read(api):
    answered = await api("POST", "/api/v1/probe", body=b'{"identity":"' + b"a" * 65_536 + b'"}')

    assert (413, "too-large") == (answered.status, answered.json["code"])


async def test_a_text_longer_than_500_characters_is_not_echoed(api):
    answered = await api("GET", "/api/v1/health", query={"server": "a" * 501})

    assert 400 == answered.status
    assert len(answered.body) < 500


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
    verbose = await api("GET", "/readyz", query="verbose")
    assert "[-]store\n[+]configuration\n[-]probes\nnot ready\n" == verbose.body.decode()


async def test_long_lists_are_whole(api, fake):
    fake.monitors = HEALTH * 200

    assert 600 == len((await api("GET", "/api/v1/health")).json["items"])
