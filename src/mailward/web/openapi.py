"""
The API's own description: OpenAPI 3.1, drawn from the values themselves, so that it cannot say anything else.

Served at `/api/v1/openapi.json`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from mailward import __version__
from mailward.model.event import Event, EventKind
from mailward.model.health import HealthSetReport, MonitorHealth, RollupReport
from mailward.model.items import ProbeItem
from mailward.model.monitoring import AlertValue
from mailward.model.probing import ProbeResult
from mailward.model.wire import SCHEMA, fields_of
from mailward.ports.manager import ItemInstance, ManagerStatus
from mailward.web.problems import STATUS, Code

_TEXT = {"type": "string", "maxLength": 500}
_BOOLEAN = {"type": "boolean"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One route as the document describes it."""

    path: str
    summary: str
    answers: type
    method: str = "get"
    many: bool = False
    stream: bool = False
    query: Mapping[str, Mapping[str, Any]] | None = None
    body: Sequence[str] | None = None
    """Names of the required texts of the JSON object sent."""


def _number(default: int, low: int, high: int) -> dict[str, Any]:
    return {"type": "integer", "default": default, "minimum": low, "maximum": high}


OPERATIONS: tuple[Operation, ...] = (
    Operation(path="/api/v1/status", summary="How the manager itself is doing", answers=ManagerStatus),
    Operation(
        path="/api/v1/health",
        summary="Monitors, worst first (Get-ServerHealth)",
        answers=MonitorHealth,
        many=True,
        query={"server": _TEXT, "health_set": _TEXT, "state": {"enum": [state.value for state in AlertValue]}},
    ),
    Operation(
        path="/api/v1/report",
        summary="Health sets of each server (Get-HealthReport)",
        answers=HealthSetReport,
        many=True,
        query={"server": _TEXT},
    ),
    Operation(
        path="/api/v1/rollup",
        summary="Health sets over groups of servers",
        answers=RollupReport,
        many=True,
        query={"minimum_online_percent": _number(70, 0, 100), "group_size": _number(12, 1, 100_000)},
    ),
    Operation(
        path="/api/v1/items",
        summary="Probes and monitors of the organization (Get-MonitoringItemIdentity)",
        answers=ItemInstance,
        many=True,
        query={"health_set": _TEXT, "server": _TEXT},
    ),
    Operation(
        path="/api/v1/items/{name}/help", summary="What a probe is for (Get-MonitoringItemHelp)", answers=ProbeItem
    ),
    Operation(
        path="/api/v1/probe",
        summary="Run a probe now (Invoke-MonitoringProbe); needs an operator",
        answers=ProbeResult,
        method="post",
        many=True,
        body=("identity", "server"),
    ),
    Operation(
        path="/api/v1/results",
        summary="Stored results, the newest first",
        answers=ProbeResult,
        many=True,
        query={"probe": _TEXT, "server": _TEXT, "failed": _BOOLEAN, "limit": _number(50, 1, 1000)},
    ),
    Operation(
        path="/api/v1/events",
        summary="Stored events; `next` is the `after` of the next page",
        answers=Event,
        many=True,
        query={
            "after": _number(0, 0, 2**62),
            "kind": {"type": "array", "items": {"enum": [kind.value for kind in EventKind]}},
            "subject": _TEXT,
            "limit": _number(100, 1, 1000),
            "newest_first": _BOOLEAN,
        },
    ),
    Operation(
        path="/api/v1/events/stream",
        summary="Events as server-sent events, from `Last-Event-ID` or `after` on, else from now",
        answers=Event,
        stream=True,
        query={"after": {"type": "integer", "minimum": 0}},
    ),
    Operation(
        path="/api/v1/reload",
        summary="Read the configuration again; needs an operator. 409 when it is wrong: the old one stays in force",
        answers=ManagerStatus,
        method="post",
        body=(),
    ),
)


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    schemas: dict[str, Any] = {"Problem": _problem()}
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        _add(operation.answers, schemas)
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mailward", "version": __version__, "description": "Managed availability for IMAP."},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "schema": dict(schema)} for name, schema in (operation.query or {}).items()
    ]
    if "{name}" in operation.path:
        parameters.append({"name": "name", "in": "path", "required": True, "schema": _TEXT})
    described: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "the answer", "content": _content(operation)},
            "default": {
                "description": "a problem (RFC 9457)",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }
    if operation.body is not None:
        body = {"type": "object", "properties": dict.fromkeys(operation.body, _TEXT), "required": list(operation.body)}
        described["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return described


def _content(operation: Operation) -> dict[str, Any]:
    value = {"$ref": f"#/components/schemas/{operation.answers.__name__}"}
    if operation.stream:
        return {"text/event-stream": {"schema": value}}
    tag = {"schema": {"const": SCHEMA}}
    if operation.many:
        listed = {"items": {"type": "array", "items": value}, "next": {"type": ["string", "null"]}}
        return {"application/json": {"schema": {"type": "object", "properties": {**tag, **listed}}}}
    return {"application/json": {"schema": {"allOf": [value, {"type": "object", "properties": tag}]}}}


def _add(kind: type, schemas: dict[str, Any]) -> None:
    """Describe *kind*, and every value within it, once."""
    if kind.__name__ in schemas:
        return
    needed = {field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING}
    described = schemas[kind.__name__] = {"type": "object", "properties": {}, "required": []}
    if kind.__doc__:
        described["description"] = " ".join(kind.__doc__.split())
    for name, wire_name, hint in fields_of(kind):
        described["properties"][wire_name] = _schema_of(hint, schemas)
        if name in needed:
            described["required"].append(wire_name)


def _schema_of(hint: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        some = [_schema_of(argument, schemas) for argument in arguments if argument is not NoneType]
        return {"anyOf": [*some, {"type": "null"}]}
    if origin in (tuple, frozenset):
        return {"type": "array", "items": _schema_of(arguments[0], schemas)}
    if isinstance(hint, type) and is_dataclass(hint):
        _add(hint, schemas)
        return {"$ref": f"#/components/schemas/{hint.__name__}"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    return dict(_PLAIN.get(hint, {"type": "object"}))


_PLAIN: Mapping[Any, Mapping[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "number", "description": "milliseconds"},
}


def _problem() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "RFC 9457 problem details.",
        "properties": {
            "schema": {"const": SCHEMA},
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"enum": sorted({status.value for status in STATUS.values()})},
            "code": {"enum": [code.value for code in Code]},
            "detail": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"parameter": {"type": "string"}, "because": {"type": "string"}},
                },
            },
        },
        "required": ["type", "title", "status", "code", "detail"],
    }
