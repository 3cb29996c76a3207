"""`mailward run` as systemd starts it: a real process, and a real datagram socket that plays systemd."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from mailward.client.manager import ManagerClient

CONFIGURATION = """\
[organization]
name = "example"
[manager]
state_directory = "{state}"
[servers.mbx1]
roles = ["mailbox"]
[servers.mbx1.imap]
host = "127.0.0.1"
port = 1
security = "plain"
"""
WATCHDOG = timedelta(milliseconds=400)
READY = ["READY=1", "STATUS=watching 1 server, 0 monitors Unhealthy, mode recommend"]


class Systemd:
    """What systemd hears of the one process that it has started."""

    def __init__(self, home: Path) -> None:
        self.configuration = home / "mailward.toml"
        self.configuration.write_text(CONFIGURATION.format(state=home))
        self.client = ManagerClient(home / "api.sock")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(home / "notify"))
        self._log = (home / "log").open("wb")
        told = {
            "NOTIFY_SOCKET": str(home / "notify"),
            "WATCHDOG_USEC": str(WATCHDOG // timedelta(microseconds=1)),
        }
        self.process = subprocess.Popen(
            (sys.executable, "-m", "mailward.cli.main", "run", "--config", str(self.configuration)),
            env={**os.environ, **told},
            stdout=self._log,
            stderr=self._log,
        )

    def hears(self, seconds: float = 30) -> list[str]:
        """The lines of the next datagram."""
        self._socket.settimeout(seconds)
        return self._socket.recv(4096).decode().split("\n")

    def hears_next(self, word: str) -> list[str]:
        """The lines of the next datagram that is no mere sign of life; *word* is its first."""
        deadline = monotonic() + 30
        while (lines := self.hears())[0] == "WATCHDOG=1":
            assert monotonic() < deadline, f"{word} never came"
        assert word == lines[0]
        return lines

    def forget(self) -> None:
        """Take what has arrived already."""
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._socket.close()
        self._log.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    started = Systemd(tmp_path)
    try:
        yield started
    finally:
        started.close()


def test_it_is_ready_when_it_answers_and_tells_of_every_reload_and_of_its_end(systemd):
    assert READY == systemd.hears()
    assert 1 == systemd.client.status().servers, "the first question is answered"
    assert "WATCHDOG=1" == systemd.hears()[0]

    os.kill(systemd.process.pid, signal.SIGHUP)
    assert systemd.hears_next("RELOADING=1")[1].startswith("MONOTONIC_USEC=")
    assert READY[0] == systemd.hears_next("READY=1")[0]

    systemd.configuration.write_text("[organisation]\n")
    os.kill(systemd.process.pid, signal.SIGHUP)
    systemd.hears_next("RELOADING=1")
    assert "the configuration on disk is refused" in systemd.hears_next("READY=1")[1]

    systemd.process.terminate()
    assert ["STOPPING=1", "STATUS=ending"] == systemd.hears_next("STOPPING=1")
    assert 0 == systemd.process.wait(10)
    with pytest.raises(TimeoutError):
        systemd.hears(0.01)


def test_a_frozen_loop_feeds_no_watchdog_and_one_that_goes_on_does(systemd):
    assert READY == systemd.hears()
    assert "WATCHDOG=1" == systemd.hears()[0]

    os.kill(systemd.process.pid, signal.SIGSTOP)
    _wait_until_stopped(systemd.process.pid)
    systemd.forget()
    with pytest.raises(TimeoutError):
        systemd.hears(3 * WATCHDOG.total_seconds())

    os.kill(systemd.process.pid, signal.SIGCONT)
    assert "WATCHDOG=1" == systemd.hears()[0]


def _wait_until_stopped(pid: int) -> None:
    deadline = monotonic() + 10
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert monotonic() < deadline, "it does not stop"
