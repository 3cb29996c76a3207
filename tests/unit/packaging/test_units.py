"""The unit, its user and its directories, as systemd's own programs read them; nothing here is started by a systemd."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, tree

UNIT = ROOT / "packaging" / "systemd" / "mailward.service"
#: systemd.unit(5), systemd.service(5), systemd.exec(5) and systemd.kill(5), what is used of them.
KNOWN = {
    "Unit": {"Description", "Documentation", "Wants", "After", "StartLimitIntervalSec", "StartLimitBurst"},
    "Service": {
        "Type",
        "ExecStart",
        "ExecReload",
        "User",
        "Group",
        "TimeoutStartSec",
        "TimeoutStopSec",
        "KillMode",
        "Restart",
        "RestartSec",
        "WatchdogSec",
        "Environment",
        "LimitCORE",
        "LimitNOFILE",
        "StateDirectory",
        "StateDirectoryMode",
        "RuntimeDirectory",
        "RuntimeDirectoryMode",
        "ConfigurationDirectory",
        "ConfigurationDirectoryMode",
        "UMask",
        "NoNewPrivileges",
        "CapabilityBoundingSet",
        "AmbientCapabilities",
        "ProtectSystem",
        "ProtectHome",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectClock",
        "ProtectControlGroups",
        "ProtectHostname",
        "ProtectKernelLogs",
        "ProtectKernelModules",
        "ProtectKernelTunables",
        "RestrictAddressFamilies",
        "RestrictNamespaces",
        "RestrictRealtime",
        "RestrictSUIDSGID",
        "LockPersonality",
        "MemoryDenyWriteExecute",
        "KeyringMode",
        "RemoveIPC",
        "SystemCallArchitectures",
        "SystemCallFilter",
        "SystemCallErrorNumber",
    },
    "Install": {"WantedBy"},
}
has_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd-analyze")
as_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-sysusers") is None or shutil.which("systemd-tmpfiles") is None,
    reason="needs root, systemd-sysusers and systemd-tmpfiles",
)


def settings() -> dict[str, dict[str, str]]:
    """The unit's settings by section."""
    found: dict[str, dict[str, str]] = {}
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section[key] = value
    return found


@pytest.fixture
def startable(tmp_path: Path) -> Path:
    """The unit with a program that this machine has: systemd-analyze looks for it."""
    unit = tmp_path / "mailward.service"
    unit.write_text(UNIT.read_text().replace("/opt/mailward/venv/bin/mailward", sys.executable))
    return unit


def test_every_directive_of_the_unit_is_a_known_one():
    assert {section: set() for section in KNOWN} == {
        section: set(keys) - KNOWN.get(section, set()) for section, keys in settings().items()
    }


@has_analyze
def test_systemd_finds_nothing_wrong_with_the_unit(startable):
    said = subprocess.run(
        ("systemd-analyze", "verify", "--man=no", startable), capture_output=True, text=True, timeout=60, check=False
    )

    assert (0, "") == (said.returncode, ours(said.stderr))


@has_analyze
def test_a_directive_that_systemd_does_not_know_is_noticed(startable):
    startable.write_text(startable.read_text().replace("WatchdogSec=", "WatchdogSecs="))

    said = subprocess.run(
        ("systemd-analyze", "verify", "--man=no", startable), capture_output=True, text=True, timeout=60, check=False
    )

    assert "WatchdogSecs" in ours(said.stderr)


@has_analyze
def test_systemd_calls_the_unit_well_confined(startable):
    said = subprocess.run(
        ("systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", startable),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 0 == said.returncode, said.stdout


def ours(text: str) -> str:
    """What systemd-analyze says of this unit; of other units of this machine it may say more."""
    return "\n".join(line for line in text.splitlines() if "mailward" in line)


def test_the_socket_is_where_the_command_line_looks_for_it():
    service = settings()["Service"]

    assert "--socket /run/mailward/api.sock" in service["ExecStart"]
    assert ("mailward", "0750") == (service["RuntimeDirectory"], service["RuntimeDirectoryMode"])


def test_the_watchdog_waits_longer_than_an_end_may_take_and_restarts_have_a_limit():
    unit, service = settings()["Unit"], settings()["Service"]

    assert "notify" == service["Type"], "notify-reload is not known before systemd 253"
    assert 30 == int(service["WatchdogSec"]) > int(service["TimeoutStopSec"])
    assert ("on-failure", "5", "10min") == (
        service["Restart"],
        unit["StartLimitBurst"],
        unit["StartLimitIntervalSec"],
    )


@pytest.mark.parametrize("directive", ["ProtectProc", "ProcSubset", "PrivateUsers", "PrivateNetwork", "IPAddressDeny"])
def test_what_would_blind_or_bind_mailward_is_left_out_and_the_page_says_why(directive):
    page = (ROOT / "docs" / "how-to" / "systemd.md").read_text()

    assert directive not in settings()["Service"]
    assert f"`{directive}=" in page


def test_the_polkit_rule_of_the_page_is_the_one_that_ships():
    rule = (ROOT / "packaging" / "systemd" / "50-mailward.rules").read_text()
    page = (ROOT / "docs" / "how-to" / "control-hosts.md").read_text()

    (shown,) = re.findall(r"^```js\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert shown == "".join(line for line in rule.splitlines(keepends=True) if not line.startswith("//"))


@as_root
def test_user_and_directories_are_made_as_they_must_be(private_root, packaging):
    for program, kind in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles", "tmpfiles")):
        create = ("--create",) if kind == "tmpfiles" else ()
        file = packaging / "systemd" / f"mailward.{kind}"
        subprocess.run((program, f"--root={private_root}", *create, file), capture_output=True, timeout=60, check=True)

    (entry,) = [line for line in tree(private_root)["/etc/passwd"].splitlines() if "mailward" in line]
    _, _, uid, gid, *_, home, shell = entry.removeprefix("644 ").split(":")
    assert ("/var/lib/mailward", "/usr/sbin/nologin") == (home, shell)
    owned = {
        name: (f"{seen.st_mode & 0o7777:o}", seen.st_uid, seen.st_gid)
        for name in ("etc/mailward", "etc/mailward/secrets", "var/lib/mailward")
        if (seen := (private_root / name).stat())
    }
    assert {
        "etc/mailward": ("2750", 0, int(gid)),
        "etc/mailward/secrets": ("700", int(uid), int(gid)),
        "var/lib/mailward": ("700", int(uid), int(gid)),
    } == owned
