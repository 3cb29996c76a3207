"""Errors as RFC 9457 problem details: `status` for HTTP, `code` for programs, `detail` for people."""

from collections.abc import Mapping, Sequence
from enum import Enum
from http import HTTPStatus

from starlette.responses import JSONResponse

from mailward.model.wire import SCHEMA

MEDIA_TYPE = "application/problem+json"


class Code(Enum):
    """Every `code` this API answers with; a closed list."""

    BAD_REQUEST = "bad-request"
    UNAUTHENTICATED = "unauthenticated"
    """Logging in, or a token, would help."""
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    CONFLICT = "conflict"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    TOO_MANY_ATTEMPTS = "too-many-attempts"
    """Passwords were tried too often; `Retry-After` says when the next is looked at."""
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


STATUS: Mapping[Code, HTTPStatus] = {
    Code.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    Code.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Code.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    Code.CONFLICT: HTTPStatus.CONFLICT,
    Code.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Code.UNSUPPORTED_MEDIA_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Code.TOO_MANY_ATTEMPTS: HTTPStatus.TOO_MANY_REQUESTS,
    Code.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


_HEADERS: Mapping[Code, Mapping[str, str]] = {
    Code.UNAUTHENTICATED: {"WWW-Authenticate": 'Bearer realm="mailward"'},  # RFC 6750, section 3
    Code.UNAVAILABLE: {"Retry-After": "1"},
}


class Problem(Exception):
    """A request that cannot be answered as asked."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        """Each mistake by itself, where there can be several: `parameter` and `because`."""
        self.headers = {**_HEADERS.get(code, {}), **({"Retry-After": str(retry_after)} if retry_after else {})}
        """What the answer says about it to programs."""


def problem_response(problem: Problem) -> JSONResponse:
    """Return *problem* as a response."""
    status = STATUS[problem.code]
    body: dict[str, object] = {
        "schema": SCHEMA,
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "code": problem.code.value,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = list(problem.errors)
    return JSONResponse(body, status_code=status.value, headers=problem.headers, media_type=MEDIA_TYPE)
