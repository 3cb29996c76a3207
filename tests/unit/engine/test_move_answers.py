"""The running engine as Manager of moves, by the names people use: on shipped fakes, with a map in memory."""

from dataclasses import replace

import pytest

from mailward.engine.answers import Answers
from mailward.engine.engine import Engine
from mailward.engine.parts import Platform
from mailward.model.copies import CopyKind, CopyState
from mailward.model.errors import NotFound, Refused
from mailward.model.holds import HoldKind
from mailward.model.organization import Database, RoutingMap
from mailward.model.recovery import Mode, OperationKind
from mailward.testing.routing import MemoryMap, MemoryProxy, MemoryReplication, MemoryServers

from .test_repairing import MAILBOX, House, until

MAILBOXES = {"DB1": ("anna",), "DB2": ("dora",)}
EVERYBODY = ("anna", "dora")


class MovableHouse(House):
    """Two databases that prefer mbx1, with copies on mbx2, where the map sends their users."""

    def __init__(self) -> None:
        super().__init__()
        databases = {
            name: Database(
                name=name,
                copies=("mbx1", "mbx2"),
                active="mbx2",
                health_mailbox=replace(MAILBOX, user=f"health-{name}"),
                replication=CopyKind.REPLICATOR,
            )
            for name in MAILBOXES
        }
        organization = replace(
            self.snapshot.organization, databases=databases, routing=RoutingMap(map="memory"), access_points={}
        )
        self.snapshot = replace(self.snapshot, organization=organization)
        clock = self.parts.clock
        self.map = MemoryMap(dict.fromkeys(MAILBOXES, "mbx2"), MAILBOXES)
        servers = MemoryServers(clock, {"mbx1": "mbx1", "mbx2": "mbx2"})
        replication = {
            one: MemoryReplication(one, other, servers, EVERYBODY)
            for one, other in (("mbx1", "mbx2"), ("mbx2", "mbx1"))
        }
        for one in replication.values():
            for mailbox in EVERYBODY:
                one._copy(mailbox)
        platform = Platform(
            hosts={},
            services=self.services,
            routing=self.map,
            proxies={"proxy1": MemoryProxy(self.map, servers)},
            replication=replication,
        )
        self.parts = replace(self.parts, platform=lambda _: platform)


@pytest.fixture
def house() -> MovableHouse:
    return MovableHouse()


async def ready(engine: Engine) -> Answers:
    """The Manager, once both passive copies may be chosen."""
    answers = Answers(engine)
    assert engine.repairing is not None
    copying = engine.repairing.copying
    await until(lambda: 2 == sum(copy.state is CopyState.HEALTHY for copy in copying.copies()))
    await until(lambda: engine.repairing.recovering.leading.held is not None)
    return answers


async def test_a_name_that_is_not_there_is_not_found_and_the_nearest_is_named(house):
    async with house.running() as engine:
        answers = Answers(engine)

        for question in (answers.copies(database="db9"), answers.move_database("db9", actor="root")):
            with pytest.raises(NotFound, match="there is no database 'db9'; did you mean 'DB"):
                await question
        with pytest.raises(NotFound, match="'mbx22'; did you mean 'mbx"):
            await answers.drain("mbx22", actor="root")


async def test_a_proxy_is_neither_emptied_nor_filled(house):
    async with house.running() as engine:
        answers = Answers(engine)

        for question in (answers.drain("PROXY1", actor="root"), answers.undrain("proxy1", actor="root")):
            with pytest.raises(Refused, match="proxy1 holds no copy of any mailbox database"):
                await question
        assert () == await answers.holds()


async def test_who_only_observes_moves_nothing_back(house):
    house.snapshot = replace(house.snapshot, recovery=replace(house.snapshot.recovery, mode=Mode.OBSERVE))
    async with house.running() as engine:
        with pytest.raises(Refused, match="recovery.mode is observe"):
            await Answers(engine).undrain("mbx1", actor="root", move_back=True)


async def test_a_rehearsal_by_any_spelling_shows_the_move_and_begins_nothing(house):
    async with house.running() as engine:
        answers = await ready(engine)

        rehearsed = await answers.move_database("db1", to="MBX1", actor="root", dry_run=True)

        (move,) = rehearsed.moves
        assert (True, ()) == (rehearsed.allowed, rehearsed.operations)
        assert ("DB1", "mbx2", "mbx1") == (move.database, move.source, move.target)
        assert move.source_because
        assert move.command
        assert () == await answers.recoveries()


async def test_two_that_come_back_are_two_recoveries_and_the_block_is_ended(house):
    async with house.running() as engine:
        answers = await ready(engine)
        await answers.drain("mbx1", actor="eva", reason="new disks")
        assert ["mbx1"] == [hold.subject for hold in await answers.holds() if hold.kind is HoldKind.ACTIVATION]

        begun = await answers.undrain("mbx1", actor="root", move_back=True)

        assert ("eva: new disks",) == begun.unblocks
        assert 2 == len(set(begun.operations))
        stories = [await answers.recovery(number) for number in begun.operations]
        assert {OperationKind.MOVE} == {story.operation.kind for story in stories}
        assert {"database DB1", "database DB2"} == {story.operation.target for story in stories}
        assert () == await answers.holds()
