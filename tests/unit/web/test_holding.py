"""The routes about what is held in place."""

import json

import pytest

from mailward.testing.platform import SetClock
from mailward.testing.repair_values import NOON
from mailward.web.admission import PeerAdmission
from mailward.web.api import build_api

WANTED = {"kind": "pause", "subject": "mbx2", "reason": "looking at it"}


def body(**members) -> bytes:
    return json.dumps(WANTED | members).encode()


async def test_the_owner_is_whoever_asks_and_nobody_can_say_otherwise(api, fake):
    moment = "2026-11-24T12:00:00Z"
    mine = await api("POST", "/api/v1/holds", peer="root", body=body(since=moment))
    forged = await api("POST", "/api/v1/holds", peer="root", body=body(since=moment, owner="mailward"))

    assert (200, "root", "on") == (mine.status, mine.json["owner"], mine.json["value"])
    assert 400 == forged.status


async def test_without_a_moment_it_begins_now(ask, fake):
    app = build_api(fake, admission=PeerAdmission(access=ask.access), clock=SetClock(NOON))

    held = await ask(app, "POST", "/api/v1/holds", body=body())

    assert "2026-11-24T12:00:00.123Z" == held.json["since"]


async def test_where_nobody_knows_the_time_a_request_must_say_since_when(api):
    answered = await api("POST", "/api/v1/holds", body=body())

    assert ["since"] == [error["parameter"] for error in answered.json["errors"]]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"kind": "pauze"}, "kind"),
        ({"kind": None}, "kind"),
        ({"subject": ""}, "subject"),
        ({"reason": ""}, "reason"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-11-24T12:00:00"}, "until"),
        ({"requester": "Me"}, "requester"),
        ({"data": ["interval"]}, "data"),
    ],
)
async def test_each_mistake_is_named_and_nothing_is_held(api, fake, wrong, named):
    before = list(fake.held)

    answered = await api("POST", "/api/v1/holds", body=body(**({"since": "2026-11-24T12:00:00Z"} | wrong)))

    assert 400 == answered.status
    assert [named] == [error["parameter"] for error in answered.json["errors"]]
    assert before == fake.held


async def test_a_hold_that_cannot_be_is_a_conflict_and_one_of_nothing_is_not_found(api):
    since = "2026-11-24T12:00:00Z"

    assert 409 == (await api("POST", "/api/v1/holds", body=body(since=since, until=since))).status
    assert 404 == (await api("POST", "/api/v1/holds", body=body(since=since, subject="mbx7"))).status


async def test_a_hold_is_released_by_its_number(api, fake):
    released = await api("POST", "/api/v1/holds/1/release", peer="root")

    assert ("root", "root") == (released.json["ended_by"], fake.held[0].ended_by)
    assert 409 == (await api("POST", "/api/v1/holds/1/release")).status
    assert 404 == (await api("POST", "/api/v1/holds/99/release")).status


async def test_what_is_over_is_shown_only_where_asked(api):
    await api("POST", "/api/v1/holds/1/release")

    present = await api("GET", "/api/v1/holds", query={"subject": "proxy1"})
    every = await api("GET", "/api/v1/holds", query={"subject": "proxy1", "ended": "true"})

    assert [2] == [hold["id"] for hold in present.json["items"]]
    assert [1, 2] == [hold["id"] for hold in every.json["items"]]
