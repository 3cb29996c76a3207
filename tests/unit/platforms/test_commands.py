import asyncio
import os
import shutil
import signal
import sys
import tempfile

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.commands import DaemonStarter, Finished, LocalRunner
from mailward.platforms.linux.processes import wait_for_end


async def test_a_program_is_run_to_its_end():
    finished = await LocalRunner().run((sys.executable, "-c", "import sys; print('out'); sys.exit('err')"), timeout=20)

    assert (1, "out\n", "err\n") == (finished.status, finished.output, finished.errors)


@pytest.mark.parametrize(
    ("finished", "expected"),
    [
        (Finished(status=1, output="out", errors=" no\n such  thing\n"), "no such thing"),
        (Finished(status=1, output="out", errors="\n"), "exit status 1"),
        (Finished(status=1, output="", errors="\x1b[1mno\udc80"), "�[1mno�"),
        (Finished(status=1, output="", errors="x" * 1000), "x" * 300),
    ],
)
def test_a_programs_complaint_is_one_line(finished, expected):
    assert expected == finished.said()


def test_what_a_program_printed_is_its_complaint_only_where_it_may_be_told():
    assert "out" == Finished(status=1, output="out\n", errors="").said(or_output=True)
    assert "exit status 1" == Finished(status=1, output="", errors="").said(or_output=True)


async def test_nothing_is_read_from_our_own_standard_input():
    finished = await LocalRunner().run(("cat",), timeout=20)

    assert (0, "") == (finished.status, finished.output)


async def test_a_program_that_takes_too_long_is_killed():
    with pytest.raises(TemporaryFailure, match="sleep 60 did not end within 0.05 s"):
        await LocalRunner().run(("sleep", "60"), timeout=0.05)


async def test_a_program_that_is_not_there_is_named():
    with pytest.raises(TemporaryFailure, match="nosuchprogram cannot be started: No such file"):
        await LocalRunner().run(("nosuchprogram",), timeout=1)


async def pid_in(file):
    """The process number that a shell writes into a file, once it has."""
    async with asyncio.timeout(10):
        while not file.exists() or not file.read_text().endswith("\n"):
            await asyncio.sleep(0.005)
    return int(file.read_text())


async def test_what_a_look_leaves_behind_is_not_waited_for_and_ended(tmp_path):
    async with asyncio.timeout(10):
        finished = await LocalRunner().run(("sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; echo seen"), timeout=60)

        await wait_for_end(await pid_in(tmp_path / "pid"))
    assert (0, "seen\n") == (finished.status, finished.output)


async def test_who_has_left_the_session_and_keeps_the_output_open_is_not_waited_for(tmp_path):
    script = f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 60' & echo seen"

    async with asyncio.timeout(10):
        finished = await LocalRunner().run(("sh", "-c", script), timeout=60)

    os.kill(await pid_in(tmp_path / "pid"), signal.SIGKILL)
    assert "seen\n" == finished.output


async def test_a_program_that_waits_for_its_child_is_killed_in_time():
    async with asyncio.timeout(10):
        with pytest.raises(TemporaryFailure, match="did not end within 0.05 s"):
            await LocalRunner().run(("sh", "-c", "sleep 60 & wait"), timeout=0.05)


@pytest.mark.parametrize("stream", ["1", "2"])
async def test_a_program_that_talks_without_end_is_ended(stream):
    async with asyncio.timeout(20):
        with pytest.raises(TemporaryFailure, match="yes >&. was ended: it said more than 1000000 bytes"):
            await LocalRunner().run(("sh", "-c", f"yes >&{stream}"), timeout=60)


async def test_a_starter_that_talks_without_end_does_not_fill_the_disk():
    async with asyncio.timeout(30):
        with pytest.raises(TemporaryFailure, match="yes was ended: it fills the disk"):
            await DaemonStarter().run(("yes",), timeout=60)


@pytest.mark.parametrize("runner", [LocalRunner(), DaemonStarter()])
async def test_a_cancelled_program_ends_with_everything_it_started(runner, tmp_path):
    script = f"sleep 60 & echo $! > {tmp_path}/pid; wait"
    running = asyncio.create_task(runner.run(("sh", "-c", script), timeout=60))
    child = await pid_in(tmp_path / "pid")

    running.cancel()

    async with asyncio.timeout(10):
        await asyncio.gather(running, return_exceptions=True)
        await wait_for_end(child)
    assert running.cancelled()


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


async def test_without_room_for_what_a_starter_says_nothing_is_started(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nosuch"))

    with pytest.raises(TemporaryFailure, match="what it says cannot be kept .*: No such file"):
        await DaemonStarter().run(("touch", str(tmp_path / "started")), timeout=1)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("runner", [LocalRunner(), DaemonStarter()])
async def test_a_program_is_told_where_things_are_and_no_secret(runner, monkeypatch):
    for name in ("MAILWARD_DB1_PASSWORD", "CREDENTIALS_DIRECTORY", "SSH_AUTH_SOCK", "LD_PRELOAD_X"):
        monkeypatch.setenv(name, "secret")
    for name in ("HOME", "LC_TIME", "TZ"):
        monkeypatch.setenv(name, "C")

    finished = await runner.run(("env",), timeout=20)

    told = {line.partition("=")[0] for line in finished.output.splitlines()}
    assert {"PATH", "HOME", "LC_TIME", "TZ"} <= told
    assert "secret" not in finished.output


async def test_ssh_may_ask_an_agent_for_its_key(monkeypatch, tmp_path):
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    (tmp_path / "ssh").symlink_to(shutil.which("env"))

    finished = await LocalRunner().run((str(tmp_path / "ssh"),), timeout=20)

    assert "SSH_AUTH_SOCK=/run/agent" in finished.output.splitlines()


@pytest.mark.parametrize("given", [b"", b"anna\n", b"x" * 3_000_000])
async def test_a_program_reads_what_it_is_given(given):
    finished = await LocalRunner().run(("sh", "-c", "wc -c; wc -c < /dev/stdin"), timeout=20, given=given)

    first, second = finished.output.split()
    assert (len(given), len(given)) == (int(first), int(second))


async def test_what_a_program_is_given_needs_no_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nosuch"))

    assert "anna\n" == (await LocalRunner().run(("cat",), timeout=20, given=b"anna\n")).output


async def test_a_program_that_does_not_read_is_not_waited_for():
    assert 0 == (await LocalRunner().run(("true",), timeout=20, given=b"x" * 3_000_000)).status


async def test_how_much_a_program_may_say_can_be_raised():
    finished = await LocalRunner(largest=3_000_000).run(("sh", "-c", "yes | head -c 2000000"), timeout=20)

    assert 2_000_000 == len(finished.output)


async def test_a_command_that_names_hundreds_is_told_by_its_beginning():
    with pytest.raises(TemporaryFailure, match="sleep 60 user0 user1") as caught:
        await LocalRunner().run(
            ("sh", "-c", "exec sleep 60", "sleep 60", *(f"user{number}" for number in range(5000))), timeout=0.05
        )

    assert len(str(caught.value)) < 2500
