"""mailward-host on a mail server, as its scripts put it there: in a private root, nothing else of mailward near."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mailward.platforms.reach.mailward_host import SUDO, Host, argv_of, sudoers, verbs_of

from .conftest import ROOT, run, tree

FOLDER = ROOT / "packaging" / "mailward-host"
PROGRAM = "/usr/local/lib/mailward-host/mailward_host.py"
HOME = "/var/lib/mailward-host"
KEYS, INI, SUDOERS = f"{HOME}/.ssh/authorized_keys", "/etc/mailward-host.ini", "/etc/sudoers.d/mailward-host"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOurOwnKeyThatNobodyHasThePrivateHalfOf00000 mailward"
as_root = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("useradd") is None, reason="needs root and useradd")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The files as they are brought to a mail server, where nothing else of mailward is."""
    there = tmp_path / "brought"
    there.mkdir()
    for file in (
        *FOLDER.iterdir(),
        ROOT / "packaging/placing.sh",
        ROOT / "src/mailward/platforms/reach/mailward_host.py",
    ):
        shutil.copy(file, there)
    (there / "looks.pub").write_text(f"{KEY}\n")
    (there / "acts.pub").write_text(f"{KEY}-acts\n")
    return there


@pytest.fixture
def mail_server(private_root: Path) -> Path:
    for name in ("passwd", "group"):
        (private_root / "etc" / name).touch()
    return private_root


def install(copied: Path, root: Path, *words: str):
    return run(copied / "install.sh", "--root", root, *words)


def looks(copied: Path) -> tuple[str, ...]:
    return ("--looks", str(copied / "looks.pub"), "--from", "192.0.2.10")


def users(root: Path) -> str:
    return (root / "etc/passwd").read_text()


@as_root
def test_everything_belongs_to_root_and_the_account_cannot_give_itself_more_rights(copied, mail_server):
    said = install(copied, mail_server, *looks(copied))

    assert 0 == said.returncode, said.stderr
    owned = {
        path: (seen.st_uid, seen.st_gid, f"{seen.st_mode & 0o7777:o}")
        for path in (HOME, f"{HOME}/.ssh", KEYS, PROGRAM, PROGRAM.rpartition("/")[0], INI, SUDOERS)
        if (seen := (mail_server / path.lstrip("/")).stat())
    }
    assert {path: (0, 0, mode) for path, mode in (
        (HOME, "755"), (f"{HOME}/.ssh", "755"), (KEYS, "644"), (PROGRAM, "644"), (PROGRAM.rpartition("/")[0], "755"),
        (INI, "644"), (SUDOERS, "440"),
    )} == owned  # fmt: skip
    assert f":{HOME}:/bin/sh" in users(mail_server)


@as_root
def test_the_keys_have_the_forced_command_of_the_example(copied, mail_server):
    install(copied, mail_server, *looks(copied), "--acts", str(copied / "acts.pub"))

    lines = (mail_server / KEYS.lstrip("/")).read_text().splitlines()
    example = (FOLDER / "authorized_keys.example").read_text().splitlines()
    shown = [line.partition(" ssh-ed25519 ")[0] for line in example if not line.startswith("#")]
    assert shown == [line.partition(" ssh-ed25519 ")[0] for line in lines if not line.startswith("#")]
    assert (KEY, f"{KEY}-acts") == (lines[1][-len(KEY) :], lines[2][-len(KEY) - 5 :])


@as_root
def test_sudo_allows_what_the_program_asks_it_for_and_nothing_else(copied, mail_server):
    (mail_server / INI.lstrip("/")).write_text("[host]\npeers = tcps:mbx2.example.net:4711\nrestart_server = yes\n")

    said = install(copied, mail_server)

    assert 0 == said.returncode, said.stderr
    host = Host(
        unit="dovecot.service",
        config="/etc/dovecot/dovecot.conf",
        may_restart_server=True,
        peers=("tcps:mbx2.example.net:4711",),
    )
    written = (mail_server / SUDOERS.lstrip("/")).read_text()
    assert sudoers(host) == written
    asked = [" ".join(argv_of(name, host)[len(SUDO) :]) for name, verb in verbs_of(host).items() if verb.root]
    allowed = [line.partition("NOPASSWD: ")[2].replace("\\", "") for line in written.splitlines()[1:]]
    assert sorted(asked) == sorted(allowed)


def test_the_sudoers_that_ship_are_those_of_the_configuration_that_ships():
    assert sudoers(Host(unit="dovecot.service", config="/etc/dovecot/dovecot.conf")) == (FOLDER / "sudoers").read_text()


@as_root
def test_a_second_time_changes_nothing_and_a_new_version_comes_into_place(copied, mail_server):
    install(copied, mail_server, *looks(copied))
    before = tree(mail_server)

    assert 0 == install(copied, mail_server, *looks(copied)).returncode
    assert before == tree(mail_server)

    newer = copied / "mailward_host.py"
    newer.write_text(newer.read_text() + "# newer\n")
    assert 0 == install(copied, mail_server).returncode
    assert {PROGRAM, f"{PROGRAM.rpartition('/')[0]}/installed"} == {
        path for path, text in tree(mail_server).items() if before[path] != text
    }


@as_root
@pytest.mark.parametrize("path", [PROGRAM, KEYS, SUDOERS])
def test_a_file_of_somebody_else_is_not_overwritten_and_nothing_at_all_is_done(copied, mail_server, path):
    theirs = mail_server / path.lstrip("/")
    theirs.parent.mkdir(parents=True)
    theirs.write_text("of somebody else\n")
    before = tree(mail_server)

    said = install(copied, mail_server, *looks(copied))

    assert 1 == said.returncode
    assert f"{mail_server}{path} is there and is not what this script put there" in said.stderr
    assert before == tree(mail_server)


@as_root
def test_a_configuration_that_is_there_is_kept(copied, mail_server):
    ini = mail_server / INI.lstrip("/")
    ini.write_text("[host]\nunit = dovecot@2.service\n")

    install(copied, mail_server)

    assert "[host]\nunit = dovecot@2.service\n" == ini.read_text()
    assert "restart -- dovecot@2.service\n" in (mail_server / SUDOERS.lstrip("/")).read_text()


@as_root
def test_a_wrong_configuration_is_named_and_nothing_is_done(copied, mail_server):
    (mail_server / INI.lstrip("/")).write_text("[host]\nunits = dovecot.service\n")
    before = tree(mail_server)

    said = install(copied, mail_server, *looks(copied))

    assert 1 == said.returncode
    assert "unknown key 'units'" in said.stderr
    assert before == tree(mail_server)


@pytest.mark.parametrize(
    "text",
    ["", "no key\n", f'command="/bin/sh" {KEY}\n', f"{KEY}\n{KEY}\n", f'{KEY} "a', f'{KEY}\nfrom="*" {KEY}\n'],
)
def test_what_is_not_one_plain_public_key_is_refused(copied, mail_server, text):
    (copied / "looks.pub").write_text(text)

    said = install(copied, mail_server, *looks(copied))

    assert 1 == said.returncode
    assert "is not one public key" in said.stderr
    assert not (mail_server / KEYS.lstrip("/")).exists()


def test_a_key_without_the_managers_address_is_refused(copied, mail_server):
    said = install(copied, mail_server, "--looks", str(copied / "looks.pub"))

    assert 1 == said.returncode
    assert "--from" in said.stderr


def test_a_rehearsal_names_every_file_and_touches_none(copied, mail_server):
    before = tree(mail_server)

    said = install(copied, mail_server, *looks(copied), "--dry-run")

    assert 0 == said.returncode, said.stderr
    assert [] == [
        path for path in (PROGRAM, INI, SUDOERS, KEYS) if f"would put: {mail_server}{path}" not in said.stdout
    ]
    assert before == tree(mail_server)


@as_root
def test_uninstalled_nothing_is_left_but_what_was_edited(copied, mail_server):
    before = tree(mail_server)
    install(copied, mail_server, *looks(copied))
    assert 2 == run(copied / "uninstall.sh", "--root", mail_server).returncode

    said = run(copied / "uninstall.sh", "--root", mail_server, "--keep")
    assert 0 == said.returncode, said.stderr
    assert {INI} == tree(mail_server).keys() - before.keys() - {"/etc/passwd-", "/etc/group-"}
    assert "mailward-host" not in users(mail_server)

    install(copied, mail_server, *looks(copied))
    assert 0 == run(copied / "uninstall.sh", "--root", mail_server, "--purge").returncode
    assert set() == tree(mail_server).keys() - before.keys() - {"/etc/passwd-", "/etc/group-"}
    assert [] == list(mail_server.rglob("*mailward*"))


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="this machine has no /usr/bin/python3")
def test_the_one_file_answers_with_the_systems_python_alone(tmp_path):
    program = tmp_path / "mailward_host.py"
    shutil.copy(ROOT / "src/mailward/platforms/reach/mailward_host.py", program)

    # isolated, without site-packages: nothing but the standard library is in reach
    said = subprocess.run(
        ("/usr/bin/python3", "-I", "-S", program, "--read-only", "--config", tmp_path / "none.ini"),
        env={"SSH_ORIGINAL_COMMAND": "status"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    answer = json.loads(said.stdout)
    assert not answer["ok"]
    assert "none.ini cannot be read" in answer["error"]
