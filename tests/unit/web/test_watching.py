"""The routes about what is watched: strict about what is asked."""

import json

from mailward.model.wire import answer, listing
from mailward.testing.manager_values import EVENTS, HEALTH, STATUS


def body(**members) -> bytes:
    return json.dumps(members).encode()


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


async def test_a_refused_configuration_is_a_conflict(api, fake):
    fake.configuration_mistakes = "mailward.toml:3: unknown key"

    answered = await api("POST", "/api/v1/reload")

    assert (409, "conflict", "mailward.toml:3: unknown key") == (
        answered.status,
        answered.json["code"],
        answered.json["detail"],
    )


async def test_long_lists_are_whole(api, fake):
    fake.monitors = HEALTH * 200

    assert listing(HEALTH * 200) == (await api("GET", "/api/v1/health")).json


async def test_who_runs_a_probe_is_handed_on(api, fake):
    await api("POST", "/api/v1/probe", peer="root", body=body(identity="ImapCTPProbe", server="proxy1"))

    assert ["root"] == fake.probed_by
