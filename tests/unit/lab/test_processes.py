import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailward.lab.supervisor import processes


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[int]:
    with subprocess.Popen(["/bin/sleep", "60"], cwd=tmp_path) as process:
        yield process.pid
        process.kill()


def test_a_process_is_known_by_its_name_parent_and_title(sleeper: int) -> None:
    seen = processes.look_at(sleeper)

    assert seen is not None
    assert ("sleep", os.getpid(), "/bin/sleep 60") == (seen.name, seen.parent, seen.title)
    assert sleeper in [process.pid for process in processes.descendants(os.getpid())]


def test_a_process_that_is_not_there_is_none() -> None:
    assert processes.look_at(2**22 + 1) is None


def test_processes_are_found_by_the_directory_they_work_in(sleeper: int, tmp_path: Path) -> None:
    assert [sleeper] == [process.pid for process in processes.working_below(tmp_path)]
    assert [] == processes.working_below(tmp_path / "elsewhere")


def test_a_directory_whose_name_only_begins_alike_is_another(sleeper: int, tmp_path: Path) -> None:
    assert [] == processes.working_below(Path(str(tmp_path)[:-1]))


def test_a_signal_stops_and_continues(sleeper: int) -> None:
    seen = [process for process in processes.descendants(os.getpid()) if process.pid == sleeper]

    processes.send(signal.SIGSTOP, seen)
    _until_state(sleeper, "T")
    processes.send(signal.SIGCONT, seen)
    _until_state(sleeper, "S")


def test_a_signal_never_meets_another_process_that_got_the_same_number(sleeper: int) -> None:
    seen = processes.look_at(sleeper)
    assert seen is not None

    processes.send(signal.SIGKILL, [replace(seen, started_ticks=seen.started_ticks - 1)])

    again = processes.look_at(sleeper)
    assert again is not None
    assert "Z" != again.state


def _until_state(pid: int, letter: str) -> None:
    deadline = time.monotonic() + 30
    while (seen := processes.look_at(pid)) is None or seen.state != letter:
        assert time.monotonic() < deadline, f"state is {seen}"
        time.sleep(0.005)
