"""packaging/install.sh and uninstall.sh in a private root. No environment is made: that needs a network."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, run, tree

INSTALL, UNINSTALL = ROOT / "packaging" / "install.sh", ROOT / "packaging" / "uninstall.sh"
UNIT = "/etc/systemd/system/mailward.service"
OURS = (UNIT, "/etc/sysusers.d/mailward.conf", "/etc/tmpfiles.d/mailward.conf", "/usr/local/bin/mailward")
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-sysusers") is None or shutil.which("systemd-tmpfiles") is None,
    reason="needs root, systemd-sysusers and systemd-tmpfiles",
)


def install(root: Path, *words: str):
    return run(INSTALL, "--root", root, "--keep-venv", *words)


def uninstall(root: Path, *words: str):
    return run(UNINSTALL, "--root", root, *words)


def files(root: Path) -> set[str]:
    """Every file but those of users, which the programs that make users leave."""
    users = {f"/etc/{name}{end}" for name in ("passwd", "group", "shadow", "gshadow", ".pwd.lock") for end in ("", "-")}
    return set(tree(root)) - users


def test_everything_comes_into_its_place_and_a_second_time_changes_nothing(private_root):
    first = install(private_root)
    before = tree(private_root)
    second = install(private_root)

    assert (0, 0) == (first.returncode, second.returncode), first.stderr + second.stderr
    assert set(OURS) <= before.keys()
    assert "-> /opt/mailward/venv/bin/mailward" == before["/usr/local/bin/mailward"]
    assert f"644 {(ROOT / 'packaging/systemd/mailward.service').read_text()}" == before[UNIT]
    assert {f"/usr/local/share/man/man1/{page.name}" for page in (ROOT / "docs/man").iterdir()} <= before.keys()
    assert before == tree(private_root)


def test_a_rehearsal_names_every_file_and_touches_none(private_root):
    said = install(private_root, "--dry-run")

    assert 0 == said.returncode, said.stderr
    assert [] == [path for path in OURS if f"would put: {private_root}{path}" not in said.stdout]
    assert {} == tree(private_root)


@pytest.mark.parametrize("path", OURS)
def test_a_file_of_somebody_else_is_not_overwritten_and_nothing_at_all_is_done(private_root, path):
    theirs = private_root / path.lstrip("/")
    theirs.parent.mkdir(parents=True)
    theirs.write_text("of somebody else\n")
    before = tree(private_root)

    said = install(private_root)

    assert 1 == said.returncode
    assert f"{private_root}{path} is there and is not what this script put there" in said.stderr
    assert before == tree(private_root)


def test_a_file_of_ours_that_was_changed_is_not_overwritten_either(private_root):
    install(private_root)
    unit = private_root / UNIT.lstrip("/")
    unit.write_text(unit.read_text() + "# mine\n")

    assert 1 == install(private_root).returncode
    assert unit.read_text().endswith("# mine\n")


def test_an_older_version_of_ours_is_replaced(private_root, tmp_path):
    older = tmp_path / "older"
    for folder in ("packaging", "docs/man"):
        shutil.copytree(ROOT / folder, older / folder)
    unit = older / "packaging/systemd/mailward.service"
    unit.write_text(unit.read_text().replace("RestartSec=5", "RestartSec=9"))
    assert 0 == run(older / "packaging/install.sh", "--root", private_root, "--keep-venv").returncode
    assert "RestartSec=9" in tree(private_root)[UNIT]

    assert 0 == install(private_root).returncode

    assert "RestartSec=5" in tree(private_root)[UNIT]


def test_uninstalling_asks_what_is_to_become_of_the_configuration_first(private_root):
    install(private_root)
    before = tree(private_root)

    said = uninstall(private_root)

    assert 2 == said.returncode
    assert "--keep" in said.stderr
    assert before == tree(private_root)


def test_what_the_administrator_keeps_is_all_that_is_left(private_root):
    install(private_root)
    kept = {"etc/mailward/mailward.toml": "mine", "var/lib/mailward/mailward.db": "known"}
    for name, text in kept.items():
        (private_root / name).write_text(text)

    said = uninstall(private_root, "--keep")

    assert 0 == said.returncode, said.stderr
    assert {f"/{name}" for name in kept} == files(private_root)
    assert "mailward:" in tree(private_root)["/etc/passwd"]


def test_purged_nothing_is_left_of_it_neither_user_nor_changed_files(private_root):
    install(private_root)
    (private_root / UNIT.lstrip("/")).write_text("changed\n")
    (private_root / "etc/mailward/mailward.toml").write_text("mine")
    (private_root / "var/lib/mailward/mailward.db").write_text("known")

    said = uninstall(private_root, "--purge")

    assert 0 == said.returncode, said.stderr
    assert set() == files(private_root)
    assert "mailward" not in tree(private_root)["/etc/passwd"]
    assert [] == list(private_root.rglob("*mailward*"))


def test_what_was_there_before_is_there_after_it_was_uninstalled(private_root):
    others = {
        "etc/systemd/system/dovecot.service": "theirs",
        "usr/local/bin/other": "theirs",
        "opt/other/file": "theirs",
    }
    for name, text in others.items():
        (private_root / name).parent.mkdir(parents=True, exist_ok=True)
        (private_root / name).write_text(text)

    install(private_root)
    uninstall(private_root, "--purge")

    assert {f"/{name}" for name in others} == files(private_root)


def test_a_rehearsed_uninstall_removes_nothing(private_root):
    install(private_root)
    before = tree(private_root)

    said = uninstall(private_root, "--purge", "--dry-run")

    assert f"would remove: {private_root}/etc/mailward" in said.stdout
    assert before == tree(private_root)


@pytest.mark.parametrize("words", [("--root",), ("--root", "/nowhere"), ("--rot", "/")])
def test_a_wrong_command_line_does_nothing(words):
    for script in (INSTALL, UNINSTALL):
        assert run(script, *words).returncode in (1, 2)


def test_the_environment_is_made_from_the_runtime_lock_with_hashes_and_swapped_when_it_is_whole(private_root, tmp_path):
    program = tmp_path / "python"
    program.write_text(fake_python(tmp_path / "said"))
    program.chmod(0o755)

    first = run(INSTALL, "--root", private_root, "--python", program)
    assert 0 == first.returncode, first.stderr
    link = private_root / "opt/mailward/venv"
    before = link.readlink()
    said = (tmp_path / "said").read_text()
    assert "--require-hashes --only-binary :all: -r packaging/runtime.lock" in said
    assert " -e " not in said, "the service does not depend on this copy"

    program.write_text(fake_python(tmp_path / "said", fails=True))
    failed = run(INSTALL, "--root", private_root, "--python", program)
    assert 1 == failed.returncode
    assert "what was installed is as it was" in failed.stderr
    assert before == link.readlink()
    assert [before.name] == [path.name for path in link.parent.glob("venv-*")]


def fake_python(said: Path, *, fails: bool = False) -> str:
    """A Python whose `-m venv` makes a folder with itself in it, and that only writes down what pip is to do."""
    return f"""#!/bin/sh
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip") echo "$*" >>{said}; {"exit 1" if fails else "exit 0"} ;;
    *) exec {sys.executable} "$@" ;;
esac
"""
