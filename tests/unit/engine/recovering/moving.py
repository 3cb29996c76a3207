"""A house whose databases can be moved: two mailbox servers that replicate, two proxies, a map, all in memory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from mailward.engine.copying import Copying
from mailward.engine.recovering.moves.ordering import OrderingMoves
from mailward.engine.recovering.recovering import Recovering
from mailward.engine.recovering.world import Controls
from mailward.engine.whereabouts import Moved, Whereabouts
from mailward.failover.settings import MoveSettings
from mailward.model import items
from mailward.model.copies import CopyKind
from mailward.model.evidence import ServiceState
from mailward.model.organization import LmtpEndpoint, Organization, RoutingMap
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType
from mailward.model.recovery import Operation
from mailward.monitors.samples import ProbeKey
from mailward.ports.operations import Operations
from mailward.testing.routing import MemoryMap, MemoryProxy, MemoryReplication, MemoryServers

from .conftest import House, an_organization

MAILBOXES = {"DB1": ("anna", "boris"), "DB2": ("dora", "emil")}
EVERYBODY = tuple(name for names in MAILBOXES.values() for name in names)


def a_movable_organization() -> Organization:
    organization = an_organization()
    return replace(
        organization,
        databases={
            name: replace(database, replication=CopyKind.REPLICATOR, mailboxes=2)
            for name, database in organization.databases.items()
        },
        routing=RoutingMap(map="memory"),
    )


class MovableHouse(House):
    """Everything a move stands on, in reach of a test."""

    def __init__(self, **settings: object) -> None:
        self.moves = MoveSettings()
        self.map = MemoryMap({"DB1": "be1", "DB2": "be2"}, MAILBOXES)
        self.moment = 0.0
        self.asking_takes = 0.0
        """Seconds."""
        self.as_time_passes: Callable[[], None] = lambda: None
        self.progress: list[str] = []
        """What the first operation said whenever time passed, each once in a row."""
        self.deliveries: list[ProbeKey] = []
        self.tells_who_serves = True
        self.mail_trouble: dict[str, tuple[Cause, str]] = {}
        """By proxy: why a message that is handed over there is not delivered."""
        super().__init__(organization=a_movable_organization(), **settings)  # type: ignore[arg-type]
        self.clock.advance(timedelta(seconds=0.7))  # a switch begins at that fraction of a second
        for name in self.organization.servers:
            self.services[name].become(ServiceState.RUNNING)
        for server in ("be1", "be2"):
            self.monitor(server)

    def __post_init__(self) -> None:
        self.servers = MemoryServers(self.clock, {"be1": "be1", "be2": "be2"})
        self.proxies = {name: MemoryProxy(self.map, self.servers) for name in ("proxy1", "proxy2")}
        self.replication = {
            one: MemoryReplication(one, other, self.servers, EVERYBODY)
            for one, other in (("be1", "be2"), ("be2", "be1"))
        }
        for replication in self.replication.values():
            for mailbox in EVERYBODY:
                replication._copy(mailbox)  # everything was synchronised before
        super().__post_init__()

    def a_manager(self, operations: Operations | None = None) -> Recovering:
        manager = super().a_manager(operations)
        self.whereabouts = Whereabouts(self._moved)
        self.whereabouts.use(self.organization, self.map)
        world = replace(
            manager._world,
            controls=lambda: Controls(
                services=self.services,
                hosts=self.hosts,
                access_points={"imap": self.point},
                routing=self.map,
                proxies=self.proxies,
                replication=self.replication,
            ),
            moves=lambda: self.moves,
            copies=lambda: self.copying.seen(),  # noqa: PLW0108 - it comes into being below
            look_at_copies=lambda: self.copying.look(),  # noqa: PLW0108
            catch_up=lambda: self.copying.bring_back(),  # noqa: PLW0108
            read_routing=self.whereabouts.read,
            map_doubt=self.whereabouts.doubt,
            addresses_of=_itself,
            sleep=self.sleep,
            moment=lambda: self.moment,
        )
        manager = Recovering(world, operations or self.operations, self.lease, owner=manager.leading.owner)
        self.copying = Copying(world, lambda: manager.open)
        self.ordering = OrderingMoves(world, manager)
        return manager

    async def sleep(self, seconds: float) -> None:
        """Time passes, for everybody."""
        said = self.recovering.executor.progress.of(1)
        if self.progress[-1:] != [said]:
            self.progress.append(said)
        self.as_time_passes()
        self.moment += seconds
        self.clock.advance(timedelta(seconds=seconds))

    def _moved(self, active: dict[str, str], moved: tuple[Moved, ...]) -> None:
        self.organization = self.organization.with_active(active)

    async def ask(self, key: ProbeKey) -> ProbeResult:
        """A touch point is served by whoever the map says, as long as that lives."""
        self.moment += self.asking_takes
        result = await super().ask(key)
        if key.probe == items.CTP_PROBE:
            server = self.organization.server_named((await self.map.active())[key.target]).name
            served = replace(result, mailbox_server=server if self.tells_who_serves else None)
            return served if self._answers(server) else replace(served, result=result.result.FAILED)
        if key.probe == items.DELIVERY_PROBE:
            self.deliveries.append(key)
            cause, detail = self.mail_trouble.get(key.server, (None, ""))
            result = replace(result, mailbox_server=(await self.map.active())[key.target], wrote=cause is None)
            if cause is not None:
                result = replace(
                    result, result=ResultType.FAILED, failed_phase=Phase.DELIVERY, cause=cause, detail=detail
                )
            self.latest[key] = result
            return result
        return result

    def takes_mail(self) -> None:
        """Every proxy says where it takes mail from now on."""
        self.organization = replace(
            self.organization,
            servers={
                name: replace(server, lmtp=LmtpEndpoint(host=name)) if server.is_proxy else server
                for name, server in self.organization.servers.items()
            },
        )

    async def begin(self, **how: object) -> int:
        """Order the move of DB1, as a person does; the number of the operation."""
        await self.recovering.leading.renew()
        intention = await self.ordering.move(
            self.organization.databases["DB1"],
            **{"to": None, "actor": "anna", "reason": "", "dry_run": False, "force": False, **how},  # type: ignore[arg-type]
        )
        assert len(intention.operations) == 1, intention
        return intention.operations[0]

    async def moved(self) -> Operation:
        """Order the move of DB1, and see it to its end."""
        number = await self.begin()
        await self.until_over()
        operation = await self.operations.operation(number)
        assert operation is not None
        return operation

    async def until_over(self, manager: Recovering | None = None, *, seconds: float = 120) -> None:
        """Let time pass until nothing is open any more, or that much time is over."""
        spent = 0.0
        await self.go_on(manager)
        while any(not one.status.is_over for one in await self.operations.operations()) and spent < seconds:
            await self.wait(timedelta(seconds=0.5), manager)
            spent += 0.5

    def everybody_logs_in(self) -> None:
        for name, mailbox in zip(("proxy1", "proxy2") * 2, EVERYBODY, strict=True):
            self.proxies[name].log_in(mailbox)


async def _itself(host: str) -> frozenset[str]:
    return frozenset({host})
