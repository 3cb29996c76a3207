"""Where a manager is looked for."""

import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mailward.client import finding
from mailward.client.errors import NoManager
from mailward.client.finding import SYSTEM_SOCKET, candidates, find_socket


def test_the_user_s_own_comes_before_the_system_s():
    assert (Path("/run/user/7/mailward/api.sock"), SYSTEM_SOCKET) == candidates(
        None, {"XDG_RUNTIME_DIR": "/run/user/7"}
    )


def test_without_a_runtime_directory_only_the_system_s_is_left():
    assert (SYSTEM_SOCKET,) == candidates(None, {})


def test_what_is_named_is_not_searched_for_elsewhere():
    environment = {"MAILWARD_SOCKET": "/b", "XDG_RUNTIME_DIR": "/run/user/7"}

    assert (Path("/a"),) == candidates("/a", environment)
    assert (Path("/b"),) == candidates(None, environment)


def test_the_first_that_is_a_socket_is_taken():
    with TemporaryDirectory(prefix="mw") as name, socket.socket(socket.AF_UNIX) as listener:
        home = Path(name) / "mailward"
        home.mkdir()
        listener.bind(str(home / "api.sock"))

        assert home / "api.sock" == find_socket(None, {"XDG_RUNTIME_DIR": name})


def test_where_there_is_none_every_place_and_the_way_to_start_one_are_told(monkeypatch):
    # A manager may well be running on the machine that runs the tests.
    monkeypatch.setattr(finding, "SYSTEM_SOCKET", Path("/run/not-there/api.sock"))

    with pytest.raises(
        NoManager, match=r"/run/nowhere/mailward/api.sock and /run/not-there/api.sock\n.*`mailward run`"
    ):
        find_socket(None, {"XDG_RUNTIME_DIR": "/run/nowhere"})
