"""What people are told of an order to move databases before it is begun, and which orders are none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model import items
from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.model.holds import BLOCKED, Hold, HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import Mode, OperationKind, OperationStatus
from mailward.monitors.samples import ProbeKey
from mailward.ports.manager import MoveIntention

from .moving import MovableHouse


@pytest.fixture
async def house() -> MovableHouse:
    house = MovableHouse()
    await house.copying.look()
    await house.recovering.leading.renew()
    return house


async def moved(house: MovableHouse, **how: object) -> MoveIntention:
    given = {"to": None, "actor": "anna", "reason": "", "dry_run": True, "force": False, **how}
    return await house.ordering.move(house.organization.databases["DB1"], **given)


async def drained(house: MovableHouse, server: str, **how: object) -> MoveIntention:
    return await house.ordering.drain(
        server, **{"actor": "anna", "reason": "", "dry_run": False, "force": False, **how}
    )


async def undrained(house: MovableHouse, server: str, **how: object) -> MoveIntention:
    given = {"actor": "anna", "reason": "", "dry_run": False, "move_back": False, **how}
    return await house.ordering.undrain(server, **given)


async def block(house: MovableHouse, subject: str, *, owner: str = "boris", reason: str = "slow disks") -> Hold:
    hold = Hold(
        kind=HoldKind.ACTIVATION,
        subject=subject,
        value=BLOCKED,
        owner=owner,
        reason=reason,
        since=house.clock.now(),
    )
    return await house._hold(hold)


async def both_are_on_be2(house: MovableHouse) -> None:
    house.map.edit("DB1", "be2")
    house.map.edit("DB2", "be2")
    databases = {
        name: replace(one, copies=("be1", "be2"), active="be2") for name, one in house.organization.databases.items()
    }
    house.organization = replace(house.organization, databases=databases)
    house.whereabouts.use(house.organization, house.map)
    await house.copying.look()


async def test_the_plan_of_a_planned_move_says_how_the_server_is_that_is_left(house):
    (move,) = (await moved(house)).moves

    assert "it answers, and the database can be read there" == move.source_because


async def test_the_plan_of_a_forced_move_says_that_it_is_forced_and_fenced(house):
    house.services["be1"].become(ServiceState.HUNG)
    house.is_well = lambda key: key.server != "be1"
    house.monitor("be1", state=AlertValue.UNHEALTHY, broken_for=timedelta(minutes=2))

    (move,) = (await moved(house)).moves

    assert "its service hangs" in move.source_because
    assert move.source_because.endswith("; the move is forced, without a last synchronisation; be1 is fenced first"), (
        move.source_because
    )


async def test_the_plan_of_a_move_that_would_not_be_made_says_so(house):
    """What is not known to be broken is never stopped."""
    house.is_well = lambda key: not (key.server == "be1" and key.probe == items.SELF_TEST_PROBE)

    (move,) = (await moved(house)).moves

    assert "it is not known how it is" in move.source_because
    assert move.source_because.endswith("; while that is so, nothing is moved")


async def test_why_a_database_stays_names_the_server_it_stays_on(house):
    await block(house, "be2")

    refused = await moved(house)

    assert not refused.allowed
    assert refused.because.endswith("slow disks (be1: it answers, and the database can be read there)")


async def test_what_a_gate_says_comes_before_the_databases_that_stay(house):
    await block(house, "be2")
    house.stopped = "the file STOP exists"

    refused = await moved(house)

    assert refused.because.startswith("stop file: the file STOP exists; DB1: ")


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_second_order_of_the_same_person_is_refused_and_does_not_pass_for_the_first(house, dry_run):
    await house.begin(to="be2")

    with pytest.raises(Refused, match="another move of DB1 is under way; see: mailward recoveries --unfinished"):
        await moved(house, dry_run=dry_run)


async def test_a_move_that_was_begun_at_this_moment_is_not_joined(house):
    held = house.recovering.leading.held
    opening = house.recovering.executor.opening
    first = await opening.move("DB1", held=held, because="a test says so")

    assert await opening.move("DB1", held=held, because="a test says so", to="be2", joins=False) is None
    assert first == await opening.move("DB1", held=held, because="a server is emptied")


@pytest.mark.parametrize("order", [drained, undrained])
@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_server_without_any_copy_is_neither_emptied_nor_filled(house, order, dry_run):
    with pytest.raises(Refused, match="proxy1 holds no copy of any mailbox database"):
        await order(house, "proxy1", dry_run=dry_run)

    assert [] == house.holds


async def test_to_empty_an_empty_server_says_that_it_is_blocked_now(house):
    await both_are_on_be2(house)

    done = await drained(house, "be1")

    assert (True, (), ["be1"]) == (done.allowed, done.operations, [hold.subject for hold in house.holds])
    assert "be1 holds no active copy, and its copies may not become active from now on" == done.because


async def test_the_record_names_the_server_that_is_emptied_and_that_it_is_one(house):
    begun = await drained(house, "be1")

    operation = await house.operations.operation(*begun.operations)
    assert (OperationKind.DRAIN, "server be1") == (operation.kind, operation.target)


async def test_to_fill_a_server_names_whose_blocks_it_ends(house):
    await block(house, "be1")
    await block(house, "be1", owner="dora", reason="new disks")
    await block(house, "be1/DB1", reason="its index")

    said = await undrained(house, "be1", dry_run=True)

    assert ("boris: slow disks", "dora: new disks") == said.unblocks
    assert [] == house.released
    await undrained(house, "be1")
    assert [(1, "anna"), (2, "anna")] == house.released, "whoever blocked it, it is anna who ends it"


async def test_to_allow_activation_needs_no_map_and_to_move_back_does(house):
    await block(house, "be1")
    house.map.unreachable = "the map is away"

    with pytest.raises(TemporaryFailure, match="the map"):
        await undrained(house, "be1", move_back=True)
    assert 1 == len(house.holds)
    assert (await undrained(house, "be1")).allowed
    assert [] == house.holds


async def test_who_only_observes_moves_nothing_back_and_may_end_a_block(house):
    house.settings = replace(house.settings, mode=Mode.OBSERVE)
    await block(house, "be1")

    with pytest.raises(Refused, match="observe"):
        await undrained(house, "be1", move_back=True)
    assert 1 == len(house.holds)
    assert (await undrained(house, "be1")).allowed


async def test_what_cannot_come_back_stays_and_the_others_come(house):
    await both_are_on_be2(house)
    await block(house, "be1/DB1")

    begun = await undrained(house, "be1", move_back=True)

    assert [("DB1", None), ("DB2", "be1")] == [(move.database, move.target) for move in begun.moves]
    (number,) = begun.operations
    assert "DB2" == (await house.operations.operation(number)).data["database"]
    assert "DB1: be1: its activation is blocked: boris: slow disks" in begun.because


async def test_two_that_come_back_are_two_operations(house):
    await both_are_on_be2(house)

    begun = await undrained(house, "be1", move_back=True)

    assert 2 == len(set(begun.operations))


@pytest.mark.parametrize("dry_run", [True, False])
async def test_to_move_back_does_not_join_the_move_of_somebody_else(house, dry_run):
    await both_are_on_be2(house)
    held = house.recovering.leading.held
    other = await house.recovering.executor.opening.move("DB1", held=held, because="emil asked", actor="emil")

    begun = await undrained(house, "be1", move_back=True, dry_run=dry_run)

    assert [None, "be1"] == [move.target for move in begun.moves]
    assert "another move of DB1 is under way" in begun.moves[0].because
    assert other.id not in begun.operations


def hung(house: MovableHouse) -> None:
    house.services["be1"].become(ServiceState.HUNG)
    house.is_well = lambda key: key.server != "be1"


@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_is_wanted_only_as_planned_is_refused_once_it_would_have_to_be_forced(house, dry_run):
    hung(house)

    with pytest.raises(Refused, match="DB1 would have to be moved by force now, .* its service hangs"):
        await moved(house, dry_run=dry_run, only_planned=True)
    with pytest.raises(Refused, match="by force now"):
        await drained(house, "be1", dry_run=dry_run, only_planned=True)

    assert (await moved(house)).moves[0].is_forced
    assert [] == house.holds
    assert [] == list(await house.operations.operations())


@pytest.mark.parametrize("order", ["move", "drain"])
async def test_a_move_agreed_to_as_planned_is_not_forced_when_its_server_fails_after_the_order(house, order):
    begun = await (
        moved(house, dry_run=False, only_planned=True) if order == "move" else drained(house, "be1", only_planned=True)
    )
    hung(house)

    await house.until_over(seconds=300)

    operation = await house.operations.operation(begun.operations[0])
    assert OperationStatus.ESCALATED is operation.status
    assert "a planned move was agreed to, and it would have to be forced now" in operation.because
    assert "be1" == (await house.map.active())["DB1"]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_second_order_to_empty_a_server_is_refused_and_leaves_no_block(house, dry_run):
    await drained(house, "be1")
    blocks = list(house.holds)

    with pytest.raises(Refused, match="be1 is being emptied already"):
        await drained(house, "be1", actor="boris", dry_run=dry_run)

    assert blocks == house.holds


async def test_a_block_in_the_same_words_that_stays_is_not_taken_for_the_one_that_ends(house):
    await both_are_on_be2(house)
    await block(house, "be1")
    await block(house, "be1/DB1")

    intention = await undrained(house, "be1", move_back=True, dry_run=True)

    assert {"DB1": None, "DB2": "be1"} == {move.database: move.target for move in intention.moves}


async def test_to_empty_a_server_does_not_join_a_move_that_leads_there(house):
    house.map.edit("DB1", "be2")
    house.organization = house.organization.with_active({"DB1": "be2", "DB2": "be2"})
    begun = await house.ordering.move(
        house.organization.databases["DB1"], to="be1", actor="anna", reason="", dry_run=False, force=False
    )
    house.organization = house.organization.with_active({"DB1": "be1", "DB2": "be2"})  # it has switched already
    held = house.recovering.leading.held

    with pytest.raises(
        Refused, match=f"is being moved to be1 by recovery {begun.operations[0]}, which has to end first"
    ):
        await house.recovering.executor.opening.move("DB1", held=held, because="be1 is emptied")


async def test_a_server_that_is_well_again_is_a_choice_at_once(house):
    """Its last test failed a moment ago; nobody has to wait for the next one."""
    own = ProbeKey(probe=items.SELF_TEST_PROBE, server="be2", target="be2")
    house.is_well = lambda key: key.server != "be2"
    await house.ask(own)
    await house.copying.look()
    assert not (await moved(house)).allowed

    house.is_well = lambda _: True

    assert "be2" == (await moved(house)).moves[0].target
