import os
import signal
import sys

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.commands import DaemonStarter, LocalRunner


async def test_a_program_is_run_to_its_end():
    finished = await LocalRunner().run((sys.executable, "-c", "import sys; print('out'); sys.exit('err')"), timeout=20)

    assert (1, "out\n", "err\n") == (finished.status, finished.output, finished.errors)


async def test_nothing_is_read_from_our_own_standard_input():
    finished = await LocalRunner().run(("cat",), timeout=20)

    assert (0, "") == (finished.status, finished.output)


async def test_a_program_that_takes_too_long_is_killed():
    with pytest.raises(TemporaryFailure, match="sleep 60 did not end within 0.05 s"):
        await LocalRunner().run(("sleep", "60"), timeout=0.05)


async def test_a_program_that_is_not_there_is_named():
    with pytest.raises(TemporaryFailure, match="nosuchprogram cannot be started: No such file"):
        await LocalRunner().run(("nosuchprogram",), timeout=1)


async def test_a_starter_that_leaves_a_daemon_behind_is_not_waited_for(tmp_path):
    script = f'sleep 60 & echo $! > {tmp_path}/pid; echo started; echo "a warning" >&2; exit 3'

    finished = await DaemonStarter().run(("sh", "-c", script), timeout=20)

    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert (3, "started\n", "a warning\n") == (finished.status, finished.output, finished.errors)


async def test_a_starter_that_takes_too_long_is_killed():
    with pytest.raises(TemporaryFailure, match="sleep 60 did not end within 0.05 s"):
        await DaemonStarter().run(("sleep", "60"), timeout=0.05)


@pytest.mark.parametrize("runner", [LocalRunner(), DaemonStarter()])
async def test_words_no_program_could_be_given_are_refused_by_the_system(runner):
    with pytest.raises(TemporaryFailure, match="cannot be started"):
        await runner.run(("echo", "a\0b"), timeout=1)
