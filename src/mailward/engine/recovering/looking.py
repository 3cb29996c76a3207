"""Looking at a host within bounds: what cannot be seen is unknown, and comes with the reason."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from mailward.model.errors import MailwardError

Seen = TypeVar("Seen")

LOOK_FOR = timedelta(seconds=6)
"""How long one look at a host may take while a deed waits for it."""


async def bounded(look: Awaitable[Seen], *, within: timedelta = LOOK_FOR) -> tuple[Seen | None, str]:
    """Wait for one look: what was seen and "", or None and why it could not be seen."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await look, ""
    except TimeoutError:
        return None, f"it did not answer within {within.total_seconds():g} s"
    except MailwardError as failure:
        return None, str(failure)
