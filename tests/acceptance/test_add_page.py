"""The page on adding a server, executed in its order: a proxy joins while the manager watches."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from mailward.lab.lab import Lab
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.watch_configuration import Timings

from .test_catalogue import until

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-server.md"
RELOAD = "systemctl reload mailward"
#: The server of the page, and the one of the lab that stands in for it.
THERE, HERE = "proxy3", "proxy2"


def test_every_command_of_the_page_does_what_it_says(lab: Lab) -> None:
    main = lab.write_configuration(timings=Timings.SHORT)
    added = without(main, HERE)
    with ManagerProcess(main) as manager:
        until(lambda: manager.client.health(server="proxy1"), seconds=30)
        assert HERE not in [entry.name for entry in manager.client.servers()]
        try:
            added.parent.mkdir()
            added.write_text(added_text(lab))
            for command in commands():
                if command == RELOAD:
                    os.kill(manager.pid, signal.SIGHUP)  # what the unit does at a reload
                    until(lambda: HERE in [entry.name for entry in manager.client.servers()], seconds=30)
                    continue
                ran = mailward(command, main, manager)
                assert 0 == ran.returncode, f"{command}: {ran.stdout}{ran.stderr}"
            assert HERE in ran.stdout
        finally:
            added.unlink()
            added.parent.rmdir()


def commands() -> list[str]:
    """Those of the page for a proxy, in their order."""
    text = PAGE.read_text().replace(THERE, HERE)
    assert RELOAD in text
    found = re.findall(r"^ *[$#] ((?:mailward|systemctl) .*)$", text, re.MULTILINE)
    return [command.removeprefix("mailward ") for command in found if " accounts " not in command]


def without(main: Path, name: str) -> Path:
    """Take a server out of the configuration; return where the page puts it instead."""
    text = main.read_text()
    text = re.sub(rf"\[servers\.{name}\]\n(?:.+\n)+", "", text).replace(f', "{name}"', "")
    assert name not in text
    main.write_text(text)
    return main.parent / "conf.d" / f"{name}.toml"


def added_text(lab: Lab) -> str:
    """The table of the page, with what this lab has there."""
    block = re.search(r"```toml\n(.*?)```", PAGE.read_text().replace(THERE, HERE), re.DOTALL)
    assert block is not None
    host = lab.blueprint.host(HERE)
    lines = [line.strip() for line in block[1].splitlines()]
    text = "\n".join(lines).replace("192.0.2.12", host.address).replace(f"{HERE}.example.net", host.fqdn)
    more = (
        f"imap.port = {lab.blueprint.ports.imaps}",
        f'imap.source_address = "{lab.blueprint.prober}"',
        f'imap.tls.ca_file = "{lab.blueprint.ca_file}"',
        'health_mailbox.user = "health-proxy"',
        f'health_mailbox.password_file = "{lab.blueprint.secrets}/health-proxy.password"',
    )
    return "\n".join((text, *more, ""))


def mailward(command: str, main: Path, manager: ManagerProcess) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    where = ["--config", str(main)] if words[0] == "config" else ["--socket", str(manager.client.socket)]
    return subprocess.run(
        [sys.executable, "-m", "mailward.cli.main", *words, *where],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
