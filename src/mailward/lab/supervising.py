"""Starting the supervisor of each host."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import mailward
from mailward.lab.blueprint import Blueprint, LabHost
from mailward.lab.haproxy_conf import configuration_file
from mailward.lab.programs import SEARCH_PATH, program


def supervisor_plan(blueprint: Blueprint, host: LabHost) -> Mapping[str, object]:
    """What the host's supervisor.json says (`mailward.lab.supervisor.service.Plan`)."""
    ports = [blueprint.ports.imap, blueprint.ports.imaps, blueprint.ports.lmtp]
    if host.peer is not None:
        ports.append(blueprint.ports.doveadm)
    if host.is_proxy and blueprint.balancer is not None:
        ports.append(blueprint.ports.behind_balancer)
    return {
        "name": host.name,
        "command": [program("dovecot"), "-F", "-c", str(host.configuration)],
        "check": [program("doveconf"), "-c", str(host.configuration), "-h", "protocols"],
        "listeners": [[host.address, port] for port in ports],
        "output": str(host.directory / "log" / "output.log"),
        "works_in_children": True,
    }


def balancer_plan(blueprint: Blueprint, balancer: LabHost) -> Mapping[str, object]:
    """The same for HAProxy; -db keeps it in the foreground, as a single process."""
    haproxy = [program("haproxy"), "-f", str(configuration_file(balancer))]
    return {
        "name": balancer.name,
        "program": "haproxy",
        "command": [*haproxy, "-db"],
        "check": [*haproxy, "-c", "-q"],
        "listeners": [[balancer.address, blueprint.ports.imaps]],
        "output": str(balancer.directory / "log" / "output.log"),
    }


def supervise(host: LabHost, *, owned: bool) -> "subprocess.Popen[bytes]":
    """Start the supervisor of *host*, which starts its service; an owned one ends when its standard input does."""
    source = Path(mailward.__file__).parent.parent
    environment = {
        "PATH": SEARCH_PATH,
        "PYTHONPATH": str(source),
        "TZ": os.environ.get("TZ", "UTC"),
    }
    command = [sys.executable, "-S", "-m", "mailward.lab.supervisor", str(host.directory)]
    with (host.directory / "log" / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--owned" if owned else "--detached"],
            stdin=subprocess.PIPE if owned else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd=host.directory,
            start_new_session=True,
        )
    if not owned:
        process.wait()  # it goes on in a child of its own
    return process


def last_words(host: LabHost) -> str:
    """The newest line of the host's logs, for an error."""
    for log in (host.directory / "log" / "supervisor.log", host.directory / "log" / "output.log", host.log):
        with suppress(OSError):
            lines = log.read_text(errors="replace").strip().splitlines()
            if lines:
                return lines[-1]
    return "its logs are empty"
