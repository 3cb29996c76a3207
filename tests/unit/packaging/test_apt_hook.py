"""The apt hook: announces upgrades, and is never in their way."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

APT = Path(__file__).parents[3] / "packaging" / "apt"
SCRIPT, HOOK = APT / "announce-upgrade", APT / "90mailward"


@pytest.fixture
def announce(tmp_path):
    """Run the script with a `mailward` on PATH that does what the given shell lines say, after noting its words."""
    (tmp_path / "bin").mkdir()

    def run(*words: str, does: str | None = "exit 0", **environment: str):
        if does is not None:
            program = tmp_path / "bin" / "mailward"
            program.write_text(f'#!/bin/sh\necho "$@" "socket=$MAILWARD_SOCKET" >> {tmp_path}/asked\n{does}\n')
            program.chmod(0o755)
        around = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "MAILWARD_UPGRADE_DEFAULTS": "/nowhere"}
        began = time.monotonic()
        done = subprocess.run(
            [SCRIPT, *words], env=around | environment, capture_output=True, text=True, timeout=20, check=False
        )
        asked = (tmp_path / "asked").read_text().splitlines() if (tmp_path / "asked").exists() else []
        return done, asked, time.monotonic() - began

    return run


@pytest.mark.parametrize("deed", ["begin", "end"])
def test_it_tells_mailward_of_the_beginning_and_the_end(deed, announce):
    done, asked, _ = announce(deed)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert [f"maintenance upgrade {deed} --by apt socket="] == asked


def test_what_it_says_is_a_command_line_that_mailward_has(announce):
    from mailward.cli.maintenance import maintenance

    for deed in ("begin", "end"):
        _, asked, _ = announce(deed, MAILWARD_SERVER="mbx2")
        _, *words = asked[-1].replace(" socket=", "").split()
        group = maintenance.commands[words[0]]
        command = group.commands[words[1]]
        context = command.make_context("it", words[2:])
        assert ("mbx2", "apt") == (context.params["server"], context.params["installer"])


def test_the_server_and_the_socket_can_be_named_in_a_file_of_defaults(announce, tmp_path):
    (tmp_path / "defaults").write_text("MAILWARD_SERVER=mbx2\nMAILWARD_SOCKET=/run/other/api.sock\n")

    _, asked, _ = announce("begin", MAILWARD_UPGRADE_DEFAULTS=str(tmp_path / "defaults"))

    assert ["maintenance upgrade begin mbx2 --by apt socket=/run/other/api.sock"] == asked


@pytest.mark.parametrize("does", ["exit 3", "echo no manager >&2; exit 1", "kill -9 $$"])
def test_a_mailward_that_fails_does_not_fail_the_upgrade(does, announce):
    done, _, _ = announce("begin", does=does)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.fixture
def logged(tmp_path, announce):
    """What the script wrote to the system's log, by a `logger` of the test's."""
    logger = tmp_path / "bin" / "logger"
    logger.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/log\n')
    logger.chmod(0o755)
    return lambda: (tmp_path / "log").read_text() if (tmp_path / "log").exists() else ""


def test_what_went_wrong_is_in_the_systems_log(announce, logged):
    announce("begin", does="echo no manager answers >&2; echo at all; exit 3")

    assert "mailward was not told: maintenance upgrade begin ended with 3" in logged()
    assert "no manager answers at all" in logged()


def test_an_announcement_that_was_heard_is_not_logged(announce, logged):
    announce("begin", does="echo begun")

    assert "" == logged()


def test_a_program_that_is_not_on_the_path_can_be_named_in_the_file_of_defaults(announce, logged, tmp_path):
    (tmp_path / "venv").mkdir()
    announce("begin")
    (tmp_path / "bin" / "mailward").rename(tmp_path / "venv" / "mailward")
    (tmp_path / "defaults").write_text(f"MAILWARD={tmp_path}/venv/mailward\n")

    _, asked, _ = announce("end", does=None, MAILWARD_UPGRADE_DEFAULTS=str(tmp_path / "defaults"))

    assert ["maintenance upgrade begin --by apt socket=", "maintenance upgrade end --by apt socket="] == asked
    assert "" == logged()


@pytest.mark.parametrize("does", ["exec sleep 60", "trap '' TERM; exec sleep 60"])
def test_a_mailward_that_hangs_holds_the_upgrade_up_for_two_seconds_at_most(does, announce):
    done, asked, took = announce("begin", does=does)

    assert (0, 1) == (done.returncode, len(asked))
    assert took < 15  # of the sixty, however busy the machine is
    given = re.findall(r"^(?!#).*?timeout (?:-k ([0-9.]+)|-s KILL) ([0-9.]+) ", SCRIPT.read_text(), re.MULTILINE)
    assert 2 == len(given), "mailward, and the log"
    assert 2 >= sum(float(seconds or 0) for each in given for seconds in each)


def test_without_mailward_nothing_happens_but_that_the_log_says_what_to_set(announce, logged, tmp_path):
    needed = [name for name in ("sh", "timeout") if shutil.which(name)]
    for name in needed:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))

    done, asked, _ = announce("begin", does=None, PATH=f"{tmp_path}/bin")

    assert (0, "", []) == (done.returncode, done.stderr, asked)
    assert "there is no program mailward; set MAILWARD=" in logged()


@pytest.mark.parametrize("words", [(), ("restart",), ("begin; reboot",)])
def test_other_words_do_nothing(words, announce):
    done, asked, _ = announce(*words)

    assert (0, []) == (done.returncode, asked)


@pytest.mark.skipif(shutil.which("apt-config") is None, reason="there is no apt here")
def test_apt_reads_the_hook_and_runs_it_before_and_after():
    read = subprocess.run(
        ["apt-config", "-c", HOOK, "dump"], capture_output=True, text=True, timeout=20, check=True
    ).stdout

    for when, deed in (("Pre", "begin"), ("Post", "end")):
        (line,) = [line for line in read.splitlines() if f"DPkg::{when}-Invoke::" in line and "mailward" in line]
        assert f"/usr/lib/mailward/announce-upgrade {deed} || true" in line
