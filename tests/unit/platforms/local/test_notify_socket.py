"""systemd's environment and its datagrams: a real socket plays systemd."""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from mailward.platforms.local.notify_socket import NotifySocket, notify_socket

PID = 4711


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def systemd(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(5)
        yield listener


def hears(systemd: socket.socket) -> list[str]:
    return systemd.recv(4096).decode().split("\n")


@pytest.mark.parametrize(
    ("watchdog", "every"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(PID)}, timedelta(seconds=15)),
        ({"WATCHDOG_USEC": "30000000"}, timedelta(seconds=15)),
    ],
)
def test_the_watchdog_of_this_process_is_fed_at_half_its_time(address, systemd, watchdog, every):
    told = notify_socket({"NOTIFY_SOCKET": address, **watchdog}, pid=PID)
    told.alive("well")

    assert every == told.every
    assert ["WATCHDOG=1", "STATUS=well"] == hears(systemd)


@pytest.mark.parametrize(
    "watchdog",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(PID + 1)},
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": ""},
    ],
)
def test_no_other_watchdog_is_fed_only_the_line_for_people_is_kept_fresh(address, systemd, watchdog):
    told = notify_socket({"NOTIFY_SOCKET": address, **watchdog}, pid=PID)
    told.alive("well")

    assert timedelta(seconds=10) == told.every
    assert ["STATUS=well"] == hears(systemd)


def test_reloading_comes_with_its_moment_on_the_monotonic_clock(address, systemd):
    before = time.monotonic_ns() // 1000
    NotifySocket(address).reloading()
    after = time.monotonic_ns() // 1000

    word, moment = hears(systemd)
    assert "RELOADING=1" == word
    assert before <= int(moment.removeprefix("MONOTONIC_USEC=")) <= after


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"WATCHDOG_USEC": "1000"}])
def test_without_systemd_nothing_is_told(environment):
    assert notify_socket(environment, pid=PID).every is None


def test_an_address_of_another_kind_is_named_in_the_log_and_not_used(caplog):
    assert notify_socket({"NOTIFY_SOCKET": "vsock:2:1234"}, pid=PID).every is None
    assert "vsock:2:1234" in caplog.text


def test_a_service_manager_that_is_gone_is_missed_once_and_harms_nothing(address, caplog):
    caplog.set_level(logging.WARNING)
    told = NotifySocket(address)

    told.ready("well")
    told.alive("well")

    assert 1 == len(caplog.records)
    assert "READY=1" in caplog.text


def test_a_service_manager_that_takes_nothing_holds_nobody_up(address, systemd):
    told = NotifySocket(address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        fill(filler, address)

    began = time.monotonic()
    told.alive("well")

    assert time.monotonic() - began < 2


def fill(filler: socket.socket, address: str) -> None:
    """Send until no more is taken."""
    with suppress(BlockingIOError):
        while True:
            filler.sendto(b"x", address)
