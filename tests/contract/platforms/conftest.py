"""Each implementation of ServiceControl with a service to control, and the means to kill it."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import mailward
from mailward.model.errors import TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.supervisor.supervised_service import SupervisedService
from mailward.ports.service_control import ServiceControl
from mailward.testing.platform import TameService

#: A master that ends in order like Dovecot: it removes its pid file, given as $0.
_MASTER = "trap 'rm -f \"$0\"; exit 0' TERM; trap : HUP; while :; do sleep 0.02; done"


@dataclass
class Controlled:
    """A running service and its control."""

    control: ServiceControl
    kill: Callable[[], Awaitable[None]]
    """Ends the master as a crash would."""
    can_start: bool
    unreachable: ServiceControl
    """A control whose host cannot be asked."""


@pytest.fixture(params=["supervisor", "pid file", "tame"])
async def service(request: pytest.FixtureRequest) -> AsyncIterator[Controlled]:
    """One running service per implementation."""
    makers = {"supervisor": _supervised, "pid file": _by_pid_file, "tame": _tame}
    directory = Path(tempfile.mkdtemp(prefix="mwc-"))
    try:
        async with makers[request.param](directory) as controlled:
            yield controlled
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def _supervised(lab: Path) -> AsyncIterator[Controlled]:
    directory = lab / "host"  # a supervisor that ends removes its host's directory, and the one above: the lab's
    directory.mkdir()
    plan = {
        "name": "host",
        "command": ["/bin/sh", "-c", _MASTER, str(directory / "no.pid")],
        "check": ["/bin/true"],
        "listeners": [],
        "output": str(directory / "output.log"),
    }
    (directory / "supervisor.json").write_text(json.dumps(plan))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-m", "mailward.lab.supervisor", str(directory), "--owned",
        stdin=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(mailward.__file__).parent.parent)},
    )  # fmt: skip
    control = SupervisedService(directory / "control.sock")

    async def kill() -> None:
        reader, writer = await asyncio.open_unix_connection(directory / "control.sock")
        writer.write(b'{"verb": "kill"}\n')
        await reader.readline()
        writer.close()

    try:
        await _until_running(control)
        unreachable = SupervisedService(directory / "nosuch.sock")
        yield Controlled(control, kill, can_start=True, unreachable=unreachable)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def _by_pid_file(directory: Path) -> AsyncIterator[Controlled]:
    pid_file = directory / "master.pid"
    process = await asyncio.create_subprocess_exec("/bin/sh", "-c", _MASTER, str(pid_file))
    pid_file.write_text(f"{process.pid}\n")
    (directory / "nonsense.pid").write_text("hello")

    async def kill() -> None:
        process.kill()
        await process.wait()

    control = PidFileService(pid_file)
    try:
        await _until_running(control)
        yield Controlled(control, kill, can_start=False, unreachable=PidFileService(directory / "nonsense.pid"))
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def _tame(_: Path) -> AsyncIterator[Controlled]:
    control, unreachable = TameService(), TameService()
    unreachable.unreachable = "the host is gone"

    async def kill() -> None:
        control.become(ServiceState.FAILED, "it was killed")

    yield Controlled(control, kill, can_start=True, unreachable=unreachable)


async def _until_running(control: ServiceControl) -> None:
    async with asyncio.timeout(10):
        while True:
            with suppress(TemporaryFailure):
                if (await control.status()).state is ServiceState.RUNNING:
                    return
            await asyncio.sleep(0.01)
