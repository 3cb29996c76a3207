"""A manager that answers at a real socket, and the command line run in this process or in one of its own."""

import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from argon2 import PasswordHasher

from mailward.cli.main import main
from mailward.cli.terminal import Terminal
from mailward.platforms.local.system_clock import SystemClock
from mailward.testing.manager_values import example_manager
from mailward.testing.memory_credentials import MemoryCredentials
from mailward.testing.memory_store import MemoryStore
from mailward.web.api import build_api
from mailward.web.keyring import Keyring
from mailward.web.passwords import Passwords
from mailward.web.serve import bind, serve

PLAIN = Terminal(width=None, colours=False)


@dataclass
class Ran:
    code: int
    out: str
    err: str


class ServedManager:
    """The example manager behind its API, in a thread with a loop of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.fake = self.do(self._start())

    def do(self, deed):
        return asyncio.run_coroutine_threadsafe(deed, self._loop).result(10)

    async def _start(self):
        fake, clock = example_manager(), SystemClock()
        passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        credentials = MemoryCredentials(MemoryStore(clock=clock))
        self.keyring = Keyring(credentials, clock=clock, passwords=passwords)
        self._serving = asyncio.ensure_future(serve(build_api(fake, keyring=self.keyring), bind(self.path)))
        return fake

    async def _stop(self):
        await self.fake.stop()
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)

    def close(self):
        self.do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def served():
    with TemporaryDirectory(prefix="mw") as name:
        manager = ServedManager(Path(name) / "api.sock")
        try:
            yield manager
        finally:
            manager.close()


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command line in this process."""
    monkeypatch.delenv("MAILWARD_SOCKET", raising=False)

    def ran(*words: str) -> Ran:
        code = main(words)
        said = capsys.readouterr()
        return Ran(code=code, out=said.out, err=said.err)

    return ran


@pytest.fixture
def ask(run, served):
    """Run a command line that asks the example manager."""

    def ran(*words: str) -> Ran:
        return run("--socket", str(served.path), *words)

    return ran


@pytest.fixture
def process():
    """Run a command line in a process of its own."""

    def ran(*words: str, environment: dict[str, str] | None = None, code: str | None = None, stdin: str = "") -> Ran:
        command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "mailward.cli.main", *words]
        around = os.environ | (environment or {})
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=around, input=stdin)
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    return ran
