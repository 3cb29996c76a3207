"""
Everything that acts and tells, beside the watching: recoveries, holds, alerts, notices.

`Engine` watches and is asked through here for what it does about what it sees. Without `RepairParts` an engine only
watches, as for one that merely measures.
"""

from collections.abc import Callable, Coroutine

from mailward.engine.copying import Copying
from mailward.engine.health_page_point import HealthPagePoint
from mailward.engine.holding import Holding
from mailward.engine.ledger import Change
from mailward.engine.notifying import Notifying
from mailward.engine.parts import Platform, RepairParts
from mailward.engine.protocol_logging import ProtocolLogging
from mailward.engine.recovering.moves.ordering import OrderingMoves
from mailward.engine.recovering.ordering import Ordering
from mailward.engine.recovering.recovering import Recovering
from mailward.engine.recovering.world import Controls, InForce, World
from mailward.engine.telling import Telling
from mailward.engine.watched import Watched
from mailward.engine.whereabouts import Moved
from mailward.model.event import Event
from mailward.model.evidence import ServiceStatus
from mailward.model.holds import WHOLE_ORGANIZATION, HoldKind
from mailward.model.monitoring import MonitorKey
from mailward.model.organization import HEALTH_PAGE
from mailward.model.recovery import ActionClass, Mode, OperationKind
from mailward.monitors.following_holds import HoldChange
from mailward.monitors.overrides import mode_override
from mailward.ports.clock import Clock
from mailward.ports.settings import Snapshot
from mailward.recovery.procedures import is_about_load


class Repairing:
    """Acts and tells for one engine."""

    def __init__(self, engine: Watched, parts: RepairParts, clock: Clock) -> None:
        """Nothing begins before `run`."""
        self._engine = engine
        self._parts = parts
        self._clock = clock
        self.controls = Controls()
        self.operations = parts.operations
        self.outbox = parts.outbox
        self.holding = Holding(
            parts.holds,
            clock,
            organization=lambda: engine.snapshot.organization,
            coverage=lambda: engine.configured,
            record=self._record,
            on_change=self._held_differently,
        )
        self._world = self._a_world()
        self.recovering = Recovering(self._world, parts.operations, parts.lease, owner=parts.owner)
        self.copying = Copying(self._world, lambda: self.recovering.open)
        self.ordering = Ordering(self._world, self.recovering)
        self.ordering_moves = OrderingMoves(self._world, self.recovering)
        self.protocol_logging = ProtocolLogging(
            organization=lambda: engine.snapshot.organization,
            clock=clock,
            record=self._record,
            stopped=lambda: self._parts.stopped(engine.snapshot.stop_file),
        )
        self.notifying = Notifying(
            parts.outbox,
            parts.make_notifier,
            clock=clock,
            on_event=self._record,
            is_well=lambda: not engine.problems(),
        )
        self.telling = Telling(
            outbox=parts.outbox,
            operations=parts.operations,
            notifying=self.notifying,
            recovering=self.recovering,
            snapshot=lambda: engine.snapshot,
            statuses=lambda: engine.assessment.unwell,
            definitions=lambda: engine.assessment.definitions,
            latest=engine.latest,
            holds=self.holding.present,
            clock=clock,
        )

    def _a_world(self) -> World:
        """The engine as recoveries see it."""
        engine = self._engine
        return World(
            organization=lambda: engine.snapshot.organization,
            settings=lambda: engine.snapshot.recovery,
            coverage=lambda: engine.coverage,
            controls=lambda: self.controls,
            status=engine.assessment.status_of,
            unwell=lambda: engine.assessment.unwell,
            of_server=engine.assessment.of_server,
            ask=engine.ask,
            latest=engine.latest,
            certificate_on_disk=engine.certificate_on_disk,
            holds=self.holding.in_force,
            mode=self._mode,
            stopped=lambda: self._parts.stopped(engine.snapshot.stop_file),
            store_trouble=lambda: engine.ledger.trouble or self.holding.trouble,
            record=self._record,
            tally=engine.tally,
            clock=self._clock,
            moves=lambda: engine.snapshot.moves,
            copies=lambda: self.copying.seen(),  # noqa: PLW0108 - it comes into being later
            look_at_copies=lambda: self.copying.look(),  # noqa: PLW0108
            catch_up=lambda: self.copying.bring_back(),  # noqa: PLW0108
            read_routing=engine.whereabouts.read,
            map_doubt=engine.whereabouts.doubt,
            forbidden=self._forbidden,
            sessions_of=lambda user, since: self.protocol_logging.find(user, since=since),
            hold=lambda hold, actor: self.holding.add(hold, actor=actor),
            release=lambda number, actor: self.holding.release(number, actor=actor),
        )

    async def open(self) -> None:
        """Take up what is held. While the store cannot be read nothing is done: it is not known what forbids it."""
        await self.holding.look()

    def loops(self) -> tuple[Callable[[], Coroutine[None, None, None]], ...]:
        """What goes on until the manager ends."""
        return (
            self.recovering.run,
            self.holding.run,
            self.telling.run,
            self.notifying.run,
            self.copying.run,
            self.protocol_logging.run,
        )

    def use(self, snapshot: Snapshot, platform: Platform) -> None:
        """Act by this configuration from now on; recoveries of what it no longer names end as aborted."""
        pages = {
            name: HealthPagePoint(point.servers, self.holding, now=self._clock.now)
            for name, point in snapshot.organization.access_points.items()
            if point.control == HEALTH_PAGE
        }
        self.controls = Controls(
            services=platform.services,
            hosts=platform.machines,
            access_points={**platform.access_points, **pages},
            routing=platform.routing,
            proxies=platform.proxies,
            replication=platform.replication,
            protocol_logs=platform.protocol_logs,
        )
        self.protocol_logging.use(logs=platform.protocol_logs, hosts=platform.hosts)
        self.notifying.use(snapshot.channels, snapshot.languages)
        self.recovering.hurry()

    def on_exit(self, server: str, status: ServiceStatus) -> None:
        """A host says that a service ended."""
        self.recovering.on_exit(server, status)

    def why_moved(self, moved: Moved) -> str:
        """The move of ours by which a database came to be active elsewhere; "" when it was none of ours."""
        for operation in self.recovering.open:
            same = operation.kind is OperationKind.MOVE and operation.data.get("database") == moved.database
            if same and (operation.server, operation.data.get("target")) == (moved.source, moved.target):
                return f"moved from {moved.source} to {moved.target} by recovery {operation.id}"
        return ""

    def problems(self) -> tuple[str, ...]:
        """What is wrong with telling."""
        return self.notifying.problems()

    def stopped(self) -> str | None:
        """Why no action at all is taken, or None."""
        return self._world.stopped() or next(
            (
                f"paused by {hold.by_whom}"
                for hold in self.holding.in_force()
                if hold.kind is HoldKind.PAUSE and hold.subject == WHOLE_ORGANIZATION
            ),
            None,
        )

    def _forbidden(self) -> str | None:
        if self._engine.snapshot.recovery.mode is Mode.OBSERVE:
            return "the organization only observes"
        if self.recovering.leading.held is None:
            return "this manager does not lead"
        return self.stopped() or self._world.store_trouble()

    def _mode(self, server: str, action: ActionClass, cause: MonitorKey | None) -> InForce:
        """The more careful of the organization's mode and the class's own, which an override may set anew."""
        settings = self._engine.snapshot.recovery
        under_load = is_about_load(cause)
        configured = settings.mode_of(action, under_load=under_load)
        now = self._clock.now()
        found = mode_override(self.holding.present(), server=server, action=action, key=cause, now=now)
        if found is None:
            said = f"{action.value} is set to {settings.mode_of(action).value}"
            if configured is not settings.mode_of(action):
                said = f"a server under load is set to {configured.value}"
            return InForce(mode=configured, because=said)
        mode, hold = found
        careful = min(mode, settings.mode, key=list(Mode).index)
        because = f"{action.value} is set to {careful.value} by an override of {hold.owner}"
        return InForce(mode=careful, because=because, override=hold)

    def _held_differently(self, change: HoldChange) -> None:
        self._engine.held_differently(change)
        self.recovering.hurry()

    def _record(self, event: Event) -> None:
        self._engine.ledger.add_change(Change(events=(event,)))
