"""
The half of the Manager port that is about acting: recoveries, orders by hand, holds, alerts.

What is asked about what was done is read from the store; what people order goes the same way as what mailward does by
itself.
"""

from collections.abc import Callable
from datetime import datetime

from mailward.engine.engine import Engine
from mailward.engine.protocol_log_answers import ProtocolLogAnswers
from mailward.engine.recovering.ordering import STEP_OF
from mailward.engine.shared_looks import SharedLooks
from mailward.health.serving import serving
from mailward.model.alerting import Alert, AlertStatus, Notice, Urgency
from mailward.model.errors import NotFound, Refused, TemporaryFailure
from mailward.model.evidence import ServiceStatus
from mailward.model.health import Serving
from mailward.model.holds import Hold
from mailward.model.measures import Allowance
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Operation, Step, StepName
from mailward.ports.manager import AlertStory, Intention, RecoveryStory
from mailward.ports.operations import results_referred_to
from mailward.ports.service_control import ServiceDeed
from mailward.recovery.throttles import WINDOW, allowances

STORIES_MOST = 5
"""How many operations `why SERVER` tells."""
WOULD_HAVE_MOST = 200
_URGENCIES = tuple(Urgency)


class RepairAnswers(ProtocolLogAnswers):
    """Answers about what was, is and would be done."""

    def __init__(self, engine: Engine, name_of: Callable[[str], str]) -> None:
        """Answer for *engine*; *name_of* finds the name of a server or access point, or refuses."""
        super().__init__(engine)
        self._name_of = name_of
        self._services: SharedLooks[ServiceStatus] = SharedLooks()

    async def recoveries(
        self, *, server: str | None = None, unfinished: bool = False, limit: int = 50
    ) -> tuple[Operation, ...]:
        """Operations, the newest first."""
        name = None if server is None else self._name_of(server)
        if unfinished:
            found = await self._repairing.operations.open()
            return tuple(one for one in reversed(found) if name in (None, one.server))[:limit]
        return await self._repairing.operations.operations(server=name, limit=limit)

    async def recovery(self, number: int) -> RecoveryStory:
        """One operation with everything that is known of it."""
        operation = await self._repairing.operations.operation(number)
        if operation is None:
            raise NotFound(f"there is no recovery {number}; see: mailward recoveries")
        return await self._story(operation)

    async def why(self, subject: str) -> tuple[RecoveryStory, ...]:
        """The stories of a server's last operations, or the one of a number."""
        if subject.isdecimal():
            return (await self.recovery(int(subject)),)
        found = await self._repairing.operations.operations(server=self._name_of(subject), limit=STORIES_MOST)
        return tuple([await self._story(operation) for operation in found])

    async def would_have(self, *, since: datetime) -> tuple[RecoveryStory, ...]:
        """What was only recommended since then."""
        found = await self._repairing.operations.operations(since=since, limit=WOULD_HAVE_MOST)
        return tuple([await self._story(operation) for operation in found if operation.data.get("recommended")])

    async def approve(self, number: int, *, actor: str, reason: str = "") -> Operation:
        """Say yes to the step an operation waits with."""
        return await self._repairing.ordering.approve(number, actor=actor, reason=reason)

    async def deny(self, number: int, *, actor: str, reason: str = "") -> Operation:
        """Say no."""
        return await self._repairing.ordering.deny(number, actor=actor, reason=reason)

    async def abort(self, number: int, *, actor: str, reason: str = "") -> Operation:
        """End an operation before its next step."""
        return await self._repairing.ordering.abort(number, actor=actor, reason=reason)

    async def service(self, server: str) -> ServiceStatus:
        """The IMAP service of a server, as its host says now; who asks at the same time shares one look."""
        name = self._server(server)
        control = self._repairing.controls.services.get(name)
        if control is None:
            raise Refused(f"the service of {name} is not reached: set servers.{name}.host.service in the configuration")
        return await self._services.look(name, control.status)

    async def control_service(
        self,
        server: str,
        deed: ServiceDeed,
        *,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
    ) -> Intention:
        """Do something to a service by hand, through the same gates."""
        return await self._repairing.ordering.by_hand(
            STEP_OF[deed], self._server(server), actor=actor, reason=reason, dry_run=dry_run, force=force
        )

    async def restart_server(
        self, server: str, *, actor: str, reason: str = "", dry_run: bool = False, force: bool = False
    ) -> Intention:
        """Restart a whole server by hand, through the same gates."""
        return await self._repairing.ordering.by_hand(
            StepName.RESTART_SERVER, self._server(server), actor=actor, reason=reason, dry_run=dry_run, force=force
        )

    async def holds(self, *, subject: str | None = None, ended: bool = False) -> tuple[Hold, ...]:
        """What is held, or was."""
        return await self._repairing.holding.found(subject=subject, ended=ended)

    async def hold(self, hold: Hold, *, actor: str) -> Hold:
        """Hold something in place."""
        return await self._repairing.holding.add(hold, actor=actor)

    async def release(self, number: int, *, actor: str) -> Hold:
        """End a hold."""
        return await self._repairing.holding.release(number, actor=actor)

    async def alerts(self, *, resolved: bool = False) -> tuple[Alert, ...]:
        """What fires now, the most urgent first; with *resolved* then what was resolved lately, the last one first."""
        firing = [alert for alert in self._repairing.telling.alerts if alert.status is AlertStatus.FIRING]
        urgent_first = sorted(firing, key=lambda alert: (_URGENCIES.index(alert.urgency), alert.starts_at))
        if not resolved:
            return tuple(urgent_first)
        known = await self._repairing.outbox.alerts()
        over = [alert for alert in known if alert.status is AlertStatus.RESOLVED]
        return (*urgent_first, *sorted(over, key=lambda alert: alert.ends_at or alert.starts_at, reverse=True))

    async def alert(self, key: str) -> AlertStory:
        """One alert by its key, as the store knows it."""
        alert = await self._repairing.outbox.alert(key)
        if alert is None:
            raise NotFound(f"there is no alert {key[:200]!r}, or it was resolved so long ago that it is forgotten")
        return AlertStory(alert=alert, notices=await self._repairing.outbox.notices_of(key))

    async def notices(self, *, limit: int = 50) -> tuple[Notice, ...]:
        """The outbox, the newest first."""
        return await self._repairing.outbox.history(limit=limit)

    async def test_channels(self, channel: str | None = None, *, actor: str) -> tuple[Notice, ...]:
        """Send a test alert now."""
        return await self._repairing.notifying.test(channel, actor=actor)

    async def backup(self, path: str, *, actor: str) -> str:
        """Write a consistent copy of the store."""
        size = await self._engine.parts.store.backup(path)
        self._engine.tell(f"{actor} had the store copied to {path}", actor=actor)
        return f"{path}, {size} bytes"

    async def serving(self, server: str) -> Serving:
        """Whether load balancers should send clients to a server; from memory alone."""
        return serving(
            self._server(server),
            organization=self._organization,
            statuses=self._engine.assessment.statuses,
            holds=self._repairing.holding.present(),
            now=self._engine.parts.clock.now(),
        )

    async def _story(self, operation: Operation) -> RecoveryStory:
        operations, store = self._repairing.operations, self._engine.parts.store
        steps = await operations.steps(operation.id)
        events = await store.events(subject=operation.server, since=operation.started_at, limit=500)
        return RecoveryStory(
            operation=operation,
            steps=steps,
            answers=await operations.answers(operation.id),
            events=tuple(event for event in events if event.operation == operation.id),
            transcripts=await self._transcripts(operation, steps),
            progress=self._repairing.recovering.executor.progress.of(operation.id),
        )

    async def _transcripts(self, operation: Operation, steps: tuple[Step, ...]) -> tuple[ProbeResult, ...]:
        wanted = {key for step in steps for key in results_referred_to(step)}
        found: list[ProbeResult] = []
        for probe, server, target in {key[:3] for key in wanted}:
            results = await self._engine.parts.store.results(
                probe=probe, server=server, target=target, failed=True, since=operation.started_at, limit=20
            )
            found.extend(results)
        return tuple(sorted(found, key=lambda result: result.at))

    def _recoveries_known(self) -> tuple[Operation, ...]:
        """Those that are open, and those that ended lately."""
        repairing = self._engine.repairing
        return () if repairing is None else (*repairing.recovering.ended.all(), *repairing.recovering.open)

    async def _allowances(self) -> tuple[Allowance, ...]:
        repairing, now = self._engine.repairing, self._engine.parts.clock.now()
        if repairing is None:
            return ()
        try:
            deeds = await repairing.operations.deeds(since=now - WINDOW)
        except TemporaryFailure:
            return ()
        return allowances(deeds, settings=self._engine.snapshot.recovery.throttles, now=now)

    def _server(self, text: str) -> str:
        return self._organization.server_named(text).name
