"""The troubleshooting page, executed: every command of it, in its order, on real Dovecots."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from mailward.client.manager import ManagerClient
from mailward.lab.blueprint import Shape
from mailward.lab.lab import Lab, missing_programs
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.watch_configuration import Timings

from .test_catalogue import is_green, until

DOCS = Path(__file__).parents[2] / "docs"
ENGLISH, PORTUGUESE = DOCS / "how-to" / "imap-health-set.md", DOCS / "pt-BR" / "imap-health-set.md"
_COMMAND = re.compile(r"^ *\$ (mailward .*)$", re.MULTILINE)
_SHOWS = {
    "mailward health be1 --health-set IMAP": ("RequestsQueuedGt500Monitor",),
    "mailward health be1 --health-set 'IMAP*'": ("ImapDeepTestMonitor", "ImapSelfTestMonitor"),
    "mailward probe IMAP/ImapCTPProbe --server proxy1": ("ResultType : Succeeded", "_Mbx : be"),
    "mailward probe ImapDeepTestProbe --server be1": ("ResultType : Succeeded", "TargetResource : be1"),
    "mailward copies --server be1 --group-by status": ("Healthy",),
    "mailward protocol-log where be1": ("State : on",),
    "mailward protocol-log find health-db1 --since 10m": ("be1",),
    "mailward settings show be1": ("ProtocolLog",),
}
"""What must stand in the output of a command that shows something."""


def commands(page: Path) -> list[str]:
    return _COMMAND.findall(page.read_text())


@pytest.fixture(scope="module")
def followed() -> Iterator[tuple[ManagerClient, dict[str, str]]]:
    """A lab of one's own to follow the page on: its manager, and the environment of the commands."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}")
    with Lab.up(Shape.TWO_TIER) as lab:
        configuration = lab.write_configuration(timings=Timings.SHORT, mode="recommend")
        # the page has a proxy taken out by its component's state, which load balancers ask for
        asked = re.sub(r'control = "haproxy:.*\nbackend = .*', 'control = "health-page"', configuration.read_text())
        configuration.write_text(asked)
        with ManagerProcess(configuration) as manager:
            until(lambda: is_green(manager.client), seconds=240)
            until(lambda: manager.client.status().leads, seconds=120)
            socket = configuration.parent / "state" / "api.sock"
            named = {"MAILWARD_SOCKET": str(socket), "MAILWARD_CONFIG": str(configuration)}
            yield manager.client, {**os.environ, **named}


def test_both_editions_have_the_very_same_commands() -> None:
    assert len(commands(ENGLISH)) > 30
    assert commands(ENGLISH) == commands(PORTUGUESE)


def test_every_section_of_the_page_is_there_in_both() -> None:
    sections = {page: len(re.findall(r"^## ", page.read_text(), re.MULTILINE)) for page in (ENGLISH, PORTUGUESE)}
    assert {7} == set(sections.values())
    for page in sections:
        assert [str(number) for number in range(1, 15)] == re.findall(r"^\| (\d+) \|", page.read_text(), re.MULTILINE)


def run(command: str, around: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "mailward.cli.main", *shlex.split(command)[1:]),
        capture_output=True,
        text=True,
        env=around,
        timeout=120,
        check=False,
    )


def test_every_command_does_what_the_page_says_in_its_order(followed: tuple[ManagerClient, dict[str, str]]) -> None:
    client, around = followed
    for command in commands(ENGLISH):
        if "undrain" in command:  # "and the monitors of the server are Healthy again"
            until(lambda: is_green(client), seconds=240)
        done = run(command, around)
        deadline = monotonic() + 60
        while done.returncode != 0 and " probe " in command and monotonic() < deadline:  # a server that comes up again
            sleep(0.5)
            done = run(command, around)
        said = f"{command}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0 or is_refused_in_words(command, done), said
        for shown in _SHOWS.get(command, ()):
            assert shown in " ".join(done.stdout.split()), said


def is_refused_in_words(command: str, done: subprocess.CompletedProcess[str]) -> bool:
    """What is only to be seen may be what speaks against a deed: a server holds active copies, or was just touched."""
    return "--dry-run" in command and done.returncode == 1 and ":" in done.stdout + done.stderr
