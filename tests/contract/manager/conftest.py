"""The implementations of the Manager port: the fake itself, and the fake behind API, real socket and client."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mailward.client.manager import ManagerClient
from mailward.model.copies import CopyState
from mailward.model.recovery import Answer, Gate, GateAnswer
from mailward.ports.manager import Manager
from mailward.testing.manager import FakeManager
from mailward.testing.manager_values import example_manager
from mailward.web.api import build_api
from mailward.web.serve import bind, serve


class OverTheWire:
    """The synchronous client as a Manager: every question in a thread."""

    def __init__(self, client: ManagerClient) -> None:
        self._client = client

    def __getattr__(self, name):
        async def ask(*words, **keywords):
            keywords.pop("actor", None)  # the manager knows who is at the other end
            return await asyncio.to_thread(getattr(self._client, name), *words, **keywords)

        return ask

    async def follow(self, *, after):
        events = self._client.follow(after=after)
        try:
            while True:
                event = await asyncio.to_thread(next, events, StopAsyncIteration)
                if event is StopAsyncIteration:
                    return
                if event is not None:
                    yield event
        finally:
            with suppress(ValueError):  # a thread is still waiting inside
                events.close()


@dataclass
class Case:
    """One implementation, and the fake whose values it shows."""

    manager: Manager
    behind: FakeManager

    def gate_says(self, gate: Gate, answer: Answer, because: str) -> None:
        """Let a gate answer so to every order by hand."""
        self.behind.gates = (GateAnswer(gate=gate, answer=answer, because=because),)

    def copy_is(self, database: str, server: str, state: CopyState, because: str) -> None:
        """Let a copy stand so from now on."""
        self.behind.copied = [
            replace(row, state=state, because=because) if (row.database, row.server) == (database, server) else row
            for row in self.behind.copied
        ]

    def moves_fail(self, because: str) -> None:
        """Let what is moved from now on fail."""
        self.behind.move_trouble = because


@asynccontextmanager
async def served(fake: FakeManager, directory: Path) -> AsyncIterator[Path]:
    path = directory / "api.sock"
    serving = asyncio.ensure_future(serve(build_api(fake), bind(path)))
    try:
        yield path
    finally:
        await fake.stop()
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory whose name leaves room for a unix socket's 107 bytes."""
    with TemporaryDirectory(prefix="mw") as name:
        yield Path(name)


@pytest.fixture(params=["fake", "over the wire"])
async def case(request, short_directory) -> AsyncIterator[Case]:
    fake = example_manager()
    if request.param == "fake":
        yield Case(manager=fake, behind=fake)
        return
    async with served(fake, short_directory) as path:
        yield Case(manager=OverTheWire(ManagerClient(path)), behind=fake)


@pytest.fixture
async def socket_path(short_directory) -> AsyncIterator[tuple[Path, FakeManager]]:
    fake = example_manager()
    async with served(fake, short_directory) as path:
        yield path, fake
