"""
The loop that tells people: looks at what is broken and what is done about it, and hands over what is worth a notice.

What an alert is, and when it is told, the room `alerts` decides; sending is `notifying`'s. While the store is out of
reach nothing is told twice or forgotten: the last decision that was stored is the one the next builds on.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from mailward.alerts.deciding import Told, decide
from mailward.alerts.language import language_of
from mailward.alerts.matter import Excerpt, Recovery
from mailward.alerts.weekly import WEEK, is_due, weekly_report
from mailward.engine.notifying import Notifying
from mailward.engine.recovering.recovering import Recovering
from mailward.model.alerting import Alert
from mailward.model.errors import TemporaryFailure
from mailward.model.holds import Hold
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Operation
from mailward.monitors.definition import MonitorDefinition
from mailward.monitors.samples import ProbeKey
from mailward.ports.clock import Clock
from mailward.ports.operations import Operations
from mailward.ports.outbox import Outbox
from mailward.ports.settings import Snapshot

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=1)
ENDED_FOR = timedelta(hours=6)
"""How long a recovery that is over is still part of an alert's story."""
EXCERPT_LINES = 12
REPORTED_MOST = 1000
_TOLD_OF = frozenset(
    {
        AlertValue.DEGRADED,
        AlertValue.UNHEALTHY,
        AlertValue.UNAVAILABLE,
        AlertValue.REPAIRING,
        AlertValue.DISABLED,
    }
)


class Telling:
    """Decides again and again what to tell, and has it queued."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        operations: Operations,
        notifying: Notifying,
        recovering: Recovering,
        snapshot: Callable[[], Snapshot],
        statuses: Callable[[], Iterable[MonitorStatus]],
        definitions: Callable[[], Mapping[MonitorKey, MonitorDefinition]],
        latest: Callable[[ProbeKey], ProbeResult | None],
        holds: Callable[[], tuple[Hold, ...]],
        clock: Clock,
    ) -> None:
        """Everything is looked at anew at each turn; nothing is kept but what was told."""
        self._outbox = outbox
        self._operations = operations
        self._notifying = notifying
        self._recovering = recovering
        self._snapshot = snapshot
        self._statuses = statuses
        self._definitions = definitions
        self._latest = latest
        self._holds = holds
        self._clock = clock
        self._known: tuple[Alert, ...] | None = None
        self._reported: tuple[int, int] | None = None
        self._stories: dict[int, tuple[Operation, Recovery]] = {}

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """What people have been told, as it stands."""
        return self._known or ()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            try:
                await self.turn()
            except TemporaryFailure as failure:
                log.debug("nobody is told anything new: %s", failure)
            except Exception:
                log.exception("alerts")
            await asyncio.sleep(EVERY.total_seconds())

    async def turn(self) -> None:
        """
        Decide once.

        Raises:
            TemporaryFailure: The store is out of reach; the next turn decides anew.
        """
        if self._known is None:
            self._known = await self._outbox.alerts()
        snapshot = self._snapshot()
        statuses = tuple(status for status in self._statuses() if status.state in _TOLD_OF or status.flapping)
        told = Told(
            now=self._clock.now(),
            organization=snapshot.organization,
            statuses=statuses,
            recoveries=await self._recoveries(),
            holds=self._holds(),
            settings=snapshot.escalation,
            channels=snapshot.channels,
            alerts=self._known,
            excerpts=dict(self._excerpts(statuses)),
            languages=snapshot.languages,
        )
        telling = decide(told)
        if telling.alerts:
            await self._notifying.tell(telling.alerts, telling.notices, telling.events)
        self._known = telling.known
        await self._report(snapshot)

    async def _report(self, snapshot: Snapshot) -> None:
        """Hand the weekly report over once its morning has come; the outbox takes each week's once."""
        now = self._clock.now()
        week = now.isocalendar()[:2]
        if self._reported == week or not is_due(now, mode=snapshot.recovery.mode):
            return
        operations = await self._operations.operations(since=now - WEEK, limit=REPORTED_MOST)
        organization, languages = snapshot.organization, snapshot.languages
        alert, notices = weekly_report(
            operations,
            snapshot.channels,
            organization=organization.name,
            now=now,
            language=language_of(languages, organization.language),
            languages=languages,
        )
        await self._notifying.tell((alert,), notices)
        self._reported = week

    async def _recoveries(self) -> tuple[Recovery, ...]:
        """What is, and lately was, done; what is over is read once."""
        oldest = self._clock.now() - ENDED_FOR
        ended = [
            operation
            for operation in self._recovering.ended.all()
            if operation.ended_at is not None and operation.ended_at >= oldest
        ]
        wanted = {operation.id: operation for operation in (*self._recovering.open, *ended)}
        self._stories = {number: story for number, story in self._stories.items() if number in wanted}
        for number, operation in wanted.items():
            known = self._stories.get(number)
            if known is None or known[0] != operation or not operation.status.is_over:
                steps = await self._operations.steps(number)
                answers = await self._operations.answers(number)
                self._stories[number] = (operation, Recovery(operation=operation, steps=steps, answers=answers))
        return tuple(story for _, story in self._stories.values())

    def _excerpts(self, statuses: Iterable[MonitorStatus]) -> Iterable[tuple[MonitorKey, Excerpt]]:
        definitions = self._definitions()
        for status in statuses:
            definition = definitions.get(status.key)
            for probe in definition.probes if definition is not None else ():
                result = self._latest(probe)
                if result is not None and result.result.is_failure and result.transcript:
                    yield status.key, Excerpt(transcript=result.transcript[-EXCERPT_LINES:])
                    break
