"""
The manager killed at any instant of any procedure, and started again, finishes it with each deed done once.

Every call the executor makes of the store, of a service, of a host or of a probe is an instant; it dies before the call
takes effect, or after it took effect and before it returns. A second manager then goes on with what the store holds.
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailward.engine.recovering.recovering import Recovering
from mailward.model import items
from mailward.model.errors import TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import Mode, OperationStatus, StepOutcome

from .conftest import House

U = AlertValue.UNHEALTHY
MINUTE = timedelta(minutes=1)


class Killed(BaseException):
    """The process is gone."""


class Fuse:
    """Counts instants and burns at one of them."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0
        self.is_burnt = False

    def tick(self) -> None:
        if self.is_burnt:
            raise Killed  # a dead process does nothing more
        if self.passed == self.at:
            self.is_burnt = True
            raise Killed
        self.passed += 1


class Mortal:
    """Passes every call on, with an instant before and after it."""

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name == "command" or not callable(found):
            return found

        async def call(*arguments: Any, **keywords: Any) -> Any:
            self._fuse.tick()
            answer = await found(*arguments, **keywords)
            self._fuse.tick()
            return answer

        return call


def mortal_manager(house: House, fuse: Fuse) -> Recovering:
    """A manager that sees the same world, and dies when the fuse burns."""
    immortal = dict(house.services), dict(house.hosts), house.point, house.ask
    house.services = {name: Mortal(service, fuse) for name, service in house.services.items()}
    house.hosts = {name: Mortal(host, fuse) for name, host in house.hosts.items()}
    house.point = Mortal(house.point, fuse)

    async def ask(key: Any) -> Any:
        fuse.tick()
        return await immortal[3](key)

    house.ask = ask  # type: ignore[method-assign]
    return house.a_manager(Mortal(house.operations, fuse))


def make_immortal(house: House) -> None:
    house.services = {name: service._inner for name, service in house.services.items()}
    house.hosts = {name: host._inner for name, host in house.hosts.items()}
    house.point = house.point._inner
    del house.ask


async def failed(house: House) -> None:
    house.services["be1"].become(ServiceState.FAILED)
    house.monitor("be1", state=U, broken_for=2 * MINUTE)


async def hung(house: House) -> None:
    house.services["be1"].become(ServiceState.HUNG)
    house.monitor("be1", state=U, broken_for=2 * MINUTE)


async def stale(house: House) -> None:
    house.certificates["be1"], house.on_disk["be1"] = "old", "new"
    service = house.services["be1"]
    reload = service.reload

    async def reload_and_serve() -> None:
        await reload()
        house.certificates["be1"] = "new"

    service.reload = reload_and_serve
    await house.ask(next(p.key for p in house.recovering._world.coverage().probes if p.key.server == "be1"))
    house.monitor("be1", items.CERTIFICATE_MONITOR, AlertValue.DEGRADED)


async def proxy_that_stays_broken(house: House) -> None:
    house.services["proxy1"].become(ServiceState.HUNG)
    house.monitor("proxy2", items.PROXY_TEST_MONITOR)
    house.monitor("proxy1", items.PROXY_TEST_MONITOR, U, broken_for=2 * MINUTE)
    house.is_well = lambda key: key.server != "proxy1"


async def proxy_whose_server_is_restarted(house: House) -> None:
    await proxy_that_stays_broken(house)
    servers = house.organization.servers
    house.organization = replace(
        house.organization, servers={**servers, "proxy1": replace(servers["proxy1"], restartable=True)}
    )
    house.settings = replace(house.settings, classes=dict.fromkeys(house.settings.classes, Mode.ACT))
    boots = house.hosts["proxy1"]
    house.is_well = lambda key: key.server != "proxy1" or boots.restarts > 0


#: What breaks, and the deeds that mend it or are tried, each once.
SITUATIONS: dict[str, tuple[Callable, list[tuple[str, str]], OperationStatus]] = {
    "a failed service": (failed, [("be1", "start")], OperationStatus.HEALED),
    "a hung service": (hung, [("be1", "restart")], OperationStatus.HEALED),
    "a stale certificate": (stale, [("be1", "reload")], OperationStatus.HEALED),
    "a proxy that stays broken": (
        proxy_that_stays_broken,
        [("proxy1", "restart"), ("proxy1", "take_out")],
        OperationStatus.WAITING,
    ),
    "a proxy that only the restart of its server mends": (
        proxy_whose_server_is_restarted,
        [
            ("proxy1", "restart"),
            ("proxy1", "take_out"),
            ("proxy1", "restart server"),
            ("proxy1", "put_back"),
        ],
        OperationStatus.HEALED,
    ),
}


def done(house: House) -> list[tuple[str, str]]:
    return sorted([*house.deeds(), *((server, deed) for deed, server in house.point.deeds)])


async def break_and_kill(situation: str, at: int) -> tuple[House, Fuse]:
    house = House()
    await SITUATIONS[situation][0](house)
    fuse = Fuse(at)
    manager = mortal_manager(house, fuse)
    with contextlib.suppress(Killed):
        await house.go_on(manager)
    for task in tuple(manager._under_way.values()):
        task.cancel()
    make_immortal(house)
    return house, fuse


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_killed_at_any_instant_it_is_finished_by_the_next_with_each_deed_done_once(situation):
    _, expected, status = SITUATIONS[situation]
    at, instants = 0, None
    while instants is None:
        house, fuse = await break_and_kill(situation, at)
        if not fuse.is_burnt:
            instants = at
        house.clock.advance(timedelta(seconds=6))  # the dead manager's lease runs out
        successor = house.a_manager()
        for _ in range(8):
            await house.wait(timedelta(seconds=20), successor)
        operations = await house.operations.operations()
        told = [(step.name, step.outcome) for one in operations for step in await house.steps(one.id)]
        where = f"killed at instant {at}: {told}"
        assert sorted(expected) == done(house), where
        assert [status] == [operation.status for operation in operations if operation.server != "be2"], where
        at += 1
    assert instants > 8


async def test_a_deed_whose_outcome_could_not_be_stored_is_not_repeated_when_the_store_is_back():
    house = House()
    await failed(house)
    inner = house.operations

    class Forgetful:
        """The store goes away as soon as the service was started."""

        def __getattr__(self, name: str) -> Any:
            found = getattr(inner, name)

            async def call(*arguments: Any, **keywords: Any) -> Any:
                if name == "save" and house.services["be1"].deeds and house.services["be1"].away:
                    house.services["be1"].away -= 1
                    raise TemporaryFailure("the disk is full")
                return await found(*arguments, **keywords)

            return call

    house.services["be1"].away = 1  # type: ignore[attr-defined]
    manager = house.a_manager(Forgetful())  # type: ignore[arg-type]

    await house.go_on(manager)

    assert [("be1", "start")] == house.deeds()
    assert OperationStatus.HEALED == (await house.operation()).status
    assert StepOutcome.DONE == next(step for step in await house.steps() if step.action is not None).outcome


async def test_a_manager_that_lost_its_lease_does_not_act():
    house = House()
    await failed(house)
    await house.recovering.leading.renew()
    house.clock.advance(timedelta(seconds=6))
    other = house.a_manager()
    await other.leading.renew()
    assert other.leading.held is not None

    for _ in range(10):
        await house.recovering.turn()
        await house.recovering.settled()

    assert [] == house.deeds()
