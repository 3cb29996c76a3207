"""Where notices wait until they are sent: they survive restarts, and nothing goes out twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailward.model.alerting import Alert, Notice
from mailward.model.event import Event


class Outbox(Protocol):
    """Notices, and the alerts people have been told of. TemporaryFailure when the database cannot be reached."""

    async def save_alerts(
        self, alerts: Sequence[Alert], notices: Sequence[Notice], events: Sequence[Event] = ()
    ) -> tuple[Notice, ...]:
        """
        Store the alerts by their keys, queue the notices and append the events in one transaction.

        A notice whose identity is in the outbox already is left out. Returns the queued ones with their ids.
        """
        ...

    async def alerts(self) -> tuple[Alert, ...]:
        """The last state of every alert that fires, and of those resolved within the last day."""
        ...

    async def alert(self, key: str) -> Alert | None:
        """The last state of one alert, however long ago it was resolved; None when it is not, or no longer, known."""
        ...

    async def notices_of(self, key: str, *, limit: int = 100) -> tuple[Notice, ...]:
        """The notices of one alert, the newest first: those whose identity begins with its key and "|"."""
        ...

    async def claim(self, *, now: datetime, until: datetime, limit: int = 20) -> tuple[Notice, ...]:
        """
        Take notices that are due (`next_try` is past, not sent, not given up, not claimed by somebody else) for sending
        until *until*: one conditional update each. A claim that ran out may be taken again.
        """
        ...

    async def finish(self, notice: Notice) -> None:
        """
        Store how sending went: `sent_at`, or the next try, or giving up; the claim ends.

        *notice* is what `claim` returned, `claimed_until` included, with what changed: one whose claim ran out and was
        taken by another stores nothing but that it was sent. What was sent stays sent. One that is not in the outbox
        (the database was replaced meanwhile) is passed over.
        """
        ...

    async def waiting(self) -> tuple[Notice, ...]:
        """Notices neither sent nor given up, the oldest first."""
        ...

    async def history(self, *, limit: int = 100) -> tuple[Notice, ...]:
        """Notices, the newest first."""
        ...
