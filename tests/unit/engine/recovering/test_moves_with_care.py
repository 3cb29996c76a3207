"""What a hostile review of moves found, each once: two writers, innocent servers, proofs that were none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.engine.recovering.standing import stays
from mailward.failover.source import SourceState
from mailward.model import items
from mailward.model.copies import CopyKind
from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.model.holds import Hold, HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.organization import Organization
from mailward.model.recovery import Mode, Operation, OperationStatus, StepName, StepOutcome
from mailward.recovery.next_move import GiveBack

from .moving import MovableHouse
from .test_hard_cases import ordering

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def house() -> MovableHouse:
    house = MovableHouse()
    await house.copying.look()
    house.everybody_logs_in()
    return house


def use(house: MovableHouse, organization: Organization) -> None:
    house.organization = organization
    house.whereabouts.use(organization, house.map)


def change(house: MovableHouse, database: str, **how: object) -> None:
    databases = house.organization.databases
    changed = replace(databases[database], **how)  # type: ignore[arg-type]
    use(house, replace(house.organization, databases={**databases, database: changed}))


async def over(house: MovableHouse, number: int, *, seconds: float = 120) -> Operation:
    await house.until_over(seconds=seconds)
    operation = await house.operations.operation(number)
    assert operation is not None
    return operation


async def on(house: MovableHouse, address: str) -> set[str]:
    return {
        session.mailbox
        for proxy in house.proxies.values()
        for session in await proxy.sessions()
        if session.address == address
    }


async def test_a_session_to_an_address_nobody_knows_counts_as_one_to_the_source(house):
    """`imap.host` is often a name, and a proxy tells addresses."""
    house.servers.addresses.update(be1="192.0.2.1", be2="be2")

    operation = await over(house, await house.begin())

    assert OperationStatus.HEALED is operation.status, operation.because
    assert not {"anna", "boris"} & await on(house, "192.0.2.1")


async def test_a_mailbox_is_the_same_in_capitals(house):
    house.map._mailboxes["DB1"] = ("Anna", "boris")
    for replication in house.replication.values():
        replication.mailboxes = (*replication.mailboxes, "Anna")
        replication._copy("Anna")

    await over(house, await house.begin())

    assert not {"anna", "boris"} & await on(house, "be1")


@pytest.mark.parametrize("unknown", ["no health mailbox", "only the self test fails"])
async def test_what_is_not_known_to_be_broken_is_never_stopped(house, unknown):
    if unknown == "no health mailbox":
        change(house, "DB1", health_mailbox=None)
    else:
        house.is_well = lambda key: not (key.server == "be1" and key.probe == items.SELF_TEST_PROBE)
    await house.copying.look()

    operation = await over(house, await house.begin())

    assert OperationStatus.ESCALATED is operation.status
    assert "not known how it is" in operation.because
    assert [] == house.deeds()
    assert [] == house.map.switches


async def test_a_map_that_hangs_up_after_the_switch_leaves_nothing_half_done(house):
    house.map.hangs_up = True

    operation = await over(house, await house.begin())

    assert OperationStatus.HEALED is operation.status, operation.because
    assert not {"anna", "boris"} & await on(house, "be1")


async def test_a_server_whose_users_could_not_be_ended_is_not_proven_empty(house):
    async def never(_mailboxes: object) -> None:
        raise TemporaryFailure("the proxy does not answer")

    for proxy in house.proxies.values():
        proxy.end_sessions = never
    await house.recovering.leading.renew()
    drained = await house.ordering.drain("be1", actor="anna", reason="disks", dry_run=False, force=False)

    operation = await over(house, *drained.operations, seconds=300)

    assert OperationStatus.ESCALATED is operation.status
    assert "anna" in await on(house, "be1") | await on(house, "be2")


@pytest.mark.parametrize("row", [("DB9", "be1"), ("DB2", "be1 and be2")])
async def test_rows_of_the_map_that_are_not_understood_prove_nothing(house, row):
    house.map.edit(*row)
    await house.recovering.leading.renew()
    drained = await house.ordering.drain("be1", actor="anna", reason="disks", dry_run=False, force=False)

    operation = await over(house, *drained.operations)

    assert OperationStatus.ESCALATED is operation.status
    assert "not proven to be empty" in " ".join(step.because for step in await house.steps(operation.id))


async def test_an_edit_of_the_map_just_before_the_switch_is_not_overwritten(house):
    number = await house.begin()
    sleep, edited = house.sleep, False

    async def edits(seconds: float) -> None:
        nonlocal edited
        if not edited:
            house.map.edit("DB1", "be9")
            edited = True
        await sleep(seconds)

    house.clock.advance(timedelta(seconds=0.2))  # so that the switch waits for its moment in the second
    house.recovering.executor.facts._move_deeds._world = replace(house.recovering._world, sleep=edits)

    operation = await over(house, number)

    assert OperationStatus.ESCALATED is operation.status
    assert "be9" == (await house.map.active())["DB1"]


async def test_a_map_of_full_names_gets_the_full_name_of_the_target(house):
    servers = house.organization.servers
    named = {
        name: replace(server, known_as=frozenset({f"{name}.example.net"})) if name.startswith("be") else server
        for name, server in servers.items()
    }
    use(house, replace(house.organization, servers=named))
    for database in ("DB1", "DB2"):
        house.map.edit(database, "be1.example.net")
    await house.whereabouts.read()
    await house.copying.look()

    operation = await over(house, await house.begin())

    assert OperationStatus.HEALED is operation.status, operation.because
    assert "be2.example.net" == (await house.map.active())["DB1"]


@pytest.mark.parametrize("what", ["the target died", "the target was blocked"])
async def test_what_changed_while_it_waited_is_looked_at_before_anybody_is_moved(house, what):
    number = await house.begin()
    await house.go_on(turns=2)
    house.stopped = "the file STOP exists"
    await house.go_on()
    if what == "the target died":
        house.services["be2"].become(ServiceState.FAILED)
    else:
        await house._hold(
            Hold(
                kind=HoldKind.ACTIVATION,
                subject="be2",
                value="blocked",
                owner="boris",
                reason="slow disks",
                since=house.clock.now(),
            )
        )
    house.stopped = None

    operation = await over(house, number)

    assert OperationStatus.ESCALATED is operation.status, operation.because
    assert [] == house.map.switches


async def test_a_database_that_somebody_moved_is_not_moved_back(house):
    number = await house.begin()
    house.map.edit("DB1", "be2")

    operation = await over(house, number)

    assert "somebody has moved DB1 from be1 to be2" in operation.because
    assert [] == house.map.switches


async def test_a_database_that_somebody_moved_where_it_was_to_go_is_moved(house):
    number = await house.begin(to="be2")
    house.map.edit("DB1", "be2")

    operation = await over(house, number)

    assert OperationStatus.HEALED is operation.status, operation.because
    assert [] == house.map.switches


async def test_on_shared_storage_nothing_is_synchronised_and_nothing_is_left_unfenced(house):
    change(house, "DB1", replication=CopyKind.SHARED_STORAGE)
    await house.copying.look()
    planned = await over(house, await house.begin())
    assert OperationStatus.HEALED is planned.status, planned.because

    house.servers.dead.add("be2")
    house.is_well = lambda key: key.server != "be2"
    house.services["be2"].unreachable = "no route"
    forced = await over(house, await house.begin())

    assert OperationStatus.ESCALATED is forced.status
    assert [("DB1", "be1", "be2")] == house.map.switches, "two servers on one store is worse than none"


async def test_proxies_that_tell_no_addresses_do_not_kick_those_who_came_back(house):
    """Dovecot 2.4."""
    kicks = 0
    for proxy in house.proxies.values():
        sessions, end = proxy.sessions, proxy.end_sessions

        async def told(sessions=sessions):  # type: ignore[no-untyped-def]
            return tuple(replace(session, address=None) for session in await sessions())

        async def ended(mailboxes, end=end, proxy=proxy):  # type: ignore[no-untyped-def]
            nonlocal kicks
            kicks += 1
            await end(mailboxes)
            for mailbox in mailboxes:
                proxy.log_in(mailbox)

        proxy.sessions, proxy.end_sessions = told, ended

    operation = await over(house, await house.begin())

    assert OperationStatus.HEALED is operation.status, operation.because
    assert kicks <= 4


async def test_a_database_of_nobody_proves_nothing(house):
    house.map._mailboxes["DB1"] = ()

    operation = await over(house, await house.begin())

    assert OperationStatus.ESCALATED is operation.status
    assert "knows no mailbox of DB1" in operation.because


async def test_a_pause_stops_the_moves_of_a_recovery_and_not_those_of_a_person(house):
    house.settings = replace(house.settings, classes=dict.fromkeys(house.settings.classes, Mode.ACT))
    house.services["be1"].become(ServiceState.HUNG)
    house.is_well = lambda key: key.server != "be1"
    house.monitor("be1", state=AlertValue.UNHEALTHY, broken_for=2 * MINUTE)
    while not [one for one in await house.operations.operations() if one.kind.value == "move"]:
        await house.go_on(turns=1)
    pause = Hold(
        kind=HoldKind.PAUSE, subject="organization", value="on", owner="anna", reason="wait", since=house.clock.now()
    )
    await house._hold(pause)

    await house.until_over(seconds=20)

    assert [] == house.map.switches


async def test_who_ends_the_emptying_of_a_server_ends_its_moves(house):
    await house.recovering.leading.renew()
    drained = await house.ordering.drain("be1", actor="anna", reason="disks", dry_run=False, force=False)
    await house.go_on(turns=1)
    assert 2 == len(await house.operations.open())

    await ordering(house).abort(*drained.operations, actor="anna", reason="not today")

    assert () == await house.operations.open()
    await house.until_over()
    assert [] == house.map.switches


async def test_to_fill_a_server_says_whose_block_it_ends(house):
    block = Hold(
        kind=HoldKind.ACTIVATION,
        subject="be1",
        value="blocked",
        owner="boris",
        reason="slow disks",
        since=house.clock.now(),
    )
    await house._hold(block)
    await house.recovering.leading.renew()

    said = await house.ordering.undrain("be1", actor="anna", reason="", dry_run=True, move_back=False)

    assert "boris" in said.because
    assert "slow disks" in said.because


async def test_what_was_stopped_to_fence_it_is_told_of_when_the_move_fails(house):
    house.services["be1"].become(ServiceState.HUNG)
    house.is_well = lambda key: key.server != "be1"
    number = await house.begin()
    switch = house.map.switch

    async def refuses(*_arguments: object, **_keywords: object) -> None:
        raise Refused("somebody else has changed it")

    house.map.switch = refuses
    operation = await over(house, number)
    house.map.switch = switch

    assert OperationStatus.ESCALATED is operation.status
    assert "mailward service start be1" in operation.because


async def test_who_only_observes_takes_no_orders(house):
    house.settings = replace(house.settings, mode=Mode.OBSERVE)

    with pytest.raises(Refused, match="observe"):
        await house.begin()


async def test_a_copy_served_by_whom_nobody_says_is_not_verified(house):
    house.tells_who_serves = False
    number = await house.begin()

    operation = await over(house, number)

    assert OperationStatus.ESCALATED is operation.status
    verified = next(step for step in await house.steps(number) if step.name is StepName.VERIFY)
    assert StepOutcome.UNKNOWN is verified.outcome


async def test_a_server_that_a_person_empties_was_never_to_be_restarted(house):
    await house.recovering.leading.renew()
    drained = await house.ordering.drain("be1", actor="anna", reason="disks", dry_run=False, force=False)
    (number,) = drained.operations
    awaited = False
    while not awaited:
        house.clock.advance(timedelta(seconds=0.5))
        await house.go_on(turns=1)
        awaited = any(step.name is StepName.AWAIT_MOVES and step.ended for step in await house.steps(number))
    house.map.unreachable = "the map is away"

    await over(house, number)

    proven = next(step for step in await house.steps(number) if step.name is StepName.PROVE_EMPTY)
    assert "its active copies are not known: the map is away" == proven.because


async def test_what_was_fenced_is_not_told_twice(house):
    house.services["be1"].become(ServiceState.HUNG)
    house.is_well = lambda key: key.server != "be1"
    number = await house.begin()

    await over(house, number)

    fenced = next(step for step in await house.steps(number) if step.name is StepName.FENCE)
    assert (StepOutcome.DONE, "") == (fenced.outcome, fenced.because)


def test_what_stays_taken_away_is_said_as_it_is():
    back = GiveBack(place=0, step=StepName.ALLOW_ACTIVATION, server="be1")

    assert "the copies on be1 may not become active until it is well again" == stays(back)


async def test_what_it_takes_to_look_once_more_is_not_taken_from_the_time_that_sessions_have_to_end(house):
    """Probes of a server that does not answer take their whole time-outs; a session of a user lives on there."""
    house.services["be1"].unreachable = "no route to its host"
    house.is_well = lambda key: key.server != "be1"
    house.proxies["proxy1"].log_in("anna")
    house.asking_takes = house.moves.sessions_end_within.total_seconds()
    number = await house.begin()

    await over(house, number)

    switched = next(step for step in await house.steps(number) if step.name is StepName.SWITCH_OVER)
    assert "mailboxes have sessions that lead there" in switched.because
    assert "DB1" in house.map.held, "new logins were held meanwhile, so that those that waited could end"


async def test_a_server_whose_host_says_that_it_has_ended_is_not_probed_while_users_wait(house):
    house.services["be1"].become(ServiceState.FAILED)
    house.is_well = lambda key: key.server != "be1"
    house.latest.clear()

    source = await house.recovering.executor.move_looks.source(house.organization.databases["DB1"])

    assert SourceState.GONE is source.state
    assert {} == house.latest


async def test_logins_that_wait_for_a_silent_server_have_until_their_proxy_gives_up(house):
    """Proxies wait longer than sessions are given elsewhere; nobody else could end these."""
    house.organization = replace(
        house.organization,
        servers={
            name: replace(server, backend_timeout=timedelta(seconds=40)) if server.is_proxy else server
            for name, server in house.organization.servers.items()
        },
    )
    house.services["be1"].unreachable = "no route to its host"
    house.is_well = lambda key: key.server != "be1"
    house.proxies["proxy1"].log_in("anna")
    house.as_time_passes = lambda: house.servers.dead.add("be1") if house.moment > 35 else None
    number = await house.begin()

    await over(house, number)

    assert OperationStatus.HEALED is (await house.operations.operation(number)).status
    assert "be2" == (await house.map.active())["DB1"]
