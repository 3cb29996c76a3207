"""The engine and whoever looks after its process."""

import asyncio
from dataclasses import replace

import pytest

from mailward.engine.engine import Engine
from mailward.model.errors import ConfigError
from mailward.testing.service_manager import RecordingServiceManager

from .test_engine import Bench, until


@pytest.fixture
def listener() -> RecordingServiceManager:
    return RecordingServiceManager()


@pytest.fixture
def bench(listener: RecordingServiceManager) -> Bench:
    bench = Bench()
    bench.parts = replace(bench.parts, service_manager=listener)
    return bench


def words(listener: RecordingServiceManager) -> list[str]:
    return [word for word, _ in listener.told]


async def test_from_its_start_to_its_end_it_tells_what_it_does(bench, listener):
    async with bench.running() as engine:
        assert [] == listener.told, "it cannot be asked yet"
        engine.announce()
        await until(lambda: words(listener).count("alive") > 2)
        engine.reload(actor="a test")
        bench.settings.error = "wrong"
        with pytest.raises(ConfigError):
            engine.reload(actor="a test")

    told = [word for word in words(listener) if word != "alive"]
    assert ["ready", "reloading", "ready", "reloading", "ready", "stopping"] == told
    assert "stopping" == words(listener)[-1]
    assert ("ready", "watching 2 servers, 0 monitors Unhealthy, mode recommend") == listener.told[0]
    last = next(status for word, status in reversed(listener.told) if word == "ready")
    assert last.endswith("the configuration on disk is refused and the old one in force")


async def test_a_loop_that_no_longer_turns_gives_no_sign_of_life_while_the_process_runs_on(bench, listener):
    async with bench.running() as engine:
        engine.announce()
        await until(lambda: words(listener).count("alive") > 2)
        end_the_loop_of(engine)
        await until(lambda: engine.timetable.worst_lateness(monotonic()) > 0.2)
        before = words(listener).count("alive")
        await until(lambda: engine.timetable.worst_lateness(monotonic()) > 0.4)

        assert before == words(listener).count("alive")


def monotonic() -> float:
    return asyncio.get_running_loop().time()


def end_the_loop_of(engine: Engine) -> None:
    """Let the loop that starts probes break, as a bug in the timetable would."""

    def broken(now: float) -> None:
        raise ZeroDivisionError

    engine.timetable.due = broken
