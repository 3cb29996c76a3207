"""The demo as a newcomer meets it: a fault is shown on the right tier and repaired, and nothing is left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from mailward.lab.lab import missing_programs
from mailward.lab.watch_configuration import WEB_PORT

MAILWARD = (sys.executable, "-m", "mailward.cli.main")
pytestmark = pytest.mark.skipif(bool(missing_programs()), reason="this machine has no Dovecot")


class Demo:
    """`mailward demo` in a temporary directory and a run-time directory of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.chmod(0o755)  # Dovecot's mail processes, which are not root, have to pass
        (home / "run").mkdir()
        self.around = {**os.environ, "TMPDIR": str(home), "XDG_RUNTIME_DIR": str(home / "run")}
        for name in ("MAILWARD_SOCKET", "MAILWARD_LAB"):
            self.around.pop(name, None)
        # Other tests start managers at the usual address, perhaps just now: the demo takes one that is its lab's alone.
        self._usual_is_taken = socket.socket()
        with suppress(OSError):
            self._usual_is_taken.bind(("127.0.0.1", WEB_PORT))
            self._usual_is_taken.listen()
        self.process = subprocess.Popen(
            (*MAILWARD, "demo"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.around
        )

        self._too_late = threading.Timer(180, self.process.kill)
        self._too_late.start()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=20)
        self._usual_is_taken.close()
        self._too_late.cancel()
        self._too_late.join()

    def read_until(self, words: str) -> list[str]:
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip())
            if words in line:
                return lines
        raise AssertionError(f"it ended without {words!r}: {lines} {self.process.communicate()[1]}")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (*MAILWARD, *words), capture_output=True, text=True, env=self.around, timeout=60, check=False
        )

    def left_behind(self, *, within: float) -> list[str]:
        """What is still there of it after *within* seconds: files, and processes that name its directory."""
        deadline = monotonic() + within
        while (left := self._left()) and monotonic() < deadline:
            sleep(0.05)
        return left

    def _left(self) -> list[str]:
        # os.walk passes over what is being removed while it looks
        found = [Path(top) / name for top, inside, names in os.walk(self.home) for name in (*inside, *names)]
        files = [str(path) for path in found if path != self.home / "run" and path.name != "mailward"]
        named = str(self.home).encode()
        return files + [
            command.read_bytes().decode(errors="replace").replace("\0", " ")
            for command in Path("/proc").glob("[0-9]*/cmdline")
            if _mentions(command, named)
        ]


def _mentions(command: Path, named: bytes) -> bool:
    try:
        return named in command.read_bytes()
    except OSError:
        return False


@pytest.fixture
def demo() -> Iterator[Demo]:
    with TemporaryDirectory(prefix="mw") as name:
        started = Demo(Path(name))
        try:
            yield started
        finally:
            started.close()


def test_a_newcomer_sees_a_service_die_and_be_repaired_and_can_ask_why(demo):
    advice = demo.read_until("lab faults")
    assert any("-m mailward.cli.main lab break service-failed@be1 " in line for line in advice)
    demo.read_until("ImapSelfTestMonitor/be1  Uninitialized → Healthy")
    broken = demo.run("lab", "break", "service-failed@be1")
    assert 0 == broken.returncode, broken.stderr

    demo.read_until("healed: it works again after what was done")
    why = demo.run("why", "be1")
    assert 0 == why.returncode, why.stderr
    assert "start the IMAP service (be1): done" in why.stdout
    (story, *_) = json.loads(demo.run("why", "be1", "--format", "json").stdout)["items"]
    assert ["re-probe", "start the IMAP service", "re-probe"] == [step["name"] for step in story["steps"]]
    assert 0 == demo.run("lab", "heal").returncode


def test_it_ends_when_asked_and_nothing_is_left(demo):
    demo.read_until("lab faults")
    demo.process.send_signal(signal.SIGTERM)
    out, err = demo.process.communicate(timeout=20)

    assert (0, "") == (demo.process.returncode, err)
    assert "nothing is left of it" in out
    assert [] == demo.left_behind(within=0)


@pytest.mark.parametrize("fault", ["service-hung@be1", "map-locked"])
def test_what_was_broken_in_the_dashboard_is_gone_with_the_demo(demo, fault):
    advice = demo.read_until("lab faults")
    page = next(word.rstrip("/") for line in advice for word in line.split() if word.startswith("http://"))
    form = urlencode({"name": fault}).encode()
    request = Request(f"{page}/faults/break", form, {"Origin": page})
    with build_opener(ProxyHandler({})).open(request, timeout=30) as answered:
        assert "Broken now" in answered.read().decode()

    demo.process.send_signal(signal.SIGTERM)
    out, err = demo.process.communicate(timeout=20)

    assert (0, "") == (demo.process.returncode, err)
    assert "nothing is left of it" in out
    assert [] == demo.left_behind(within=0)


def test_even_killed_it_leaves_nothing(demo):
    demo.read_until("lab faults")
    demo.process.kill()
    demo.process.wait(10)

    left = [path for path in demo.left_behind(within=15) if not path.endswith("api.sock")]
    assert [] == left
