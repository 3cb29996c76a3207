"""Moves by the executor: planned and forced, refused, interrupted."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model import items
from mailward.model.errors import Refused
from mailward.model.evidence import ServiceState
from mailward.model.holds import HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import OperationKind, OperationStatus, StepName, StepOutcome

from .moving import MovableHouse
from .test_interrupted import Fuse, Killed, Mortal

MINUTE = timedelta(minutes=1)
U = AlertValue.UNHEALTHY


@pytest.fixture
async def house() -> MovableHouse:
    house = MovableHouse()
    await house.copying.look()  # the copies were seen while all was well
    return house


async def outcomes(house: MovableHouse, number: int) -> dict[StepName, StepOutcome | None]:
    return {step.name: step.outcome for step in await house.steps(number)}


async def test_a_planned_move_takes_everybody_along(house):
    house.everybody_logs_in()
    assert house.proxies["proxy1"].write("anna", "the last mail")

    operation = await house.moved()

    assert OperationStatus.HEALED is operation.status, operation.because
    assert {"DB1": "be2", "DB2": "be2"} == await house.map.active()
    assert "the last mail" in house.servers.messages("be2", "anna")
    assert [] == [
        session for proxy in house.proxies.values() for session in await proxy.sessions() if session.address == "be1"
    ]
    assert house.map.held["DB1"] is not None, "new logins were held meanwhile"


async def test_nobody_of_another_database_loses_a_session(house):
    house.everybody_logs_in()

    await house.begin()
    await house.until_over()

    left = {session.mailbox for proxy in house.proxies.values() for session in await proxy.sessions()}
    assert {"dora", "emil"} <= left


async def test_a_proxy_that_remembers_is_made_to_forget(house):
    for name in house.proxies:
        house.proxies[name]._remembers = True
    house.everybody_logs_in()

    await house.begin()
    await house.until_over()

    assert "be2" == house.proxies["proxy1"].log_in("anna")


async def test_a_proxy_that_cannot_be_asked_forbids_it_before_anything_is_touched(house):
    house.proxies["proxy2"].unreachable = "no route"

    operation = await house.moved()

    assert OperationStatus.ESCALATED is operation.status
    assert "could not be proven" in operation.because
    assert [] == house.map.switches


async def test_a_lag_that_stays_keeps_users_where_they_are(house):
    house.replication["be1"].failing["anna"] = "disk full"
    number = await house.begin()
    house.servers.add("be1", "anna", "what cannot be copied")
    house.clock.advance(2 * MINUTE)

    await house.until_over(seconds=300)

    operation = await house.operations.operation(number)
    assert OperationStatus.ESCALATED is operation.status
    assert [] == house.map.switches


async def test_how_far_a_move_has_come_can_be_watched_until_it_is_over(house):
    house.everybody_logs_in()
    busy = house.replication["be1"].failing
    busy["anna"] = "it is locked"
    house.as_time_passes = lambda: busy.clear() if house.moment > 3 else None

    number = await house.begin()
    await house.until_over()

    assert OperationStatus.HEALED is (await house.operations.operation(number)).status
    assert "1 of 2 mailboxes are copied" in house.progress
    assert "2 mailboxes still have sessions on be1" in house.progress
    assert "" == house.recovering.executor.progress.of(number), "over is over"


async def test_what_was_copied_a_moment_ago_does_not_say_that_it_can_be_copied_now(house):
    assert house.proxies["proxy1"].log_in("anna")
    await house.replication["be1"].status()  # it follows, until the path is cut
    house.replication["be1"].failing["anna"] = "no route to be2"
    assert house.proxies["proxy1"].write("anna", "the last mail")

    number = await house.begin()
    await house.until_over(seconds=90)

    operation = await house.operations.operation(number)
    assert OperationStatus.ESCALATED is operation.status
    assert "the lag stays: 1 mailboxes are behind, such as anna" in operation.because
    assert "be1" == (await house.map.active())["DB1"]


async def test_from_a_dead_server_the_copy_is_chosen_and_the_one_left_behind_is_blocked(house):
    house.servers.dead.add("be1")
    house.services["be1"].become(ServiceState.FAILED)

    number = await house.begin()
    await house.until_over()

    assert OperationStatus.HEALED is (await house.operations.operation(number)).status
    assert StepOutcome.SKIPPED is (await outcomes(house, number))[StepName.SYNCHRONISE]
    assert ["be1/DB1"] == [hold.subject for hold in house.holds if hold.kind is HoldKind.ACTIVATION]


async def test_nobody_is_kicked_while_a_login_waits_for_a_dead_server(house):
    house.servers.dead.add("be1")
    house.services["be1"].become(ServiceState.FAILED)
    house.everybody_logs_in()

    await house.begin()
    await house.until_over()

    assert [0, 0] == [proxy.crashes for proxy in house.proxies.values()]


async def test_what_was_left_behind_is_synchronised_when_its_host_is_back_and_not_before(house):
    house.servers.add("be1", "anna", "only there")
    house.servers.dead.add("be1")
    house.services["be1"].become(ServiceState.FAILED)
    house.replication["be1"].unreachable = house.replication["be2"].unreachable = "be1 is down"
    number = await house.begin()
    await house.until_over()
    assert OperationStatus.HEALED is (await house.operations.operation(number)).status
    await house.copying.bring_back()
    (left,) = house.holds

    house.servers.dead.clear()
    house.services["be1"].become(ServiceState.RUNNING)
    house.replication["be1"].unreachable = house.replication["be2"].unreachable = ""
    for probe in house.coverage().probes:
        if probe.key.server == "be1":
            await house.ask(probe.key)
    await house.copying.bring_back()

    assert ([], [(left.id, "mailward")]) == (house.holds, house.released)
    assert "only there" in house.servers.messages("be2", "anna")


async def test_a_store_without_its_canary_is_never_synchronised_from(house):
    house.is_well = lambda key: key.server != "be1" or key.probe == items.SELF_TEST_PROBE
    number = await house.begin()
    await house.until_over()
    assert OperationStatus.HEALED is (await house.operations.operation(number)).status
    house.servers.add("be1", "anna", "from another store")

    await house.copying.bring_back()

    assert house.holds
    assert frozenset() == house.servers.messages("be2", "anna")


async def test_a_second_copy_that_is_blocked_is_no_choice(house):
    house.services["be2"].become(ServiceState.STOPPED)

    with pytest.raises(AssertionError, match="ServiceDown"):
        await house.begin()
    assert [] == house.map.switches


async def test_two_moves_of_one_database_are_one(house):
    await house.begin()

    with pytest.raises(Refused, match="another move of DB1 is under way"):
        await house.begin(actor="boris")


async def test_what_is_active_there_already_is_refused(house):
    with pytest.raises(Refused, match="is active on be1 already"):
        await house.begin(to="be1")


async def test_somebody_elses_change_in_the_middle_ends_it(house):
    number = await house.begin()
    switch = house.map.switch

    async def too_late(*arguments, **keywords):
        house.map.edit("DB1", "be9")
        await switch(*arguments, **keywords)

    house.map.switch = too_late
    await house.until_over()

    operation = await house.operations.operation(number)
    assert OperationStatus.ESCALATED is operation.status
    assert {"DB1": "be9"}.items() <= (await house.map.active()).items()


async def test_a_server_is_emptied_and_filled_again(house):
    house.everybody_logs_in()
    await house.recovering.leading.renew()
    drained = await house.ordering.drain("be1", actor="anna", reason="disks", dry_run=False, force=False)
    await house.until_over()

    assert OperationStatus.HEALED is (await house.operations.operation(*drained.operations)).status
    assert {"DB1": "be2", "DB2": "be2"} == await house.map.active()
    assert ["be1"] == [hold.subject for hold in house.holds], "nothing comes back by itself"

    await house.ordering.undrain("be1", actor="anna", reason="done", dry_run=False, move_back=True)
    await house.until_over()

    assert {"DB1": "be1", "DB2": "be2"} == await house.map.active()
    assert [] == house.holds


async def test_moves_that_begin_together_do_not_fill_a_server_beyond_its_capacity(house):
    both = {
        name: replace(one, copies=("be1", "be2"), active="be1") for name, one in house.organization.databases.items()
    }
    house.organization = replace(house.organization, databases=both)
    house.map.edit("DB2", "be1")
    house.whereabouts.use(house.organization, house.map)
    house.moves = replace(house.moves, capacity=3)
    await house.copying.look()
    await house.recovering.leading.renew()

    begun = await house.ordering.drain("be1", actor="anna", reason="", dry_run=False, force=False)
    await house.until_over()

    assert ["be2", None] == [move.target for move in begun.moves], "as it was shown"
    active = await house.map.active()
    assert ["be1", "be2"] == sorted(active.values())
    stays = next(one for one in await house.operations.operations() if one.kind is OperationKind.DRAIN)
    assert "it has no room: 2 mailboxes are active on its server" in stays.because


async def test_a_move_that_leads_to_the_server_that_is_emptied_keeps_no_other_from_leaving(house):
    await house.recovering.leading.renew()
    held = house.recovering.leading.held
    other = await house.recovering.executor.opening.move("DB2", held=held, because="home", to="be1")
    house.organization = house.organization.with_active({"DB1": "be1", "DB2": "be1"})  # it has switched already
    deed = house.recovering.executor.facts.deed(
        StepName.MOVE_DATABASES,
        "be1",
        operation=replace(house.recovering.executor.opening.drain_of("be1", actor="anna"), id=99),
    )

    kept = await deed.do()

    assert [f"DB2 is being moved to be1 by recovery {other.id}, which has to end first"] == kept["not_begun"]
    begun = [await house.operations.operation(number) for number in kept["moves"]]
    assert ["DB1"] == [one.data["database"] for one in begun]


async def test_what_cannot_move_stays_and_is_named_and_the_rest_moves(house):
    databases = house.organization.databases
    house.map.edit("DB2", "be1")
    house.organization = replace(
        house.organization,
        databases={**databases, "DB2": replace(databases["DB2"], active="be1", copies=("be1",))},
    )
    house.whereabouts.use(house.organization, house.map)
    await house.copying.look()
    await house.recovering.leading.renew()

    drained = await house.ordering.drain("be1", actor="anna", reason="disks", dry_run=False, force=False)
    await house.until_over()

    operation = await house.operations.operation(*drained.operations)
    assert OperationStatus.ESCALATED is operation.status
    assert "DB2" in operation.because
    assert {"DB1": "be2", "DB2": "be1"} == await house.map.active()


@pytest.mark.parametrize("at", range(0, 120, 3))
async def test_killed_at_any_instant_it_is_finished_by_the_next_manager(at):
    house = MovableHouse()
    house.everybody_logs_in()
    house.proxies["proxy1"].write("anna", "the last mail")
    await house.begin()
    fuse = Fuse(at)
    mortal = dict(house.proxies), dict(house.replication), house.map
    house.proxies = {name: Mortal(proxy, fuse) for name, proxy in mortal[0].items()}
    house.replication = {name: Mortal(one, fuse) for name, one in mortal[1].items()}
    first = house.a_manager(Mortal(house.operations, fuse))
    with suppress(Killed):
        await house.until_over(first)
    house.proxies, house.replication = mortal[0], mortal[1]
    await first.leading.release()
    house.clock.advance(timedelta(seconds=6))

    second = house.a_manager()
    await house.until_over(second)

    (operation,) = await house.operations.operations()
    assert OperationStatus.HEALED is operation.status, operation.because
    assert {"DB1": "be2", "DB2": "be2"} == await house.map.active()
    assert "the last mail" in house.servers.messages("be2", "anna")
    assert [("DB1", "be1", "be2")] == house.map.switches
