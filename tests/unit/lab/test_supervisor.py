"""The supervisor over its socket, with a shell in Dovecot's place."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

import mailward
from mailward.lab.control import ask
from mailward.lab.supervisor import processes
from mailward.model.errors import Refused, TemporaryFailure

#: A master with one child; SIGTERM ends the master in order and leaves the child behind, as Dovecot does.
_MASTER = 'trap "exit 0" TERM; /bin/sleep 61 & while :; do /bin/sleep 0.02; done'
_CHILD = "/bin/sleep 61"
#: How long its host is away when it restarts.
_DOWN_S = 0.5


@pytest.fixture
def lab() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="mws-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def door(lab: Path) -> Iterator[Path]:
    supervisor = _supervise(lab / "host")
    yield lab / "host" / "control.sock"
    with suppress(TemporaryFailure):
        ask(lab / "host" / "control.sock", "shutdown")
    supervisor.communicate(timeout=10)


def test_it_starts_the_service_at_once_and_says_so(door: Path) -> None:
    status = ask(door, "status")

    assert ("running", 1, 0, []) == (status["state"], status["starts"], status["leftovers"], status["stuck"])
    assert f"dovecot runs as process {status['pid']}" == status["because"]


def test_a_killed_service_has_failed(door: Path) -> None:
    os.kill(_pid(door), signal.SIGKILL)

    _until(door, "failed")
    assert "SIGKILL" in str(ask(door, "status")["because"])


def test_a_service_that_ends_in_order_by_itself_was_stopped_by_somebody(door: Path) -> None:
    os.kill(_pid(door), signal.SIGTERM)

    _until(door, "stopped")
    assert "asked the service itself" in str(ask(door, "status")["because"])


def test_a_stopped_service_was_stopped_on_purpose_and_leaves_nothing(door: Path) -> None:
    _until_child(door)

    stopped = ask(door, "stop")

    assert ("stopped", None, 0) == (stopped["state"], stopped["pid"], stopped["leftovers"])
    assert "asked this supervisor" in str(stopped["because"])
    assert [] == _children(stopped)


def test_what_outlives_its_master_is_counted_and_ended_by_the_next_start(door: Path) -> None:
    _until_child(door)
    os.kill(_pid(door), signal.SIGTERM)
    _until(door, "stopped")
    orphan = next(process.pid for process in _children(ask(door, "status")) if process.title == _CHILD)
    assert 1 <= int(str(ask(door, "status")["leftovers"]))

    started = ask(door, "start")

    assert ("running", 2, 0) == (started["state"], started["starts"], started["leftovers"])
    assert orphan not in [process.pid for process in _children(started)]


def test_starting_what_runs_changes_nothing(door: Path) -> None:
    before = _pid(door)

    assert before == ask(door, "start")["pid"]


def test_a_restart_is_another_process(door: Path) -> None:
    before = _pid(door)

    after = ask(door, "restart")

    assert "running" == after["state"]
    assert before != after["pid"]


def test_a_stopped_tree_is_hung_and_goes_on_when_resumed(door: Path) -> None:
    ask(door, "hang")
    _until(door, "hung")
    assert "stopped by a signal" in str(ask(door, "status")["because"])

    ask(door, "resume")

    _until(door, "running")


def test_a_hung_service_can_be_stopped(door: Path) -> None:
    ask(door, "hang")
    _until(door, "hung")

    assert "stopped" == ask(door, "stop")["state"]


def test_frozen_processes_stay_frozen_also_when_they_are_new(door: Path) -> None:
    ask(door, "freeze", titles=[_CHILD])
    _eventually(
        lambda: {"T"} == {process.state for process in _children(ask(door, "status")) if process.title == _CHILD}
    )
    ask(door, "restart")
    _until_child(door)
    _eventually(
        lambda: {"T"} == {process.state for process in _children(ask(door, "status")) if process.title == _CHILD}
    )

    ask(door, "freeze", titles=[])

    _eventually(lambda: {"T"}.isdisjoint(process.state for process in _children(ask(door, "status"))))


def test_watching_tells_the_state_at_once_and_every_change(door: Path) -> None:
    with ExitStack() as watched:
        connection = watched.enter_context(socket.socket(socket.AF_UNIX))
        connection.settimeout(30)
        connection.connect(str(door))
        connection.sendall(b'{"verb": "watch"}\n')
        stream = watched.enter_context(connection.makefile("rb"))
        states = [json.loads(stream.readline())["state"]]

        os.kill(_pid(door), signal.SIGKILL)
        states.append(json.loads(stream.readline())["state"])
        ask(door, "start")
        while states[-1] != "running":
            states.append(json.loads(stream.readline())["state"])

    # a start that takes no time is over before anybody is told of it
    assert ["running", "failed", "running"] == [state for state in states if state != "starting"]


def test_an_invalid_configuration_is_refused_and_the_service_goes_on(door: Path) -> None:
    before = _pid(door)
    (door.parent / "invalid").touch()

    for verb in ("reload", "restart"):
        if verb == "restart":
            ask(door, "stop")
            with pytest.raises(Refused, match="configuration on disk is invalid: line 7 is nonsense"):
                ask(door, "start")
        else:
            with pytest.raises(Refused, match="configuration on disk is invalid"):
                ask(door, verb)
            assert before == _pid(door)


def test_reloading_what_does_not_run_is_refused(door: Path) -> None:
    ask(door, "stop")

    with pytest.raises(Refused, match="it does not run"):
        ask(door, "reload")


@pytest.mark.parametrize("line", [b'{"verb": "explode"}', b"{}", b'{"verb": "drop", "sources": 7}'])
def test_what_it_does_not_understand_is_refused_in_a_sentence(door: Path, line: bytes) -> None:
    answer = _raw(door, line)

    assert answer["ok"] is False
    assert " " in str(answer["error"])


@pytest.mark.parametrize("line", [b"not JSON", b"\xff\xfe", b"[1, 2]", b'"status"'])
def test_nonsense_ends_the_connection_and_not_the_supervisor(door: Path, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(door))
        connection.sendall(line + b"\n")
        assert b"" == connection.recv(1000)

    assert "running" == ask(door, "status")["state"]


def test_nobody_else_may_talk_to_it(door: Path) -> None:
    assert 0o600 == door.stat().st_mode & 0o777


def test_shutting_down_ends_every_process_and_takes_the_socket_away(door: Path) -> None:
    _until_child(door)
    below = _children(ask(door, "status"))

    ask(door, "shutdown")

    _eventually(lambda: not door.exists())
    assert [] == [process for process in below if processes.look_at(process.pid) == process]
    with pytest.raises(TemporaryFailure, match="does not answer"):
        ask(door, "status")


def test_an_owned_one_that_loses_its_owner_removes_its_lab_and_nothing_else(lab: Path) -> None:
    (lab / "organization").mkdir()
    (lab / "organization" / "lab.json").write_text("{}")
    supervisor = _supervise(lab / "organization" / "host", "--owned")

    supervisor.communicate(timeout=10)

    assert lab.exists()
    assert not (lab / "organization").exists()


def test_what_is_written_into_a_lab_while_it_is_removed_is_gone_as_well(lab: Path) -> None:
    """Its manager ends at the same moment, and has something to write until then."""
    state = lab / "organization" / "state"
    state.mkdir(parents=True)
    (lab / "organization" / "lab.json").write_text("{}")
    ended = threading.Event()

    def write_until_ended() -> None:
        number = 0
        while not ended.wait(0.001):
            number += 1
            with suppress(OSError):
                (state / f"mailward-{number}.db").write_text("last words")

    writer = threading.Thread(target=write_until_ended)
    supervisor = _supervise(lab / "organization" / "host", "--owned")
    writer.start()
    threading.Timer(0.5, ended.set).start()

    supervisor.communicate(timeout=15)

    writer.join()
    assert not (lab / "organization").exists()


def test_what_its_manager_makes_anew_after_the_removal_is_removed_as_well(lab: Path) -> None:
    """A manager whose database was removed makes it anew, with the directories above it, for as long as it runs."""
    made = lab / "organization" / "state"
    (lab / "organization").mkdir()
    (lab / "organization" / "lab.json").write_text("{}")
    supervisor = _supervise(lab / "organization" / "host", "--owned")
    manager = subprocess.Popen((sys.executable, "-c", _MAKES_ANEW, str(made), "--config", f"{made.parent}/it.toml"))

    supervisor.communicate(timeout=15)

    assert 0 == manager.wait(10)
    assert not made.parent.exists()


#: It makes its directory anew whenever that is gone, until it ends.
_MAKES_ANEW = """
import pathlib, sys, time
made = pathlib.Path(sys.argv[1])
until = time.monotonic() + 0.7
while time.monotonic() < until:
    made.mkdir(parents=True, exist_ok=True)
    time.sleep(0.005)
"""


def test_outside_a_lab_losing_the_owner_removes_nothing(lab: Path) -> None:
    (lab / "precious").write_text("mine")
    supervisor = _supervise(lab / "host", "--owned")

    supervisor.communicate(timeout=10)

    assert "mine" == (lab / "precious").read_text()
    assert (lab / "host" / "supervisor.json").exists()


def test_the_start_of_the_master_is_told_also_once_it_runs_and_hangs(door: Path) -> None:
    first = ask(door, "status")
    restarted = ask(door, "restart")
    assert float(str(first["since"])) < float(str(restarted["since"]))
    assert 2 == restarted["starts"]

    ask(door, "hang")
    _until(door, "hung")

    assert restarted["since"] == ask(door, "status")["since"]


def test_checking_says_whether_the_configuration_is_valid_and_touches_nothing(door: Path) -> None:
    before = ask(door, "status")
    assert {"ok": True, "valid": True, "because": "the configuration on disk is valid"} == ask(door, "check")

    (door.parent / "invalid").touch()
    wrong = ask(door, "check")

    assert (False, "the configuration on disk is invalid: line 7 is nonsense") == (wrong["valid"], wrong["because"])
    after = ask(door, "status")
    assert (before["pid"], before["starts"], "running") == (after["pid"], after["starts"], after["state"])


def test_a_restart_with_an_invalid_configuration_leaves_the_service_running(door: Path) -> None:
    before = _pid(door)
    (door.parent / "invalid").touch()

    with pytest.raises(Refused, match="configuration on disk is invalid"):
        ask(door, "restart")

    assert before == _pid(door)


def test_a_restarted_host_is_gone_for_a_while_and_boots_with_its_service_started(door: Path) -> None:
    before, boot = ask(door, "status"), ask(door, "boot-id")
    _until_child(door)
    below = _children(before)
    with socket.socket(socket.AF_UNIX) as inside:
        inside.settimeout(10)
        inside.connect(str(door))
        inside.sendall(b'{"verb": "watch"}\n')
        stream = inside.makefile("rb")
        stream.readline()

        asked = time.monotonic()
        assert ask(door, "restart-host")["ok"]

        assert b"" == stream.readline(), "whoever was connected is hung up on, and told nothing"
        stream.close()
    with pytest.raises(TemporaryFailure, match="does not answer"):
        ask(door, "status")
    _eventually(lambda: not [process for process in below if processes.look_at(process.pid) == process])

    _until(door, "running")
    assert _DOWN_S <= time.monotonic() - asked
    after, again = ask(door, "status"), ask(door, "boot-id")
    assert (2, before["supervisor"]) == (after["starts"], after["supervisor"])
    assert before["pid"] != after["pid"]
    assert float(str(after["since"])) > float(str(before["since"]))
    assert (1, 2) == (boot["boots"], again["boots"])
    assert boot["boot_id"] != again["boot_id"]


def test_a_host_that_boots_starts_also_what_was_stopped(door: Path) -> None:
    ask(door, "stop")

    ask(door, "restart-host")

    _eventually(lambda: not door.exists())
    _until(door, "running")


def test_a_start_under_way_does_not_outlive_the_power(lab: Path) -> None:
    """A service that never listens keeps its start under way until the host goes down."""
    supervisor = _supervise(lab / "host", listeners=[["127.0.0.1", 1]], state="starting")
    door = lab / "host" / "control.sock"
    old = ask(door, "status")

    ask(door, "restart-host")

    _eventually(lambda: not door.exists())
    _eventually(lambda: [] == processes.descendants(int(str(old["supervisor"]))))
    _until(door, "starting")
    assert old["pid"] != ask(door, "status")["pid"]
    ask(door, "shutdown")
    supervisor.communicate(timeout=10)


def test_what_is_frozen_until_the_boot_survives_a_restart_of_the_service_and_no_other(door: Path) -> None:
    ask(door, "freeze", titles=[_CHILD], until_boot=True)
    ask(door, "restart")
    _until_child(door)
    _eventually(
        lambda: {"T"} == {process.state for process in _children(ask(door, "status")) if process.title == _CHILD}
    )

    ask(door, "restart-host")
    _eventually(lambda: not door.exists())
    _until(door, "running")
    _until_child(door)

    with pytest.raises(AssertionError):
        _eventually(
            lambda: "T" in {process.state for process in _children(ask(door, "status")) if process.title == _CHILD},
            seconds=0.5,
        )


def test_a_flapping_service_crashes_again_after_each_start_until_it_is_healed(door: Path) -> None:
    ask(door, "flap", after_seconds=0.3)
    _until(door, "failed")
    for _ in range(2):
        assert "running" == ask(door, "start")["state"]
        _until(door, "failed")

    ask(door, "flap")
    before = ask(door, "start")["pid"]

    with pytest.raises(AssertionError):
        _eventually(lambda: ask(door, "status")["state"] != "running", seconds=1)
    assert before == _pid(door)


@pytest.mark.parametrize(
    "line", [b'{"verb": "flap", "after_seconds": -1}', b'{"verb": "flap", "after_seconds": "soon"}']
)
def test_flapping_in_no_time_is_refused(door: Path, line: bytes) -> None:
    assert _raw(door, line)["ok"] is False
    assert "running" == ask(door, "status")["state"]


def _supervise(
    directory: Path, *options: str, listeners: list[list[object]] | None = None, state: str = "running"
) -> "subprocess.Popen[bytes]":
    directory.mkdir()
    check = f'test ! -e {directory}/invalid || {{ echo "line 7 is nonsense" >&2; exit 89; }}'
    plan = {
        "name": "host",
        "command": ["/bin/sh", "-c", _MASTER],
        "check": ["/bin/sh", "-c", check],
        "listeners": listeners or [],
        "down_seconds": _DOWN_S,
        "output": str(directory / "output.log"),
    }
    (directory / "supervisor.json").write_text(json.dumps(plan))
    supervisor = subprocess.Popen(
        [sys.executable, "-S", "-m", "mailward.lab.supervisor", str(directory), *options],
        stdin=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(mailward.__file__).parent.parent)},
    )
    _until(directory / "control.sock", state)
    return supervisor


def _pid(door: Path) -> int:
    return int(str(ask(door, "status")["pid"]))


def _children(status: Mapping[str, object]) -> list[processes.Process]:
    return processes.descendants(int(str(status["supervisor"])))


def _until_child(door: Path) -> None:
    _eventually(lambda: any(process.title == _CHILD for process in _children(ask(door, "status"))))


def _until(door: Path, state: str) -> None:
    def reached() -> bool:
        with suppress(TemporaryFailure):
            return bool(state == ask(door, "status")["state"])
        return False

    _eventually(reached)


def _raw(door: Path, line: bytes) -> Mapping[str, object]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(door))
        connection.sendall(line + b"\n")
        return dict(json.loads(connection.makefile("rb").readline()))


def _eventually(happened: Callable[[], bool], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)
