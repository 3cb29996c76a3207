import os
import stat
import subprocess
import sys

import pytest

from mailward.model.errors import ConfigError, Refused
from mailward.platforms.local.state_directory import locked


def test_the_directory_is_made_for_its_owner_alone(tmp_path):
    with locked(tmp_path / "state"):
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_second_manager_is_refused_and_told_who_is_first(tmp_path):
    with locked(tmp_path), pytest.raises(Refused, match=f"process {os.getpid()}"), locked(tmp_path):
        pass


def test_the_lock_is_free_again_afterwards(tmp_path):
    with locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_manager_that_was_killed_leaves_no_lock(tmp_path):
    code = (
        "import os, pathlib\n"
        "from mailward.platforms.local.state_directory import locked\n"
        f"with locked(pathlib.Path({str(tmp_path)!r})): os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=30)

    assert ended.returncode == -9
    with locked(tmp_path):
        pass


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="state_directory"), locked(tmp_path / "file" / "state"):
        pass
