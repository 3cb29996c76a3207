"""
The API's own description: OpenAPI 3.1, drawn from the values themselves, so that it cannot say anything else.

Served at `/api/v1/openapi.json`.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from http import HTTPStatus
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from mailward import __version__
from mailward.model.wire import SCHEMA, fields_of
from mailward.web.described import OPERATIONS, Described
from mailward.web.problems import STATUS, Code

_OF_BODIES = (Code.TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE)
_ELSEWHERE = (Code.METHOD_NOT_ALLOWED, Code.TOO_MANY_ATTEMPTS)
"""Of methods that no route has, and of the page to log in on."""
_ALWAYS = tuple(code for code in Code if code not in (*_OF_BODIES, *_ELSEWHERE))
_TEXT = {"type": "string", "maxLength": 500}
_IN_PATH = re.compile(r"\{(\w+)\}")


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    schemas: dict[str, Any] = {"Problem": _problem()}
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        if is_dataclass(operation.answers):
            _add(operation.answers, schemas)
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mailward", "version": __version__, "description": "Managed availability for IMAP."},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "mailward tokens add"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(operation: Described) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "required": name in operation.required, "schema": dict(schema)}
        for name, schema in (operation.query or {}).items()
    ]
    parameters += [
        {"name": name, "in": "path", "required": True, "schema": _TEXT} for name in _IN_PATH.findall(operation.path)
    ]
    described: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "the answer", "content": _content(operation)},
            **{str(status.value): _refusal(status) for status in _refusals(operation)},
        },
    }
    if operation.body is not None:
        members = {"properties": dict(operation.body), "required": list(operation.required)}
        body = {"type": "object", **members, "additionalProperties": False}
        described["requestBody"] = {
            "required": bool(operation.required),
            "content": {"application/json": {"schema": body}},
        }
    return described


def _refusals(operation: Described) -> list[HTTPStatus]:
    """What a route can answer but 200: every route what `_ALWAYS` says, one that takes a body what is about bodies."""
    codes = (*_ALWAYS, *(_OF_BODIES if operation.method == "post" else ()))
    return sorted({STATUS[code] for code in codes})


def _refusal(status: HTTPStatus) -> dict[str, Any]:
    return {
        "description": f"{status.phrase}: a problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _content(operation: Described) -> dict[str, Any]:
    if operation.answers is str:
        written = {"schema": {"const": SCHEMA}, "written": {"type": "string"}}
        return {"application/json": {"schema": {"type": "object", "properties": written, "required": ["written"]}}}
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
