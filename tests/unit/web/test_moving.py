"""The routes about copies: who may order moves, what is recorded, and what each refusal is."""

import json
import logging

import pytest

from mailward.model.recovery import Answer, Gate, GateAnswer
from mailward.model.wire import listing
from mailward.testing.copy_values import COPIES

ORDERS = ["/api/v1/databases/DB1/move", "/api/v1/servers/mbx1/drain", "/api/v1/servers/mbx1/undrain"]


def body(**members) -> bytes:
    return json.dumps(members).encode()


async def test_a_viewer_sees_copies_by_server_and_database(api):
    every = await api("GET", "/api/v1/copies", peer="viewer")
    one = await api("GET", "/api/v1/copies", query={"server": "MBX2", "database": "db1"})

    assert listing(COPIES) == every.json
    assert listing(COPIES[1:2]) == one.json


async def test_an_unknown_name_is_not_found_and_a_misspelt_filter_is_a_mistake(api):
    assert 404 == (await api("GET", "/api/v1/copies", query={"database": "DB9"})).status
    assert 404 == (await api("GET", "/api/v1/copies", query={"server": "mbx22"})).status
    assert 400 == (await api("GET", "/api/v1/copies", query={"databas": "DB1"})).status


@pytest.mark.parametrize("path", ORDERS)
async def test_a_viewer_moves_nothing_and_a_stranger_less(api, fake, path):
    assert {403} == {(await api("POST", path, peer=peer)).status for peer in ("viewer", "stranger", "nobody")}
    assert [] == fake.orders


@pytest.mark.parametrize(("path", "deed"), list(zip(ORDERS, ("move", "drain", "undrain"), strict=True)))
async def test_an_order_is_carried_out_for_its_caller_and_logged(api, fake, caplog, path, deed):
    caplog.set_level(logging.INFO)

    answered = await api("POST", path, peer="root", body=body(reason="new disks"))

    assert (200, True) == (answered.status, answered.json["allowed"])
    assert [("root", deed, "mbx1", "new disks")] == fake.orders
    assert f"{deed} of " in caplog.text
    assert "asked for by root" in caplog.text


@pytest.mark.parametrize("path", ORDERS)
async def test_a_rehearsal_does_nothing_and_a_misspelt_one_is_a_mistake(api, fake, path):
    assert 200 == (await api("POST", path, body=body(dry_run=True))).status
    assert 400 == (await api("POST", path, body=body(dry_runn=True))).status
    assert [] == fake.orders


async def test_what_a_gate_stops_is_an_answer_and_what_cannot_be_is_a_conflict(api, fake):
    fake.gates = (GateAnswer(gate=Gate.LEASE, answer=Answer.REFUSES, because="another manager holds it"),)
    stopped = await api("POST", ORDERS[1], body=body(force=True))
    cannot = await api("POST", ORDERS[0], body=body(to="proxy1"))

    assert (200, False, "lease") == (stopped.status, stopped.json["allowed"], stopped.json["answers"][0]["gate"])
    assert (409, "conflict") == (cannot.status, cannot.json["code"])
    assert [] == fake.orders


async def test_an_empty_name_moves_nothing_and_shows_nothing(api, fake):
    assert 400 == (await api("POST", ORDERS[0], body=body(to=""))).status
    assert {400} == {(await api("GET", "/api/v1/copies", query={name: ""})).status for name in ("server", "database")}
    assert [] == fake.orders
