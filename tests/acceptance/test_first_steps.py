"""A newcomer's own Dovecot: from `config init` to accounts that work, with the commands as documented."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from mailward.lab.lab import Lab

MAILWARD = (sys.executable, "-m", "mailward.cli.main")


class Newcomer:
    """Runs commands with a configuration of its own."""

    def __init__(self, lab: Lab, home: Path) -> None:
        self.dovecot = lab.blueprint.hosts[0].configuration
        self.home = home
        self._ca = lab.blueprint.ca_file
        self._around = {**os.environ, "MAILWARD_CONFIG": str(home)}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (*MAILWARD, *words), capture_output=True, text=True, env=self._around, timeout=60, check=False
        )

    def init(self, *words: str) -> subprocess.CompletedProcess[str]:
        places = ("--directory", str(self.home), "--state-directory", str(self.home / "state"), "--ca", str(self._ca))
        return self.run("config", "init", *places, "--dovecot-config", str(self.dovecot), *words)

    def accounts(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("accounts", verb, "--dovecot-config", str(self.dovecot), *words)

    def check_until(self, code: int) -> subprocess.CompletedProcess[str]:
        """Dovecot looks at its files once a second."""
        deadline = monotonic() + 60
        while (ran := self.run("accounts", "check", "--format", "json")).returncode != code and monotonic() < deadline:
            sleep(0.2)
        assert code == ran.returncode, ran.stdout + ran.stderr
        return ran


@pytest.fixture
def newcomer(one_box, tmp_path):
    """The lab's Dovecot as if it were somebody's own; its configuration is as before afterwards."""
    configuration = one_box.blueprint.hosts[0].configuration
    before = configuration.read_text()
    yield Newcomer(one_box, tmp_path)
    configuration.write_text(before)
    shutil.rmtree(configuration.parent / "mailward", ignore_errors=True)
    _reload(configuration)


def _reload(configuration: Path) -> None:
    doveadm = shutil.which("doveadm", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert doveadm is not None
    subprocess.run((doveadm, "-c", configuration, "reload"), check=True, timeout=20)


def test_from_a_running_dovecot_to_accounts_that_work(newcomer):
    rehearsed = newcomer.init("--dry-run")
    assert 0 == rehearsed.returncode, rehearsed.stderr
    assert not (newcomer.home / "mailward.toml").exists()

    made = newcomer.init()
    assert 0 == made.returncode, made.stderr
    include = next(line.split(": ", 1)[1] for line in made.stdout.splitlines() if "!include" in line)
    with newcomer.dovecot.open("a") as stream:
        stream.write(f"{include}\n")
    _reload(newcomer.dovecot)

    checked = newcomer.run("config", "check", "--format", "json")
    assert 0 == checked.returncode, checked.stdout
    created = newcomer.accounts("create")
    assert 0 == created.returncode, created.stderr
    newcomer.check_until(0)
    assert "every account was there already" in newcomer.accounts("create").stdout

    before = {file.name: file.read_text() for file in (newcomer.home / "secrets").iterdir()}
    rotated = newcomer.accounts("rotate", "--yes", "--settle", "0.1")
    assert 0 == rotated.returncode, rotated.stderr
    after = {file.name: file.read_text() for file in (newcomer.home / "secrets").iterdir()}
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before)
    items = json.loads(newcomer.check_until(0).stdout)["items"]
    assert {"Succeeded"} == {item["result"] for item in items}
    assert not any(
        password.strip() in rotated.stdout + rotated.stderr for password in (*before.values(), *after.values())
    )


def test_what_exists_is_not_overwritten_without_force(newcomer):
    assert 0 == newcomer.init().returncode
    (newcomer.home / "mailward.toml").write_text("# mine\n")

    refused = newcomer.init()
    assert (1, "# mine\n") == (refused.returncode, (newcomer.home / "mailward.toml").read_text())
    assert 0 == newcomer.init("--force").returncode
    assert "# mine" not in (newcomer.home / "mailward.toml").read_text()
