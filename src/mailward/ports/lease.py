"""Who may act. A manager that is unsure whether it leads does not lead."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A lease that was held at the moment it was taken or renewed."""

    owner: str
    fence: int
    """Grows by one with every new holder; a deed carries it, so that a late one can be told."""
    until: datetime
    """By the store's clock."""


class Lease(Protocol):
    """A named lease kept in the store."""

    async def take(self, name: str, owner: str, *, for_: timedelta) -> Held | None:
        """Take the lease if it is free or its time is over: one conditional update. None when somebody holds it."""
        ...

    async def renew(self, held: Held, name: str, *, for_: timedelta) -> Held | None:
        """Prolong it. None when it is lost: the caller stops acting at once."""
        ...

    async def release(self, held: Held, name: str) -> None:
        """Give it back. Losing it before is no error."""
        ...
