"""
One channel's way out: one notice at a time and in order, with back-off while the channel does not take them.

A lane finishes every notice it was given: sent, postponed or given up. It never sends one whose claim may run out while
it is being sent, and what it could not record as sent it records later and never sends again.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.model.alerting import Notice
from mailward.model.channels import Channel
from mailward.model.errors import MailwardError, PermanentFailure, TemporaryFailure
from mailward.ports.clock import Clock
from mailward.ports.notifier import Notifier
from mailward.ports.outbox import Outbox

log = logging.getLogger(__name__)

BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 120, 300, 600))
"""After the first, second, … attempt that failed; the last one goes on."""
AFTER_A_NO = timedelta(hours=1)
"""A channel that says it never will is asked again at this pace: its configuration may have been mended meanwhile."""
GIVES_UP_AFTER = timedelta(hours=24)
"""News of yesterday is no news."""
_SPARE = timedelta(seconds=5)


class Lane:
    """One channel."""

    def __init__(
        self,
        channel: Channel,
        notifier: Notifier,
        *,
        outbox: Outbox,
        clock: Clock,
        changed: Callable[["Lane", str], None],
        gave_up: Callable[[Notice], None],
    ) -> None:
        """
        Args:
            channel: For its name and its time limit.
            notifier: What sends.
            outbox: Where it is recorded how sending went.
            clock: For the moments of that.
            changed: Called once when the channel begins to fail or works again, with the reason.
            gave_up: Called when a notice is given up.
        """
        self.channel = channel
        self.failing_since: datetime | None = None
        self.last_error = ""
        self._notifier = notifier
        self._outbox = outbox
        self._clock = clock
        self._changed = changed
        self._gave_up = gave_up
        self._not_before: datetime | None = None
        self._queue: deque[Notice] = deque()
        self._unrecorded: list[Notice] = []
        self._held: set[int] = set()

    def inherit(self, other: "Lane") -> None:
        """Go on for *other*, whose configuration changed: what it sent and could not record is not sent again."""
        self.failing_since = other.failing_since
        self.last_error = other.last_error
        self._unrecorded = other._unrecorded
        self._held = other._held

    def take(self, notice: Notice) -> None:
        """Put a claimed notice at the end, unless it is here already."""
        if notice.id not in self._held:
            self._held.add(notice.id)
            self._queue.append(notice)

    @property
    def has_work(self) -> bool:
        """Whether there is something to send or to record."""
        return bool(self._queue or self._unrecorded)

    async def drain(self) -> None:
        """Send what is here; returns when nothing is left that can be dealt with now."""
        if not await self._record_late():
            return
        while self._queue:
            notice = self._queue.popleft()
            now = self._clock.now()
            if notice.claimed_until is not None and notice.claimed_until - now < self.channel.timeout + _SPARE:
                self._held.discard(notice.id)  # somebody, perhaps this lane, claims it again in time
            elif self._not_before is not None and now < self._not_before:
                await self._record(replace(notice, next_try=self._not_before))
            else:
                await self._record(await self.attempt(notice))

    async def attempt(self, notice: Notice) -> Notice:
        """Try once, and return the notice as it then stands; nothing is recorded in the outbox."""
        failure = await self.send(notice)
        now = self._clock.now()
        attempts = notice.attempts + 1
        if failure is None:
            return replace(notice, attempts=attempts, sent_at=now, last_error="")
        tried = replace(notice, attempts=attempts, last_error=str(failure))
        if now - notice.created_at >= GIVES_UP_AFTER:
            self._gave_up(tried)
            return replace(tried, gave_up_at=now)
        is_no = isinstance(failure, PermanentFailure)
        wait = AFTER_A_NO if is_no else BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
        self._not_before = now + wait
        return replace(tried, next_try=self._not_before)

    async def send(self, notice: Notice) -> MailwardError | None:
        """Send, note how the channel is, and return why it did not go out."""
        failure: MailwardError | None = None
        try:
            await self._notifier.send(notice.alert, identity=notice.identity)
        except (TemporaryFailure, PermanentFailure) as error:
            failure = error
        except Exception as error:
            log.exception("the channel %s broke in a way nobody foresaw", self.channel.name)
            failure = TemporaryFailure(f"an error inside mailward: {type(error).__name__}")
        self._note(failure)
        return failure

    def _note(self, failure: MailwardError | None) -> None:
        if failure is None:
            was_failing, self.failing_since = self.failing_since, None
            self._not_before = None
            self.last_error = ""
            if was_failing is not None:
                self._changed(self, "it works again")
            return
        self.last_error = str(failure)
        if self.failing_since is None:
            self.failing_since = self._clock.now()
            self._changed(self, self.last_error)

    async def _record(self, notice: Notice) -> None:
        self._unrecorded.append(notice)
        await self._record_late()

    async def _record_late(self) -> bool:
        """Record how sending went, also what could not be recorded before; whether all of it is recorded."""
        while self._unrecorded:
            try:
                await self._outbox.finish(self._unrecorded[0])
            except TemporaryFailure as failure:
                log.warning("how a notice of channel %s went is recorded later: %s", self.channel.name, failure)
                return False
            self._held.discard(self._unrecorded.pop(0).id)
        return True
