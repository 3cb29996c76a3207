"""
The deeds of moves: synchronise, fence, switch over, empty a server, allow activation again.

Which step of a switch is safe next is decided by `failover`; here the map, the proxies and the copies are told.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from mailward.engine.recovering.deeds import Deed, Found, Unavailable
from mailward.engine.recovering.leading import Leading
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.moves.blocking import block_activation, own_blocks
from mailward.engine.recovering.moves.looks import MoveLooks
from mailward.engine.recovering.moves.ports import copied, replication_of, routing_of, synchronise
from mailward.engine.recovering.moves.switch_over import SwitchOver, hold_for
from mailward.engine.recovering.opening import Opening
from mailward.engine.recovering.progress import Progress, Tell
from mailward.engine.recovering.world import World
from mailward.model.copies import CopyKind, MailboxSync
from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.event import OURSELVES
from mailward.model.recovery import Operation, OperationKind, Step, StepName, StepOutcome
from mailward.ports.service_control import ServiceControl, ServiceDeed
from mailward.recovery.moves import Move, move_of

STOPS_WITHIN = timedelta(seconds=40)
HASTEN_EVERY = timedelta(seconds=5)
"""A mailbox that could not be copied waits for minutes until the replicator tries it again, unless it is told to."""
IN_WHOLE_SECONDS = timedelta(seconds=1)
"""So much longer ago than it says may the last success be: the replicator counts whole seconds."""
BeginMove = Callable[[str], Awaitable[int | None]]
"""Begins the move of one database; its operation's number, or that of the move that is under way."""


@dataclass(kw_only=True, slots=True)
class Synchronise:
    """Synchronise every mailbox of a database, before its users are sent elsewhere."""

    world: World
    move: Move
    tell: Tell
    """Told how many mailboxes are done."""

    def command(self) -> tuple[str, ...]:
        """The words for one mailbox; none on shared storage, where there is nothing to synchronise."""
        if self.move.kind is CopyKind.SHARED_STORAGE:
            return ()
        return replication_of(self.world, self.move.target).command(with_server=self.move.source)

    async def before(self) -> Mapping[str, object]:
        """Nothing needs to be remembered."""
        return {}

    async def do(self) -> Mapping[str, object]:
        """
        Synchronise all. Where it is ours to do, then once more: the last run, for which users wait, will take as long.

        Raises:
            Refused: A mailbox could not be synchronised; the text names it.
            TemporaryFailure: A server could not be asked.
        """
        if self.move.kind is CopyKind.SHARED_STORAGE:
            return {}
        mailboxes = await routing_of(self.world).mailboxes(self.move.database)
        if not mailboxes:
            raise Refused(f"the map knows no mailbox of {self.move.database}: nothing would be synchronised")
        if self.move.kind is CopyKind.REPLICATOR:
            began = self.world.moment()
            await self._let_it_follow(mailboxes)
            return {"mailboxes": len(mailboxes), "took_s": [round(self.world.moment() - began, 3)]}
        took = []
        for _ in range(2):
            began = self.world.moment()
            await synchronise(self.world, self.move, mailboxes, self.tell)
            took.append(round(self.world.moment() - began, 3))
        return {"mailboxes": len(mailboxes), "took_s": took}

    async def _let_it_follow(self, mailboxes: Sequence[str]) -> None:
        """
        Wait, as long as the limit of lag, until each mailbox has nothing to be copied, or was copied since this began.

        That it copied a moment ago does not say that it still can: the path between the servers may be cut. It is left
        to do its work alone: a second dsync of the same mailbox waits for the first one's lock (measured: 31 s for
        three mailboxes that were written to all the time).
        """
        replication, began = replication_of(self.world, self.move.source), self.world.moment()
        limit, hastened = self.world.moves().lag_limit.total_seconds(), None
        while True:
            waited = self.world.moment() - began  # what is said after this is about this moment or a later one
            syncs = await replication.status()
            behind = [name for name in mailboxes if _lacks(syncs.get(name), timedelta(seconds=waited))]
            self.tell(copied(len(mailboxes) - len(behind), len(mailboxes)))
            if not behind:
                return
            if waited > limit:
                raise Refused(f"the lag stays: {len(behind)} mailboxes are behind, such as {behind[0]}")
            if hastened is None or waited - hastened > HASTEN_EVERY.total_seconds():
                await replication.hasten(behind)
                hastened = waited
            await self.world.sleep(0.2)

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Synchronising again does no harm."""
        return Found(was_done=False, because="it is synchronised again, which does no harm")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fence:
    """
    Stop the service of the source with every session it left behind, so that nobody writes there any more.

    A host that cannot be asked is not fenced by this; whether it may be left all the same, the proxies' sessions say.
    """

    control: ServiceControl

    def command(self) -> tuple[str, ...]:
        """The service control's own words."""
        return self.control.command(ServiceDeed.STOP)

    async def before(self) -> Mapping[str, object]:
        """Nothing needs to be remembered: stopping what is stopped changes nothing."""
        return {}

    async def do(self) -> Mapping[str, object]:
        """Stop it."""
        _, unseen = await bounded(self.control.stop(), within=STOPS_WITHIN)
        if unseen:
            raise TemporaryFailure(unseen)
        return {}

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Whether its host says that it does not run."""
        status, unseen = await bounded(self.control.status())
        if status is None:
            return Found(was_done=None, because=unseen)
        return Found(was_done=False, because=f"it is stopped again, which does no harm: {status.because}")


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveAway:
    """Begin the moves of every active copy of a server, or of one database, and keep its copies from coming back."""

    world: World
    server: str
    databases: tuple[str, ...]
    blocks: bool
    """Whether activation is blocked: not for the store of a single database."""
    begin: BeginMove

    def command(self) -> tuple[str, ...]:
        """What a person would type."""
        if self.world.controls().routing is None:
            raise Refused("the configuration has no [routing], so nobody can be sent to another copy")
        if self.blocks:
            return ("mailward", "server", "drain", self.server)
        return tuple(word for name in self.databases for word in ("mailward", "database", "move", name))

    async def before(self) -> Mapping[str, object]:
        """Which databases."""
        return {"databases": list(self.databases)}

    async def do(self) -> Mapping[str, object]:
        """
        Block activation first, so that nothing comes in behind what goes out; then begin every move.

        One that cannot be begun keeps the others from nothing; why is kept.
        """
        if self.blocks:
            await block_activation(self.world, self.server, "it is being emptied")
        begun: list[int] = []
        not_begun: list[str] = []
        for name in self.databases:
            try:
                number = await self.begin(name)
            except Refused as refused:
                not_begun.append(str(refused))
            else:
                begun.extend([number] if number is not None else [])
        return {"moves": begun, "not_begun": not_begun} if not_begun else {"moves": begun}

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Beginning what is begun changes nothing: of one database one move is open at a time."""
        return Found(was_done=False, because="moves that were begun go on; the others are begun now")


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowActivation:
    """Allow a server's copies to become active again, as far as we ourselves blocked them, and move back if so set."""

    world: World
    server: str
    begin: BeginMove

    def command(self) -> tuple[str, ...]:
        """What a person would type."""
        return ("mailward", "server", "undrain", self.server)

    async def before(self) -> Mapping[str, object]:
        """Nothing needs to be remembered."""
        return {}

    async def do(self) -> Mapping[str, object]:
        """End our own holds on it."""
        released = []
        for hold in own_blocks(self.world, self.server):
            await self.world.release(hold.id, OURSELVES)
            released.append(hold.id)
        if self._to_move_back():
            await self.world.catch_up()
        return {"released": released, "moves_back": [await self.begin(name) for name in self._to_move_back()]}

    def _to_move_back(self) -> tuple[str, ...]:
        """The databases that prefer this server, where the configuration has them moved back."""
        if not self.world.moves().move_back:
            return ()
        databases = self.world.organization().databases.values()
        return tuple(one.name for one in databases if one.copies[0] == self.server != one.active)

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """Whether none is left."""
        left = own_blocks(self.world, self.server)
        return Found(was_done=not left, because="it is still blocked" if left else "nothing of ours blocks it")


def _lacks(sync: MailboxSync | None, waited: timedelta) -> bool:
    """Whether a mailbox of which something is to be copied has not been copied for certain while *waited* passed."""
    if sync is None or sync.last_success is None:
        return True
    return (sync.has_failed or sync.is_waiting) and sync.last_success + IN_WHOLE_SECONDS > waited


class MoveDeeds:
    """The deed of each step of a move."""

    def __init__(
        self, world: World, *, looks: MoveLooks, opening: Opening, leading: Leading, progress: Progress
    ) -> None:
        """
        *opening* begins the moves of single databases; *leading* says whether anything may be done at all; *progress*
        is told how far a deed has come.
        """
        self._world = world
        self._looks = looks
        self._opening = opening
        self._leading = leading
        self._progress = progress

    def deed(self, step: StepName, server: str, steps: Sequence[Step], operation: Operation | None) -> Deed:
        """The deed of one step on *server*; one that is `Unavailable` says why."""
        match step:
            case StepName.ALLOW_ACTIVATION:
                return AllowActivation(world=self._world, server=server, begin=self._beginner(operation, to=server))
            case StepName.MOVE_DATABASES:
                return self._move_away(server, operation)
            case StepName.FENCE:
                control = self._world.controls().services.get(server)
                known = f"the service of {server} is not reached: the configuration names no host.service"
                return Unavailable(known) if control is None else Fence(control=control)
            case StepName.SYNCHRONISE | StepName.SWITCH_OVER:
                return self._of_one(step, steps, self._progress.teller(operation))
            case _:
                return Unavailable(f"to {step.value} is not available yet")

    def _of_one(self, step: StepName, steps: Sequence[Step], tell: Tell) -> Deed:
        move = move_of(steps)
        if move is None:
            return Unavailable("no copy was chosen")
        if step is StepName.SYNCHRONISE:
            return Synchronise(world=self._world, move=move, tell=tell)
        done = (one for one in steps if one.name is StepName.FENCE and one.outcome is StepOutcome.DONE)
        fenced = next(("its service was stopped" for _ in done), None)
        return SwitchOver(
            world=self._world,
            move=move,
            tell=tell,
            fenced=fenced,
            hold=hold_for(self._world, steps, move),
            forbidden=self._forbidden,
            changed=partial(self._looks.changed, move, fenced=fenced is not None),
        )

    def _move_away(self, server: str, operation: Operation | None) -> Deed:
        is_one = operation is not None and operation.kind is OperationKind.MAILBOX_SERVER and "/" in operation.target
        one = operation.target.partition("/")[2] if operation is not None and is_one else None
        active = self._world.organization().active_on(server)
        databases = tuple(database.name for database in active) if one is None else (one,)
        begin = self._beginner(operation, to=None)
        return MoveAway(world=self._world, server=server, databases=databases, blocks=one is None, begin=begin)

    def _beginner(self, operation: Operation | None, *, to: str | None) -> BeginMove:
        """Moves as part of emptying a server, or of filling it again; none where nothing was ordered or decided."""

        async def begin(name: str) -> int | None:
            held = self._leading.held
            if held is None or operation is None:
                return None
            doing = "is emptied" if to is None else "is well again and filled"
            because = f"{operation.server} {doing} by recovery {operation.id}"
            begun = await self._opening.move(
                name,
                held=held,
                because=because,
                to=to,
                parent=operation.id,
                actor=operation.actor,
                only_planned=operation.data.get("only_planned") is True,
            )
            return begun.id if begun is not None else None

        return begin

    def _forbidden(self) -> str | None:
        return self._world.stopped() if self._leading.held is not None else "this manager does not lead any more"
