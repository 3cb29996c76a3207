"""The mailbox-server procedure, whose middle are moves: emptied, proven empty, restarted, allowed again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model import items
from mailward.model.evidence import ServiceState
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import Mode, OperationKind, OperationStatus, StepName, StepOutcome
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict
from mailward.ports.service_control import ConfigurationCheck

from .moving import MovableHouse

MINUTE = timedelta(minutes=1)
U = AlertValue.UNHEALTHY


@pytest.fixture
async def house() -> MovableHouse:
    house = MovableHouse()
    await house.copying.look()
    return house


class TestRecovery:
    """The mailbox-server procedure, now complete."""

    @pytest.fixture(autouse=True)
    def _acts(self, house):
        house.settings = replace(house.settings, classes=dict.fromkeys(house.settings.classes, Mode.ACT))
        servers = house.organization.servers
        house.organization = replace(
            house.organization, servers={**servers, "be1": replace(servers["be1"], restartable=True)}
        )
        house.whereabouts.use(house.organization, house.map)

    async def test_a_server_that_a_restart_does_not_mend_is_emptied_restarted_and_filled_when_well(self, house):
        house.services["be1"].become(ServiceState.HUNG)
        house.is_well = lambda key: key.server != "be1" or house.hosts["be1"].restarts > 0
        house.monitor("be1", state=U, broken_for=2 * MINUTE)

        await house.until_over(seconds=400)

        (recovery,) = [one for one in await house.operations.operations() if one.kind is OperationKind.MAILBOX_SERVER]
        steps = [step.name for step in await house.steps(recovery.id) if step.outcome is StepOutcome.DONE]
        assert OperationStatus.HEALED is recovery.status, recovery.because
        wanted = [
            StepName.RESTART_SERVICE,
            StepName.MOVE_DATABASES,
            StepName.AWAIT_MOVES,
            StepName.PROVE_EMPTY,
            StepName.RESTART_SERVER,
            StepName.ALLOW_ACTIVATION,
        ]
        assert wanted == [name for name in steps if name in wanted]
        assert "be2" == (await house.map.active())["DB1"]
        assert 1 == house.hosts["be1"].restarts
        names = [step.name for step in await house.steps(recovery.id)]
        moved = names.index(StepName.MOVE_DATABASES)
        assert StepName.AWAIT_MOVES is names[moved + 1], "it waits for its moves, and looks at nothing meanwhile"

    async def test_moves_that_succeed_are_no_remedies_that_were_in_vain(self, house):
        """However many databases were moved away: the server's restart still comes after them."""
        both = {
            name: replace(one, copies=("be1", "be2"), active="be1")
            for name, one in house.organization.databases.items()
        }
        house.organization = replace(house.organization, databases=both)
        house.map.edit("DB2", "be1")
        house.whereabouts.use(house.organization, house.map)
        await house.copying.look()
        house.services["be1"].become(ServiceState.HUNG)
        house.is_well = lambda key: key.server != "be1" or house.hosts["be1"].restarts > 0
        house.monitor("be1", state=U, broken_for=2 * MINUTE)

        await house.until_over(seconds=400)

        operations = await house.operations.operations()
        (recovery,) = [one for one in operations if one.kind is OperationKind.MAILBOX_SERVER]
        assert 2 == sum(one.kind is OperationKind.MOVE for one in operations)
        assert OperationStatus.HEALED is recovery.status, recovery.because
        assert 1 == house.hosts["be1"].restarts

    async def test_what_prefers_it_is_moved_back_where_that_is_set(self, house):
        house.moves = replace(house.moves, move_back=True)
        house.services["be1"].become(ServiceState.HUNG)
        machine = house.hosts["be1"]
        restart = machine.restart

        async def restart_and_come_back() -> None:
            await restart()
            house.services["be1"].become(ServiceState.RUNNING)

        machine.restart = restart_and_come_back
        house.is_well = lambda key: key.server != "be1" or machine.restarts > 0
        house.monitor("be1", state=U, broken_for=2 * MINUTE)

        await house.until_over(seconds=400)

        assert {"DB1": "be1", "DB2": "be2"} == await house.map.active()

    async def test_a_service_that_cannot_be_started_keeps_nobody_waiting(self, house):
        house.services["be1"].become(ServiceState.FAILED)
        house.services["be1"].configuration = ConfigurationCheck(is_valid=False, because="a missing brace")
        house.is_well = lambda key: key.server != "be1"
        house.monitor("be1", state=U, broken_for=2 * MINUTE)

        await house.until_over(seconds=120)

        assert {"DB1": "be2", "DB2": "be2"} == await house.map.active()
        assert ("be1", "start") not in house.deeds()

    async def test_copies_that_remain_forbid_the_restart(self, house):
        house.services["be1"].become(ServiceState.HUNG)
        house.is_well = lambda key: key.server != "be1"
        house.monitor("be1", state=U, broken_for=2 * MINUTE)
        house.services["be2"].become(ServiceState.STOPPED)

        await house.until_over(seconds=60)

        assert 0 == house.hosts["be1"].restarts
        assert [] == house.map.switches

    async def test_a_map_that_cannot_be_read_proves_nothing(self, house):
        house.services["be1"].become(ServiceState.HUNG)
        house.is_well = lambda key: key.server != "be1"
        house.monitor("be1", state=U, broken_for=2 * MINUTE)
        house.map.unreachable = "no route"

        await house.until_over(seconds=60)

        assert 0 == house.hosts["be1"].restarts

    async def test_the_store_of_one_database_moves_that_database_alone(self, house):
        verdict = Verdict(
            tier=Tier.STORE,
            confidence=Confidence.CERTAIN,
            because="DB1 cannot be read",
            server="be1",
            dependency=Dependency.INFORMATION_STORE,
        )
        house.monitor("be1", items.DEEP_TEST_MONITOR, U, target="DB1", broken_for=5 * MINUTE, verdict=verdict)
        house.is_well = lambda key: not (key.server == "be1" and key.probe == items.DEEP_TEST_PROBE)

        await house.until_over(seconds=200)

        (recovery,) = [one for one in await house.operations.operations() if one.kind is OperationKind.MAILBOX_SERVER]
        assert OperationStatus.HEALED is recovery.status, recovery.because
        assert "be2" == (await house.map.active())["DB1"]
        assert [] == house.deeds()
        assert ["be1/DB1"] == [hold.subject for hold in house.holds], "only that copy stays away"
