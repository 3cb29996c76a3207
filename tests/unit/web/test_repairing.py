"""The routes about repairs and orders by hand: what is recorded of the caller, and what each refusal is."""

import json

import pytest

from mailward.model.recovery import Answer, Gate, GateAnswer
from mailward.model.wire import answer
from mailward.testing.repair_values import SERVICES


def body(**members) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.parametrize("word", ["approve", "deny", "abort"])
async def test_who_said_it_is_recorded_with_the_reason(api, fake, word):
    answered = await api("POST", f"/api/v1/recoveries/2/{word}", peer="root", body=body(reason="at night"))

    assert 200 == answered.status
    assert [("root", word, 2, "at night")] == fake.decisions


async def test_what_exists_and_cannot_be_done_is_a_conflict_and_what_does_not_exist_is_not_found(api):
    over, missing = (
        await api("POST", "/api/v1/recoveries/1/approve"),
        await api("POST", "/api/v1/recoveries/9/approve"),
    )

    assert (409, "conflict") == (over.status, over.json["code"])
    assert (404, "not-found") == (missing.status, missing.json["code"])


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 40, "²"])
async def test_a_recovery_has_a_number(api, number):
    assert 404 == (await api("GET", f"/api/v1/recoveries/{number}")).status


async def test_an_order_by_hand_is_carried_out_for_its_caller(api, fake):
    answered = await api("POST", "/api/v1/service/proxy1/restart", peer="root", body=body(reason="hangs"))

    assert (True, ["systemctl", "restart", "dovecot.service"]) == (answered.json["done"], answered.json["command"])
    assert [("root", "restart", "proxy1", "hangs")] == fake.orders


async def test_an_order_that_a_gate_stops_is_answered_with_what_each_gate_said(api, fake):
    fake.gates = (GateAnswer(gate=Gate.LEASE, answer=Answer.REFUSES, because="another manager holds it"),)

    answered = await api("POST", "/api/v1/servers/mbx2/restart", body=body(force=True))

    assert (200, False, False) == (answered.status, answered.json["allowed"], answered.json["done"])
    assert "lease" == answered.json["answers"][0]["gate"]
    assert [] == fake.orders


async def test_a_rehearsal_does_nothing(api, fake):
    assert 200 == (await api("POST", "/api/v1/service/mbx2/stop", body=body(dry_run=True))).status
    assert [] == fake.orders


async def test_a_misspelt_rehearsal_is_a_mistake_and_does_nothing(api, fake):
    answered = await api("POST", "/api/v1/service/mbx2/stop", body=body(dry_runn=True))

    assert (400, []) == (answered.status, fake.orders)
    assert "did you mean 'dry_run'?" in answered.json["detail"]


async def test_a_deed_that_does_not_exist_names_those_that_do(api, fake):
    answered = await api("POST", "/api/v1/service/mbx2/kill")

    assert (404, []) == (answered.status, fake.orders)
    assert "start, stop, restart, reload, enable" in answered.json["detail"]


async def test_a_service_that_is_not_reached_is_a_conflict(api, fake):
    fake.server_names.append("mbx9")

    assert answer(SERVICES["mbx2"]) == (await api("GET", "/api/v1/service/mbx2")).json
    assert 409 == (await api("GET", "/api/v1/service/mbx9")).status
    assert 404 == (await api("GET", "/api/v1/service/mbx10x")).status


async def test_the_weekly_report_needs_a_moment_with_its_zone(api):
    assert 400 == (await api("GET", "/api/v1/would-have")).status
    assert 400 == (await api("GET", "/api/v1/would-have", query={"since": "2026-11-24T12:00:00"})).status
    assert 200 == (await api("GET", "/api/v1/would-have", query={"since": "2026-11-24T12:00:00+01:00"})).status
