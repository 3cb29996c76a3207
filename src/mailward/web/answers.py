"""Values as responses: one as an object, several as a list."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from mailward.model.wire import answer, listing, to_plain

_ENCODED_IN_THE_LOOP = 200
"""Longer lists are encoded in a thread, so that no probe waits for them."""
_ENCODED_AT_ONCE = 200
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def one(value: object) -> Response:
    """Return one value as a top-level answer."""
    return plain(answer(value))


async def many(values: Sequence[object], *, next_: str | None = None) -> Response:
    """Return values as a top-level list; *next_* asks for what follows."""
    if len(values) <= _ENCODED_IN_THE_LOOP:
        return plain(listing(values, next_=next_))
    return _response(await asyncio.to_thread(_in_pieces, values, next_))


def plain(members: Mapping[str, Any]) -> Response:
    """Return what is plain already as JSON that nobody keeps."""
    return _response(_encode(members).encode())


def _in_pieces(values: Sequence[object], next_: str | None) -> bytes:
    """
    The same text as of the whole list, encoded a few values at a time.

    The encoder keeps the interpreter to itself until it has done: with a list of ninety thousand monitors in one piece
    the event loop came 0.7 s late.
    """
    head, _, tail = _encode(listing((), next_=next_)).partition("[")
    pieces = [
        _encode([to_plain(value) for value in values[start : start + _ENCODED_AT_ONCE]])[1:-1].encode()
        for start in range(0, len(values), _ENCODED_AT_ONCE)
    ]
    return b"".join((head.encode(), b"[", b",".join(pieces), tail.encode()))


def _response(text: bytes) -> Response:
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
