import sys

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.commands import LocalRunner


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
