"""Beginning operations: a recovery for what broke, the move of a database, the emptying of a server."""

from collections.abc import Callable
from dataclasses import replace

from mailward.engine.recovering.leading import Leading
from mailward.engine.recovering.record import Record, event, with_data
from mailward.engine.recovering.world import World
from mailward.model.errors import Refused
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
        joins: bool = True,
        only_planned: bool = False,
    ) -> Operation | None:
        """
        Begin the move of a database; None when there is no such database.

        Where a move of it away from the same server is under way, it is that one when this *joins*: to empty a server
        any move away will do. A person who ordered another one is not served by it: then it is None. One that is wanted
        *only_planned* ends where it would have to be forced.

        Raises:
            Refused: It *joins*, and the move that is under way leads to the server that would be left.
        """
        known = self._world.organization().databases.get(database)
        if known is None:
            return None
        operation = Operation(
            kind=OperationKind.MOVE,
            target=_moved(database),
            server=known.active,
            mode=self._world.settings().mode,
            status=OperationStatus.RUNNING,
            because=because,
            started_at=self._world.clock.now(),
            parent=parent,
            databases=(database,),
            actor=actor,
            data={"database": database, "to": to, "only_planned": only_planned},
        )
        begun = await self._begin(operation, held)
        if begun is not None or not joins:
            return begun
        other = await self.open_move(database)
        if other is not None and other.server != known.active:
            raise Refused(f"{database} is being moved to {known.active} by recovery {other.id}, which has to end first")
        return other

    async def open_move(self, database: str) -> Operation | None:
        """The move of a database that is under way."""
        return next((one for one in await self._record.operations.open() if one.target == _moved(database)), None)

    async def open_drain(self, server: str) -> Operation | None:
        """The emptying of a server that is under way."""
        target = self.drain_of(server).target
        return next((one for one in await self._record.operations.open() if one.target == target), None)

    async def drain(
        self, server: str, *, held: Held, because: str, actor: str, force: bool, only_planned: bool = False
    ) -> Operation | None:
        """Begin to empty a server as a person asked; None when that is under way already."""
        operation = self.drain_of(server, because=because, actor=actor, force=force)
        return await self._begin(with_data(operation, only_planned=only_planned), held)

    def drain_of(self, server: str, *, because: str = "", actor: str = "", force: bool = False) -> Operation:
        """The operation that empties a server, before it is begun: gates are asked about it."""
        active = self._world.organization().active_on(server)
        return Operation(
            kind=OperationKind.DRAIN,
            target=f"server {server}",
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


def _moved(database: str) -> str:
    """The target of a move: there is one for each database at a time."""
    return f"database {database}"
