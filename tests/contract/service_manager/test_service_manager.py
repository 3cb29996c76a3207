"""What every service manager hears: a real datagram socket plays systemd, beside the fake of the tests."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailward.platforms.local.notify_socket import NotifySocket
from mailward.ports.service_manager import ServiceManager
from mailward.testing.service_manager import RecordingServiceManager

WATCHDOG = timedelta(seconds=30)
_WORDS = {"READY=1": "ready", "WATCHDOG=1": "alive", "RELOADING=1": "reloading", "STOPPING=1": "stopping"}
Heard = Callable[[], list[tuple[str, str]]]


@pytest.fixture(params=["fake", "path", "abstract"])
def bench(request, tmp_path: Path) -> Iterator[tuple[ServiceManager, Heard]]:
    """A service manager that has a watchdog, and what it has heard."""
    if request.param == "fake":
        fake = RecordingServiceManager(every=WATCHDOG / 2)
        yield fake, lambda: fake.told
        return
    name = f"mailward-test-{tmp_path.parent.name}-{tmp_path.name}"
    address = str(tmp_path / "notify") if request.param == "path" else f"@{name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address.replace("@", "\0", 1) if request.param == "abstract" else address)
        systemd.setblocking(False)
        yield NotifySocket(address, watchdog=WATCHDOG), lambda: list(heard_by(systemd))


def heard_by(systemd: socket.socket) -> Iterator[tuple[str, str]]:
    """Word and status line of each datagram that has come."""
    while True:
        try:
            first, *rest = systemd.recv(4096).decode().split("\n")
        except BlockingIOError:
            return
        status = next((line.removeprefix("STATUS=") for line in rest if line.startswith("STATUS=")), "")
        yield _WORDS[first], "" if first == "STOPPING=1" else status


def test_every_word_arrives_in_order_with_its_line(bench):
    manager, heard = bench

    manager.ready("watching 4 servers")
    manager.alive("1 monitor Unhealthy")
    manager.reloading()
    manager.ready("watching 5 servers")
    manager.stopping()

    assert [
        ("ready", "watching 4 servers"),
        ("alive", "1 monitor Unhealthy"),
        ("reloading", ""),
        ("ready", "watching 5 servers"),
        ("stopping", ""),
    ] == heard()


def test_it_is_to_be_told_twice_within_what_its_watchdog_allows(bench):
    manager, _ = bench

    assert WATCHDOG / 2 == manager.every


def test_a_line_stays_one_line_whatever_it_is_made_of(bench):
    manager, heard = bench

    manager.alive("refused:\nWATCHDOG=trigger\n  here")

    assert [("alive", "refused: WATCHDOG=trigger here")] == heard()


@pytest.mark.parametrize("manager", [NotifySocket(""), RecordingServiceManager(every=None)], ids=["real", "fake"])
def test_where_nobody_listens_nothing_is_to_be_told_and_telling_harms_nothing(manager):
    manager.ready("")
    manager.reloading()
    manager.stopping()

    assert manager.every is None
