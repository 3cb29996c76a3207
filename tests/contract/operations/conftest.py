"""Every implementation of Operations, with the lease that goes with it, and a restart of each."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailward.model.event import Event
from mailward.ports.lease import Held, Lease
from mailward.ports.operations import LEASE, Operations
from mailward.ports.store import Store
from mailward.storage.lease import SqliteLease
from mailward.storage.operations import SqliteOperations
from mailward.storage.sqlite import SqliteStore
from mailward.testing.memory_operations import MemoryOperations
from mailward.testing.memory_store import MemoryLease, MemoryStore
from mailward.testing.platform import SetClock


class Place:
    """Where recoveries are kept, by one implementation; `operations` is None until it is opened."""

    operations: Operations
    store: Store
    lease: Lease

    def __init__(self, kind: str, path: Path, clock: SetClock) -> None:
        self.clock = clock
        self.told = 0
        self._kind = kind
        self._path = path
        self._memory = MemoryStore(clock=clock)
        self._memory_lease = MemoryLease(clock=clock)

    async def open(self) -> None:
        """Open, for the first time or after a restart."""
        if self._kind == "memory":
            self.store, self.lease = self._memory, self._memory_lease
            self.operations = MemoryOperations(self._memory, self._memory_lease, stored=self._tell)
            return
        store = SqliteStore(self._path, clock=self.clock)
        await store.open()
        self.store, self.lease = store, SqliteLease(store.database)
        self.operations = SqliteOperations(store.database, stored=self._tell)

    async def restart(self) -> None:
        """Let go and open again."""
        await self.store.close()
        await self.open()

    async def lead(self, owner: str = "a") -> Held:
        """Take the lease, for a minute."""
        held = await self.lease.take(LEASE, owner, for_=timedelta(minutes=1))
        assert held is not None
        return held

    async def events(self) -> list[tuple[str, int | None]]:
        """Sentence and operation of each stored event."""
        return [(event.because, event.operation) for event in await self.stored_events()]

    async def stored_events(self) -> tuple[Event, ...]:
        """Every stored event."""
        return await self.store.events()

    def _tell(self) -> None:
        self.told += 1


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["memory", "sqlite"])
async def place(request, tmp_path, clock) -> AsyncIterator[Place]:
    made = Place(request.param, tmp_path / "state" / "db", clock)
    await made.open()
    yield made
    await made.store.close()


@pytest.fixture
async def operations(place) -> Operations:
    return place.operations


@pytest.fixture
async def held(place) -> Held:
    return await place.lead()
