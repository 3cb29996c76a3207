"""The description of the API tells the truth about it."""

import json

import pytest

from mailward.model.copies import CopyChoice, PlannedMove
from mailward.model.credentials import AccessToken, IssuedToken, Role, User
from mailward.model.recovery import Answer, Gate, GateAnswer
from mailward.model.wire import answer, listing
from mailward.ports.manager import AlertStory, MoveIntention
from mailward.testing.availability_values import AVAILABILITY
from mailward.testing.copy_values import COPIES
from mailward.testing.manager_values import (
    EVENTS,
    FAILED,
    HEALTH,
    ITEMS,
    REPORT,
    ROLLUP,
    STATUS,
    STORIES,
    SUCCEEDED,
)
from mailward.testing.platform import NOON
from mailward.testing.protocol_log_values import LOGGED_SESSIONS, PROTOCOL_LOGS
from mailward.testing.repair_values import ALERTS, HOLDS, NOTICES, SERVICES
from mailward.web.api import build_api
from mailward.web.described import OPERATIONS
from mailward.web.openapi import document

EVA = User(name="eva", role=Role.OPERATOR, created_at=NOON, created_by="root")
GRAFANA = AccessToken(name="grafana", role=Role.VIEWER, created_at=NOON, created_by="eva", expires_at=NOON)
MOVE = MoveIntention(
    server="mbx1",
    moves=(
        PlannedMove(
            database="DB1",
            source="mbx1",
            target="mbx2",
            because="mbx2: the copy is Healthy",
            choices=(CopyChoice(server="mbx2", is_eligible=True, because="the copy is Healthy"),),
            command=("mailmap", "switch"),
        ),
        PlannedMove(database="DB3", source="mbx1", target=None, because="there is no second copy"),
    ),
    answers=(GateAnswer(gate=Gate.LEASE, answer=Answer.PASSES, because="held"),),
    allowed=True,
    because="every gate passes",
    operations=(7,),
)


def fits(plain, schema, schemas) -> bool:
    """Whether *plain* is what *schema* says; as much of JSON Schema as the document uses."""
    if "$ref" in schema:
        return fits(plain, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return any(fits(plain, one, schemas) for one in schema["anyOf"])
    if "allOf" in schema:
        return all(fits(plain, one, schemas) for one in schema["allOf"])
    if "enum" in schema:
        return plain in schema["enum"]
    if "const" in schema:
        return plain == schema["const"]
    kinds = {
        "string": str,
        "integer": int,
        "number": int | float,
        "boolean": bool,
        "array": list,
        "object": dict,
        "null": type(None),
    }
    named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(isinstance(plain, kinds[name]) for name in named):
        return False
    if isinstance(plain, list):
        return all(fits(one, schema["items"], schemas) for one in plain)
    if isinstance(plain, dict) and "properties" in schema:
        known = schema["properties"]
        return set(schema.get("required", ())) <= set(plain) and all(
            fits(value, known[name], schemas) for name, value in plain.items() if name in known
        )
    return True


def test_every_route_of_the_api_is_described_and_no_other(fake):
    routes = {(route.path, "post" if "POST" in route.methods else "get") for route in build_api(fake).routes}
    plain = ("/livez", "/readyz", "/-/healthy", "/-/ready", "/metrics", "/probe", "/health/{server}")
    undescribed = {(path, "get") for path in (*plain, "/api/v1/openapi.json")}

    assert routes - undescribed == {(operation.path, operation.method) for operation in OPERATIONS}


@pytest.mark.parametrize(
    ("path", "method", "plain"),
    [
        ("/api/v1/status", "get", answer(STATUS)),
        ("/api/v1/health", "get", listing(HEALTH)),
        ("/api/v1/report", "get", listing(REPORT)),
        ("/api/v1/rollup", "get", listing(ROLLUP)),
        ("/api/v1/items", "get", listing(ITEMS)),
        ("/api/v1/results", "get", listing((SUCCEEDED, FAILED))),
        ("/api/v1/events", "get", listing(EVENTS, next_="2")),
        ("/api/v1/probe", "post", listing((FAILED,))),
        ("/api/v1/recoveries", "get", listing([story.operation for story in STORIES])),
        ("/api/v1/recoveries/{id}", "get", answer(STORIES[0])),
        ("/api/v1/recoveries/{id}/approve", "post", answer(STORIES[1].operation)),
        ("/api/v1/why/{subject}", "get", listing(STORIES)),
        ("/api/v1/would-have", "get", listing(STORIES)),
        ("/api/v1/service/{server}", "get", answer(SERVICES["mbx2"])),
        ("/api/v1/copies", "get", listing(COPIES)),
        ("/api/v1/databases/{database}/move", "post", answer(MOVE)),
        ("/api/v1/servers/{server}/drain", "post", answer(MOVE)),
        ("/api/v1/servers/{server}/undrain", "post", answer(MOVE)),
        ("/api/v1/protocol-log/{server}", "get", answer(PROTOCOL_LOGS[1])),
        ("/api/v1/protocol-log/{server}/on", "post", answer(PROTOCOL_LOGS[1])),
        ("/api/v1/protocol-log/{server}/off", "post", answer(PROTOCOL_LOGS[0])),
        ("/api/v1/logged-sessions", "get", listing(LOGGED_SESSIONS)),
        ("/api/v1/holds", "get", listing(HOLDS)),
        ("/api/v1/holds", "post", answer(HOLDS[1])),
        ("/api/v1/availability", "get", answer(AVAILABILITY)),
        ("/api/v1/alerts", "get", listing(ALERTS)),
        ("/api/v1/alert", "get", answer(AlertStory(alert=ALERTS[0], notices=NOTICES))),
        ("/api/v1/notices", "get", listing(NOTICES)),
        ("/api/v1/backup", "post", {"schema": 1, "written": "a: 1 byte"}),
        ("/api/v1/users", "get", listing((EVA,))),
        ("/api/v1/users", "post", answer(EVA)),
        ("/api/v1/tokens", "get", listing((GRAFANA,))),
        ("/api/v1/tokens", "post", answer(IssuedToken(token=GRAFANA, secret="mailward_x"))),
    ],
)
def test_what_is_answered_is_what_is_described(path, method, plain):
    described = json.loads(json.dumps(document()))
    content = described["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]

    assert fits(plain, content, described["components"]["schemas"])
    assert not fits({**plain, "schema": 2}, content, described["components"]["schemas"])


def test_every_member_of_a_value_is_described():
    described = document()["components"]["schemas"]

    assert set(answer(FAILED)) - {"schema"} == set(described["ProbeResult"]["properties"])
    assert {"phase", "ms", "outcome"} <= set(described["PhaseTiming"]["properties"])


async def test_every_parameter_described_is_one_the_route_knows(api):
    for operation in OPERATIONS:
        if operation.query and not operation.stream:
            refused = await api("GET", operation.path, query={"no-such-parameter": "x"})
            known = refused.json["detail"].partition("known: ")[2].split(", ")
            assert sorted(operation.query) == known


async def test_it_is_served(api):
    assert document() == (await api("GET", "/api/v1/openapi.json", peer="viewer")).json


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.method == "post"], ids=lambda one: one.path)
async def test_every_member_described_of_what_is_sent_is_one_the_route_knows(api, operation):
    path = operation.path.replace("{id}", "1").replace("{server}", "mbx2").replace("{deed}", "stop")
    path = path.replace("{database}", "DB1").replace("{name}", "eva")

    refused = await api("POST", path, body=b'{"no-such-member": 1}')

    wrong = {error["parameter"]: error["because"] for error in refused.json["errors"]}
    known = wrong.pop("no-such-member").partition("known: ")[2]
    assert (400, sorted(operation.body)) == (refused.status, known.split(", ") if known else [])
    assert set(operation.required) <= set(wrong) <= {*operation.required, "since"}
