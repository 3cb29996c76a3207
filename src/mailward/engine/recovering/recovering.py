"""
The loop of recoveries: starts what broken monitors and failed services ask for, and takes what is open further.

Detection goes on whatever happens here. Nothing starts before the store was read, while the lease is not held, or while
the store is out of reach. One operation that raises is put off and told; it never stops its neighbours.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from mailward.engine.recovering.agenda import Agenda
from mailward.engine.recovering.ended import KEPT_FOR, Ended
from mailward.engine.recovering.executor import Executor
from mailward.engine.recovering.leading import Leading
from mailward.engine.recovering.record import Record
from mailward.engine.recovering.world import World
from mailward.model.errors import LeaseLost, MailwardError, Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.items import CERTIFICATE_MONITOR
from mailward.model.monitoring import MonitorStatus
from mailward.model.recovery import Mode, Operation, OperationKind
from mailward.model.verdict import Tier
from mailward.ports.lease import Held, Lease
from mailward.ports.operations import Operations
from mailward.recovery.triggers import Trigger, exit_trigger, may_start, trigger_of

log = logging.getLogger(__name__)

EVERY = timedelta(milliseconds=100)
"""Between two looks at what is due: a failed service is to be started within a second."""
SCAN_EVERY = timedelta(milliseconds=500)
"""Between two looks at all monitors, of which there may be thousands."""
STATUSES_AT_ONCE = 100
TURNS_AT_ONCE = 20
"""Operations that go on at the same time: each looks at hosts."""
PUT_OFF = timedelta(seconds=5)
"""After an operation raised."""
ENDED_MOST = 10_000


class Recovering:
    """Everything about recoveries that goes on by itself."""

    def __init__(self, world: World, operations: Operations, lease: Lease, *, owner: str) -> None:
        """
        Args:
            world: The engine.
            operations: Where recoveries are kept.
            lease: Who may act.
            owner: This process, unique among all that may act.
        """
        self._world = world
        self._operations = operations
        self.leading = Leading(lease, owner=owner, on_change=self._led)
        self.ended = Ended()
        self.record = Record(operations)
        self.executor = Executor(world, self.record, self.leading, ended=self.ended, on_begun=self.take_over)
        self.agenda = Agenda()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._failed: dict[str, ServiceStatus] = {}
        self._is_loaded = False
        self._scan_at = 0.0
        self._wanted = asyncio.Event()

    # asked from outside

    @property
    def open(self) -> tuple[Operation, ...]:
        """Operations that are not over, as they stand."""
        return self.agenda.all()

    def on_exit(self, server: str, status: ServiceStatus) -> None:
        """A host says that a service ended: one that failed is recovered at once."""
        if status.state is ServiceState.FAILED:
            self._failed[server] = status
        for operation in self.agenda.all():
            if operation.server == server:
                self.agenda.hurry(operation.id, self._world.clock.now())
        self._wanted.set()

    def hurry(self) -> None:
        """Something changed that gates look at: a hold, an approval, the configuration."""
        for operation in self.agenda.all():
            self.agenda.hurry(operation.id, self._world.clock.now())
        self._wanted.set()

    def take_over(self, operation: Operation) -> None:
        """An operator changed how an operation stands."""
        self.agenda.put(operation)
        self.ended.note(operation)
        self.agenda.hurry(operation.id, self._world.clock.now())
        self._wanted.set()

    # the loop

    async def run(self) -> None:
        """Lead, start and go on until cancelled."""
        leading = asyncio.create_task(self.leading.run(), name="the lease")
        try:
            while True:
                self._wanted.clear()
                await self.turn()
                try:
                    async with asyncio.timeout(EVERY.total_seconds()):
                        await self._wanted.wait()
                except TimeoutError:
                    pass
        finally:
            leading.cancel()
            await self._stop()

    async def turn(self) -> None:
        """Start what is asked for, and set going what is due."""
        held = self.leading.held
        if held is None or self._world.settings().mode is Mode.OBSERVE:
            self._is_loaded = False  # whoever led meanwhile may have changed everything
            return
        try:
            if not self._is_loaded:
                await self._load(held)
            await self._start_what_is_asked_for(held)
        except LeaseLost as lost:
            log.info("recoveries: %s", lost)
            self._is_loaded = False
            return
        except MailwardError as failure:
            log.debug("recoveries: %s", failure)
            return
        self._go_on()

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    @asynccontextmanager
    async def quiet(self, number: int) -> AsyncIterator[None]:
        """Nothing of one operation is under way, nor begins, while this lasts: what it would write overwrites a yes."""
        with self.agenda.reserved(number):
            task = self._under_way.get(number)
            if task is not None:
                await asyncio.wait({task})
            yield

    async def _load(self, held: Held) -> None:
        now = self._world.clock.now()
        recent = await self._operations.operations(since=now - KEPT_FOR, limit=ENDED_MOST)
        self.ended.take_over(recent)
        self.agenda.replace_all(await self._operations.open())
        self._is_loaded = True
        await self._look_back_at_aborted(held)

    async def _look_back_at_aborted(self, held: Held) -> None:
        """A deed may have been under way when an operator ended its operation and the manager died: find out."""
        for deed in await self._operations.deeds(since=self._world.clock.now()):
            if deed.ended is not None or self.agenda.get(deed.operation) is not None:
                continue
            operation = await self._operations.operation(deed.operation)
            steps = await self._operations.steps(deed.operation)
            step = next((step for step in steps if step.seq == deed.seq), None)
            if operation is not None and step is not None:
                await self.executor.looking_back.settle(operation, step, held)

    async def _start_what_is_asked_for(self, held: Held) -> None:
        for server, exited in tuple(self._failed.items()):
            trigger = exit_trigger(server, exited.because, self._world.organization())
            if trigger is not None:
                await self._start(trigger, None, held)
            if self._failed.get(server) is exited:  # another one may have been told of meanwhile
                del self._failed[server]
        if _monotonic() < self._scan_at:
            return
        self._scan_at = _monotonic() + SCAN_EVERY.total_seconds()
        for place, status in enumerate(self._world.unwell()):
            if place % STATUSES_AT_ONCE == STATUSES_AT_ONCE - 1:
                await asyncio.sleep(0)  # thousands may be broken: probes must not wait for all of them
            if status.broken_since is None:
                continue
            trigger = trigger_of(status, self._world.organization(), certificate_is_stale=await self._is_stale(status))
            if trigger is not None:
                await self._start(trigger, status, held)

    async def _is_stale(self, status: MonitorStatus) -> bool:
        if status.key.item != CERTIFICATE_MONITOR or status.key.server not in self._world.organization().servers:
            return False
        return await self.executor.facts.certificate_is_stale(status.key.server) is True

    async def _start(self, trigger: Trigger, status: MonitorStatus | None, held: Held) -> None:
        if self._proxy_is_recovered(trigger) or self._fails_itself(trigger):
            return
        former = (*self.agenda.of_target(trigger.target), *self.ended.of(trigger.target))
        settings, now = self._world.settings(), self._world.clock.now()
        if not may_start(trigger, status, former, settings=settings, now=now):
            return
        if await self.executor.opening.recovery(trigger, held=held) is not None:
            return
        for one in await self._operations.open():  # its target has an open one that is not known here
            if self.agenda.get(one.id) is None:
                self.agenda.put(one)

    def _fails_itself(self, trigger: Trigger) -> bool:
        """A server under load whose own tests fail is recovered for that; load is about one that still works."""
        return trigger.kind is OperationKind.LOAD and self.executor.facts.fails_itself(trigger.server)

    def _proxy_is_recovered(self, trigger: Trigger) -> bool:
        """A touch point whose fault is a proxy that is being recovered already waits for that, and asks for nothing."""
        if trigger.kind is not OperationKind.CUSTOMER_TOUCH_POINT or trigger.verdict is None:
            return False
        server = trigger.verdict.server
        return trigger.verdict.tier is Tier.PROXY and server is not None and self.agenda.recovers_proxy(server)

    def _go_on(self) -> None:
        now = self._world.clock.now()
        due = self.agenda.due(
            now,
            _monotonic(),
            is_well=self.executor.is_well,
            look_again=self._world.settings().look_again,
            most=TURNS_AT_ONCE,
        )
        for number in due:
            self.agenda.begin(number)
            task = asyncio.create_task(self._advance(number), name=f"recovery {number}")
            self._under_way[number] = task
        self.ended.forget(now)

    async def _advance(self, number: int) -> None:
        operation, put_off = self.agenda.get(number), None
        try:
            if operation is not None:
                await self._keep(operation, await self.executor.advance(operation))
        except LeaseLost as lost:
            log.info("recovery %d: %s", number, lost)
            self._is_loaded = False
            put_off = PUT_OFF
        except Refused as refusal:  # an operator ended it meanwhile, or its host says no: the store knows how it stands
            log.info("recovery %d: %s", number, refusal)
            put_off = PUT_OFF
            await self._read_again(number)
        except TemporaryFailure as failure:
            log.warning("recovery %d goes on later: %s", number, failure)
            put_off = PUT_OFF
        except Exception:
            log.exception("recovery %d", number)
            put_off = PUT_OFF
        finally:
            self._under_way.pop(number, None)
            self.agenda.arrived(number, now=self._world.clock.now(), moment=_monotonic(), put_off=put_off)
            self._wanted.set()

    async def _keep(self, before: Operation, after: Operation) -> None:
        """Take the new standing over, unless an operator changed it meanwhile: then the store knows."""
        if self.agenda.get(before.id) is not before:
            await self._read_again(before.id)
            return
        self.agenda.put(after)
        self.ended.note(after)
        if after.kind is OperationKind.MOVE and after.status.is_over:
            await self._world.look_at_copies()

    async def _read_again(self, number: int) -> None:
        try:
            stored = await self._operations.operation(number)
        except TemporaryFailure:
            return
        if stored is not None:
            self.agenda.put(stored)
            self.ended.note(stored)

    async def _stop(self) -> None:
        """A deed under way gets the time to be written down; what waits goes on after the next start."""
        tasks = tuple(self._under_way.values())
        if tasks:
            await asyncio.wait(tasks, timeout=2.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.leading.release()

    def _led(self, leads: bool, because: str) -> None:
        self._is_loaded = False
        kind = EventKind.LEADERSHIP_TAKEN if leads else EventKind.LEADERSHIP_LOST
        now = self._world.clock.now()
        self._world.record(Event(at=now, kind=kind, subject="mailward", because=because))
        self._wanted.set()


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
