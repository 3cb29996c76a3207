"""The routes about protocol logs: who may switch one, what is recorded, and what each refusal is."""

import json
import logging

import pytest

from mailward.model.wire import answer, listing
from mailward.testing.protocol_log_values import LOGGED_SESSIONS, PROTOCOL_LOGS

ON, OFF = "/api/v1/protocol-log/mbx1/on", "/api/v1/protocol-log/mbx1/off"
FIND = "/api/v1/logged-sessions"


def body(**members) -> bytes:
    return json.dumps(members).encode()


async def test_a_viewer_sees_how_one_stands_and_the_sessions(api):
    standing = await api("GET", "/api/v1/protocol-log/MBX2", peer="viewer")
    query = {"user": "health-db2", "since": "2026-11-01T00:00:00Z"}
    sessions = await api("GET", FIND, query=query, peer="viewer")

    assert answer(PROTOCOL_LOGS[1]) == standing.json
    assert listing(LOGGED_SESSIONS) == sessions.json


@pytest.mark.parametrize("path", [ON, OFF])
async def test_a_viewer_switches_nothing(api, fake, path):
    assert {403} == {(await api("POST", path, peer=peer)).status for peer in ("viewer", "stranger", "nobody")}
    assert [] == fake.log_orders


@pytest.mark.parametrize(("path", "deed"), [(ON, "on"), (OFF, "off")])
async def test_an_order_is_carried_out_for_its_caller_and_logged(api, fake, caplog, path, deed):
    caplog.set_level(logging.INFO)

    answered = await api("POST", path, peer="root", body=body(reason="slow logins"))

    assert 200 == answered.status
    assert [("root", deed, "mbx1", "slow logins")] == fake.log_orders
    assert f"protocol log of mbx1 {deed}" in caplog.text
    assert "asked for by root" in caplog.text


async def test_without_a_time_it_is_ten_minutes_and_more_than_an_hour_is_a_mistake(api, fake):
    answered = await api("POST", ON, body=b"{}")

    assert "2026-11-24T12:10:00.123Z" == answered.json["until"]
    assert {400} == {(await api("POST", ON, body=body(lasting_ms=ms))).status for ms in (0, -1, 3_600_001, "x")}


@pytest.mark.parametrize("path", [ON, OFF])
async def test_a_rehearsal_does_nothing_and_a_misspelt_one_is_a_mistake(api, fake, path):
    assert 200 == (await api("POST", path, body=body(dry_run=True))).status
    assert 400 == (await api("POST", path, body=body(dry_runn=True))).status
    assert [] == fake.log_orders


async def test_who_and_since_when_must_be_said(api):
    assert 400 == (await api("GET", FIND)).status
    assert 400 == (await api("GET", FIND, query={"user": "health-db2"})).status
    assert 400 == (await api("GET", FIND, query={"user": "health-db2", "since": "yesterday"})).status


async def test_what_cannot_be_is_a_conflict_and_who_is_no_health_mailbox_not_found(api):
    refused = await api("POST", "/api/v1/protocol-log/archive1/on", body=b"{}")
    person = await api("GET", FIND, query={"user": "anna", "since": "2026-11-01T00:00:00Z"})

    assert (409, "conflict") == (refused.status, refused.json["code"])
    assert (404, "not-found") == (person.status, person.json["code"])
