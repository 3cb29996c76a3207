"""
The page on installing on Debian, executed in a private root: its commands in their order, on a real Dovecot.

Left out is what belongs to the machine (apt, the environment from the network). systemd is played: the unit's own
command line is started as its own user, and its datagrams are heard.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import click
import pytest

import mailward
from mailward.lab.lab import Lab

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "install-debian.md"
UNIT = "etc/systemd/system/mailward.service"
PACKAGES = os.pathsep.join(sorted({str(Path(one.__file__).parents[1]) for one in (click, mailward)}))
"""Where mailward is imported from, and what it needs."""
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-sysusers") is None or shutil.which("systemd-tmpfiles") is None,
    reason="needs root, systemd-sysusers and systemd-tmpfiles",
)


def commands(section: str) -> list[str]:
    """The commands of one section of the page."""
    text = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\$ (.*)$", "\n".join(_BLOCK.findall(text)), re.MULTILINE)


class Machine:
    """A root of its own, whose commands and whose one service are run as a Debian would."""

    def __init__(self, root: Path, lab: Lab) -> None:
        self.root = root
        self.lab = lab
        self.dovecot = lab.blueprint.hosts[0].configuration
        self.service: subprocess.Popen[bytes] | None = None
        self.systemd: socket.socket | None = None
        self.said = ""
        (root / "etc").mkdir()
        (root / "run").mkdir()

    def run(self, command: str) -> int:
        """Run a command of the page; what it said is kept."""
        program, *words = shlex.split(command)
        if program in ("apt-get", "cd"):
            return 0
        if program == "systemctl":
            return self._systemctl(words[0])
        if program.startswith("packaging/"):
            keep = () if "uninstall" in program else ("--keep-venv",)
            return self._done((ROOT / program, "--root", self.root, *keep, *words))
        if program == "mailward":
            return self._done((*self._mailward(), *map(self._here, words), *self._of_the_lab(tuple(words))))
        return self._done((program, *map(self._here, words)))

    def _done(self, words: tuple[str | Path, ...]) -> int:
        around = {
            **os.environ,
            "MAILWARD_CONFIG": str(self.root / "etc/mailward/mailward.toml"),
            "MAILWARD_SOCKET": str(self.root / "run/mailward/api.sock"),
        }
        done = subprocess.run(words, cwd=ROOT, env=around, capture_output=True, text=True, timeout=300, check=False)
        self.said = done.stdout + done.stderr
        return done.returncode

    def _here(self, word: str) -> str:
        """A word of the page: paths are in this root, and SERVER is the one that is watched."""
        if word == "SERVER":
            (word,) = tomllib.loads((self.root / "etc/mailward/mailward.toml").read_text())["servers"]
        return f"{self.root}{word}" if word.startswith(("/etc/", "/var/", "/run/", "/opt/")) else word

    def _mailward(self) -> tuple[str, ...]:
        return (sys.executable, "-m", "mailward.cli.main")

    def _of_the_lab(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Where the lab's Dovecot and this root are: what is found by itself on a mail server."""
        found = ("--dovecot-config", str(self.dovecot))
        if words[:2] == ("config", "init"):
            own = (
                "--directory",
                str(self.root / "etc/mailward"),
                "--state-directory",
                str(self.root / "var/lib/mailward"),
            )
            return (*own, "--ca", str(self.lab.blueprint.ca_file), *found)
        return found if words[0] == "accounts" else ()

    def _systemctl(self, verb: str) -> int:
        if verb in ("restart", "stop"):
            self.stop()
        if verb in ("enable", "restart", "start"):
            self._start()
        return 0

    def _start(self) -> None:
        unit = dict(re.findall(r"^(\w+)=(.*)$", (self.root / UNIT).read_text(), re.MULTILINE))
        uid, gid = self.user(unit["User"])
        runtime = self.root / "run" / unit["RuntimeDirectory"]
        runtime.mkdir(exist_ok=True)
        runtime.chmod(int(unit["RuntimeDirectoryMode"], 8))
        os.chown(runtime, uid, gid)
        address = runtime / "notify"
        address.unlink(missing_ok=True)
        self.systemd = systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        systemd.bind(str(address))
        address.chmod(0o666)
        program, *words = shlex.split(unit["ExecStart"])
        assert "/opt/mailward/venv/bin/mailward" == program
        with (self.root / "journal").open("ab") as journal:
            self.service = subprocess.Popen(
                (python_for(uid, gid), "-m", "mailward.cli.main", *map(self._here, words)),
                env={"PATH": os.environ["PATH"], "PYTHONPATH": PACKAGES, "NOTIFY_SOCKET": str(address)},
                cwd="/",
                stdout=subprocess.DEVNULL,
                stderr=journal,
                user=uid,
                group=gid,
                extra_groups=(),
                umask=int(unit["UMask"], 8),
            )
        systemd.settimeout(120)  # a busy machine is slow to start it
        try:
            assert systemd.recv(4096).startswith(b"READY=1"), "it is ready"
        except TimeoutError:
            pytest.fail((self.root / "journal").read_text())

    def user(self, name: str) -> tuple[int, int]:
        """User and group of an account of this root."""
        entries = (self.root / "etc/passwd").read_text().splitlines()
        _, _, uid, gid, *_ = next(entry for entry in entries if entry.startswith(f"{name}:")).split(":")
        return int(uid), int(gid)

    def stop(self) -> None:
        """As systemd ends a service."""
        if self.service is not None:
            self.service.terminate()
            self.service.wait(15)
            self.service = None
        if self.systemd is not None:
            self.systemd.close()

    def include_what_config_init_asked_for(self) -> None:
        """The one line that `config init` leaves to the administrator."""
        include = next(line.split(": ", 1)[1] for line in self.said.splitlines() if "!include" in line)
        with self.dovecot.open("a") as stream:
            stream.write(f"{include}\n")
        _reload(self.dovecot)


def python_for(uid: int, gid: int) -> str:
    """A Python that this user can run, with what ours has: ours may lie where only root may look."""
    for program in (sys.executable, "/usr/bin/python3"):
        try:
            subprocess.run(
                (program, "-c", "import mailward.app, sqlalchemy, pydantic, uvicorn"),
                env={"PYTHONPATH": PACKAGES},
                cwd="/",
                user=uid,
                group=gid,
                extra_groups=(),
                capture_output=True,
                timeout=60,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return program
    pytest.skip("this machine has no Python that an unprivileged user could run mailward with")


def _reload(dovecot: Path) -> None:
    doveadm = shutil.which("doveadm", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert doveadm is not None
    subprocess.run((doveadm, "-c", dovecot, "reload"), check=True, timeout=20)


@pytest.fixture
def machine(one_box: Lab) -> Iterator[Machine]:
    """A private root whose service the unprivileged user can reach; the lab's Dovecot is as before afterwards."""
    configuration = one_box.blueprint.hosts[0].configuration
    before = configuration.read_text()
    with tempfile.TemporaryDirectory(prefix="mw-") as directory:
        Path(directory).chmod(0o755)
        made = Machine(Path(directory), one_box)
        try:
            yield made
        finally:
            made.stop()
            configuration.write_text(before)
            shutil.rmtree(configuration.parent / "mailward", ignore_errors=True)
            _reload(configuration)


def test_from_nothing_to_a_running_service_its_upgrade_and_back_to_nothing(machine: Machine) -> None:
    for command in commands("Install"):
        assert 0 == machine.run(command), f"{command}: {machine.said}"
    (machine.root / "opt/mailward").mkdir(parents=True, exist_ok=True)

    for command in commands("Configure"):
        assert 0 == machine.run(command), f"{command}: {machine.said}"
        if command == "mailward config init":
            machine.include_what_config_init_asked_for()
    secrets = list((machine.root / "etc/mailward/secrets").iterdir())
    assert {(*machine.user("mailward"), 0o400)} == {
        (seen.st_uid, seen.st_gid, seen.st_mode & 0o500) for file in secrets if (seen := file.stat())
    }

    for command in commands("Start, and look"):
        assert 0 == until_done(machine, command), f"{command}: {machine.said}"
        if " probe " in command:
            assert "Succeeded" in machine.said

    for command in commands("Upgrade"):
        if "venv-" in command:
            continue  # there is no second environment here
        assert 0 == until_done(machine, command), f"{command}: {machine.said}"
    assert 0 == until_done(machine, "mailward status")

    machine.stop()
    keep, purge = (command for command in commands("Uninstall") if command.startswith("packaging/"))
    assert 0 == machine.run(keep)
    assert (machine.root / "etc/mailward/mailward.toml").exists()
    assert not (machine.root / UNIT).exists()
    assert 0 == machine.run(purge)
    left = {str(path.relative_to(machine.root)) for path in machine.root.rglob("*mailward*")}
    assert set() == left


def until_done(machine: Machine, command: str) -> int:
    """Run a command until it succeeds: Dovecot looks at its files once a second."""
    deadline = monotonic() + 120
    while (code := machine.run(command)) != 0 and command.startswith("mailward ") and monotonic() < deadline:
        sleep(0.5)
    return code
