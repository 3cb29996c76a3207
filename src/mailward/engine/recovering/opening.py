"""Beginning operations: a recovery for what broke, the move of a database, the emptying of a server."""

from collections.abc import Callable
from dataclasses import replace

from mailward.engine.recovering.leading import Leading
from mailward.engine.recovering.record import Record, event
from mailward.engine.recovering.world import World
from mailward.model.event import OURSELVES, EventKind
from mailward.model.recovery import Mode, Operation, OperationKind, OperationStatus
from mailward.ports.lease import Held
from mailward.recovery.triggers import Trigger


class Opening:
    """Begins operations, one for each target at a time."""

    def __init__(
        self, world: World, record: Record, leading: Leading, *, on_begun: Callable[[Operation], None]
    ) -> None:
        """*on_begun* is told of every operation that is begun, so that somebody goes on with it."""
        self._world = world
        self._record = record
        self._leading = leading
        self._on_begun = on_begun

    async def recovery(self, trigger: Trigger, *, held: Held, parent: int | None = None) -> Operation | None:
        """Begin the recovery that *trigger* asks for; None when its target has one that is not over."""
        operation = Operation(
            kind=trigger.kind,
            target=trigger.target,
            server=trigger.server,
            mode=self._world.settings().mode,
            status=OperationStatus.RUNNING,
            because=trigger.because,
            started_at=self._world.clock.now(),
            cause=trigger.cause,
            parent=parent,
            verdict=trigger.verdict,
            databases=trigger.databases,
        )
        return await self._begin(operation, held)

    async def move(
        self,
        database: str,
        *,
        held: Held,
        because: str,
        to: str | None = None,
        actor: str = OURSELVES,
        parent: int | None = None,
    ) -> Operation | None:
        """Begin the move of a database; the move of it that is under way, or None when there is no such database."""
        known = self._world.organization().databases.get(database)
        if known is None:
            return None
        operation = Operation(
            kind=OperationKind.MOVE,
            target=f"database {database}",
            server=known.active,
            mode=self._world.settings().mode,
            status=OperationStatus.RUNNING,
            because=because,
            started_at=self._world.clock.now(),
            parent=parent,
            databases=(database,),
            actor=actor,
            data={"database": database, "to": to},
        )
        begun = await self._begin(operation, held)
        if begun is not None:
            return begun
        return next((one for one in await self._record.operations.open() if one.target == operation.target), None)

    async def drain(self, server: str, *, held: Held, because: str, actor: str, force: bool) -> Operation | None:
        """Begin to empty a server as a person asked; None when that is under way already."""
        return await self._begin(self.drain_of(server, because=because, actor=actor, force=force), held)

    def drain_of(self, server: str, *, because: str = "", actor: str = "", force: bool = False) -> Operation:
        """The operation that empties a server, before it is begun: gates are asked about it."""
        active = self._world.organization().active_on(server)
        return Operation(
            kind=OperationKind.DRAIN,
            target=f"drain {server}",
            server=server,
            mode=Mode.ACT,
            status=OperationStatus.RUNNING,
            because=because,
            started_at=self._world.clock.now(),
            actor=actor,
            databases=tuple(database.name for database in active),
            data={"force": force},
        )

    async def _begin(self, operation: Operation, held: Held) -> Operation | None:
        operation = replace(operation, owner=self._leading.owner, fence=held.fence)
        started = event(EventKind.RECOVERY_STARTED, operation, operation.because, at=operation.started_at)
        begun = await self._record.operations.begin(operation, (started,), held=held)
        if begun is not None:
            self._on_begun(begun)
        return begun
