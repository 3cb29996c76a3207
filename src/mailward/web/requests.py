"""What a request carries: its query and its body, read within bounds before anybody looks at them."""

import json
from urllib.parse import parse_qsl

from starlette.requests import Request

from mailward.web.parameters import Parameters
from mailward.web.problems import Code, Problem

BODY_BYTES_MAX = 64 * 1024
_FIELDS_MAX = 100


def query(request: Request) -> dict[str, list[object]]:
    """Return the query's parameters, each with every value it was given."""
    given: dict[str, list[object]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    return given


def asked(request: Request) -> Parameters:
    """Return the query, to be read strictly."""
    return Parameters(query(request))


async def body(request: Request) -> Parameters:
    """
    Read a JSON object of bounded size, to be read strictly; an empty body is an empty object.

    Raises:
        Problem: It is too long, no JSON object, or not sent as one.
    """
    received = await _received(request)
    if not received:
        return Parameters({})
    if _media_type(request) != "application/json":
        raise Problem(Code.UNSUPPORTED_MEDIA_TYPE, "send the request as application/json")
    try:
        given = json.loads(received)
    except (ValueError, RecursionError):
        raise Problem(Code.BAD_REQUEST, "the request is not JSON") from None
    if not isinstance(given, dict):
        raise Problem(Code.BAD_REQUEST, "the request is not a JSON object")
    return Parameters({name: [value] for name, value in given.items()})


async def form(request: Request) -> Parameters:
    """
    Read what a form on one of our pages sends, of bounded size, to be read strictly.

    Raises:
        Problem: It is too long, no form, or not sent as one.
    """
    given: dict[str, list[object]] = {}
    for name, value in await fields(request):
        given.setdefault(name, []).append(value)
    return Parameters(given)


async def fields(request: Request) -> list[tuple[str, str]]:
    """
    Read names and values of a page's form, as they were sent, within the same bounds as any other body.

    Raises:
        Problem: It is too long, no form, or not sent as one.
    """
    received = await _received(request)
    if received and _media_type(request) != "application/x-www-form-urlencoded":
        raise Problem(Code.UNSUPPORTED_MEDIA_TYPE, "send the form as application/x-www-form-urlencoded")
    try:
        text = received.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except ValueError:
        raise Problem(Code.BAD_REQUEST, "the form cannot be read") from None


async def _received(request: Request) -> bytes:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > BODY_BYTES_MAX:
            raise Problem(Code.TOO_LARGE, f"a request may hold {BODY_BYTES_MAX // 1024} KiB at most")
    return bytes(received)


def in_path(request: Request, name: str) -> str:
    """Return a part of the path, decoded; too long a one is cut off, because errors repeat it."""
    return str(request.path_params[name])[:500]


def number_in_path(request: Request, what: str) -> int:
    """
    Return the `id` of the path.

    Raises:
        Problem: NOT_FOUND, because a path with anything but a number leads nowhere.
    """
    text = in_path(request, "id")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise Problem(Code.NOT_FOUND, f"there is no {what} {text[:100]!r}; it has a number")
    return int(text)


def order(given: Parameters) -> tuple[str, bool, bool]:
    """Return reason, dry_run and force of an order by hand, the last that is read of it."""
    reason = given.text("reason") or ""
    dry_run, force = given.boolean("dry_run") or False, given.boolean("force") or False
    given.finish()
    return reason, dry_run, force


def manner(dry_run: bool, force: bool = False) -> str:
    """Return how an order was given, for the log."""
    return f"{' as a rehearsal' if dry_run else ''}{' by force' if force else ''}"


def actor(request: Request) -> str:
    """Return whom to record as having asked."""
    return str(request.state.caller.name)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
