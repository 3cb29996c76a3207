"""Values as responses: one as an object, several as a list."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from mailward.model.wire import answer, listing

_ENCODED_IN_THE_LOOP = 200
"""Longer lists are encoded in a thread, so that no probe waits for them."""


def one(value: object) -> Response:
    """Return one value as a top-level answer."""
    return plain(answer(value))


async def many(values: Sequence[object], *, next_: str | None = None) -> Response:
    """Return values as a top-level list; *next_* asks for what follows."""
    if len(values) <= _ENCODED_IN_THE_LOOP:
        return plain(listing(values, next_=next_))
    return await asyncio.to_thread(lambda: plain(listing(values, next_=next_)))


def plain(members: Mapping[str, Any]) -> Response:
    """Return what is plain already as JSON that nobody keeps."""
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), media_type="application/json", headers={"Cache-Control": "no-store"})
