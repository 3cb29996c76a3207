"""scripts/uninstall takes away what `make setup` has installed, and nothing else; apt and dpkg are played."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
APT = """#!/bin/sh
set -eu
echo "apt-get $*" >>"$0.said"
named() { for word in "$@"; do case $word in -* | install | purge) ;; *) echo "$word" ;; esac; done; }
case "$*" in
    -s*purge*) named "$@" | sed 's/.*/Purg & [1.0]/'; cat "$0.along" ;;
    *install*)
        named "$@" | sed 'p; s/^/lib/' >>"$0.present"
        [ ! -e "$0.fails" ] || { echo "no room on the disk"; exit 100; } ;;
    *purge*) for name in $(named "$@"); do sed -i "/^$name\\$/d" "$0.present"; done ;;
esac
"""
DPKG = """#!/bin/sh
sed 's/^/ii /' "$(dirname "$0")/apt-get.present"
echo 'rc gone-but-configured'
"""


class Machine:
    """A copy of the repository's scripts, and a package manager with two packages."""

    def __init__(self, home: Path) -> None:
        self.copy = home / "copy"
        shutil.copytree(ROOT / "scripts", self.copy / "scripts")
        shutil.copy(ROOT / "Makefile", self.copy)
        self.bin = home / "bin"
        self.bin.mkdir()
        for name, text in (("apt-get", APT), ("dpkg-query", DPKG)):
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)
        (self.bin / "apt-get.present").write_text("bash\nlibc6\n")
        (self.bin / "apt-get.along").touch()

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        around = {"PATH": f"{self.bin}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            (self.copy / "scripts" / script, *words),
            cwd=self.copy.parent,
            env=around,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def packages(self) -> list[str]:
        return sorted((self.bin / "apt-get.present").read_text().split())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_came_with_a_package_goes_with_it_and_what_was_there_stays(machine):
    assert 0 == machine.run("apt_install", "dovecot-imapd", "haproxy").returncode
    assert 0 == machine.run("apt_install", "slapd").returncode
    assert 8 == len(machine.packages)
    for made in (".venv", ".cache/pip"):
        (machine.copy / made).mkdir(parents=True)

    done = machine.run("uninstall", "--yes")

    assert 0 == done.returncode, done.stderr
    assert ["bash", "libc6"] == machine.packages
    assert {"Makefile", "scripts"} == {path.name for path in machine.copy.iterdir()}


def test_without_a_yes_it_only_says_what_it_would_do(machine):
    machine.run("apt_install", "haproxy")

    said = machine.run("uninstall")

    assert "would purge: haproxy libhaproxy\n" in said.stdout
    assert ["bash", "haproxy", "libc6", "libhaproxy"] == machine.packages


def test_what_was_installed_since_and_needs_one_of_them_is_not_taken_along(machine):
    machine.run("apt_install", "haproxy")
    (machine.bin / "apt-get.along").write_text("Remv somebody-elses [2.0]\n")

    said = machine.run("uninstall", "--yes")

    assert 1 == said.returncode
    assert "somebody-elses would go along" in said.stderr
    assert "haproxy" in machine.packages


def test_what_came_before_an_installation_failed_is_written_down_and_the_failure_shown(machine):
    (machine.bin / "apt-get.fails").touch()

    failed = machine.run("apt_install", "haproxy")

    assert 1 == failed.returncode
    assert "no room on the disk" in failed.stderr
    assert "would purge: haproxy libhaproxy\n" in machine.run("uninstall").stdout


def test_where_nothing_was_installed_nothing_is_purged(machine):
    assert 0 == machine.run("uninstall", "--yes").returncode
    assert not (machine.bin / "apt-get.said").exists()
