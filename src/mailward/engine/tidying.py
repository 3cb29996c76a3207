"""Deletes what is past its time, in slices, so that no slice makes a probe's result wait."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from mailward.model.errors import TemporaryFailure
from mailward.ports.clock import Clock
from mailward.ports.store import Retention, Store

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
BETWEEN_SLICES = timedelta(milliseconds=200)


async def tidy_for_ever(store: Store, clock: Clock, retention: Callable[[], Retention]) -> None:
    """Tidy the store now and then until cancelled; a store that cannot be reached is tidied later."""
    while True:
        await asyncio.sleep(EVERY.total_seconds())
        try:
            more = True
            while more:
                more = await store.tidy(now=clock.now(), retention=retention()) > 0
                await asyncio.sleep(BETWEEN_SLICES.total_seconds())
        except TemporaryFailure as failure:
            log.warning("old records were not deleted: %s", failure)
