"""
The lease that allows this manager to act, and the moment from which it no longer may.

Renewed every second; by the process's own monotonic clock the manager stops acting four seconds after the last renewal,
one second before anybody else could take the lease.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from mailward.model.errors import TemporaryFailure
from mailward.ports.lease import Held, Lease
from mailward.ports.operations import LEASE

log = logging.getLogger(__name__)

LASTS = timedelta(seconds=5)
TRUSTED = timedelta(seconds=4)
RENEW_EVERY = timedelta(seconds=1)


class Leading:
    """Takes the lease, keeps it, and says whether it is held."""

    def __init__(self, lease: Lease, *, owner: str, on_change: Callable[[bool, str], None]) -> None:
        """
        Args:
            lease: Where it is kept.
            owner: Who takes it, unique for each process.
            on_change: Told whenever it is taken or lost, and why.
        """
        self._lease = lease
        self._owner = owner
        self._on_change = on_change
        self._held: Held | None = None
        self._trusted_until = 0.0

    @property
    def owner(self) -> str:
        """Who this manager is in the lease."""
        return self._owner

    @property
    def held(self) -> Held | None:
        """The lease, while it may be acted upon; None when it is not held, or was not renewed in time."""
        if self._held is None or _monotonic() >= self._trusted_until:
            return None
        return self._held

    async def run(self) -> None:
        """Take and renew until cancelled."""
        while True:
            await self.renew()
            await asyncio.sleep(RENEW_EVERY.total_seconds())

    async def renew(self) -> None:
        """Take the lease, or prolong it."""
        began = _monotonic()
        before = self._held
        try:
            if before is not None:
                held = await self._lease.renew(before, LEASE, for_=LASTS)
            else:
                held = await self._lease.take(LEASE, self._owner, for_=LASTS)
        except TemporaryFailure as failure:
            if before is not None and began >= self._trusted_until:
                self._lose(f"it could not be renewed in time: {failure}")
            return
        if held is None:
            if before is not None:
                self._lose("another manager holds it")
            return
        self._held = held
        self._trusted_until = began + TRUSTED.total_seconds()  # counted from before the question: never too long
        if before is None:
            self._on_change(True, f"this manager leads now, with fence {held.fence}")

    async def release(self) -> None:
        """Give it back, so that the next manager need not wait."""
        held, self._held = self._held, None
        if held is not None:
            try:
                await self._lease.release(held, LEASE)
            except TemporaryFailure as failure:
                log.debug("the lease was not given back: %s", failure)

    def _lose(self, because: str) -> None:
        self._held = None
        self._on_change(False, f"this manager no longer leads: {because}")


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
