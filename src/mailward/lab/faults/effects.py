"""The deeds all faults are made of, and waiting until they have taken effect."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import mailward
from mailward.lab import control
from mailward.lab.blueprint import Blueprint, LabHost
from mailward.lab.files import write_private
from mailward.lab.intruder import IN_PLACE
from mailward.lab.supervisor import processes
from mailward.lab.supervisor.processes import Process
from mailward.model.errors import PermanentFailure

_PATIENCE_S = 5.0


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """
    Return as soon as it *happened*.

    Raises:
        PermanentFailure: It did not within 5 s; the text says what was waited for.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not happened():
        if time.monotonic() > deadline:
            raise PermanentFailure(f"the lab waited in vain for {what}")
        time.sleep(0.01)


def service_processes(host: LabHost, title: str) -> list[Process]:
    """The processes of that host that Dovecot titles so, such as "imap-login" or "auth -w"; details are left out."""
    supervisor = control.ask(host.control_socket, "status")["supervisor"]
    assert isinstance(supervisor, int)
    wanted = f"dovecot-{host.name}/{title}"
    return [one for one in processes.descendants(supervisor) if one.title.partition(" [")[0].strip() == wanted]


def master_of(host: LabHost) -> int | None:
    """The process id of the host's Dovecot master, or None."""
    pid = control.ask(host.control_socket, "status").get("pid")
    return pid if isinstance(pid, int) else None


def reload(host: LabHost) -> None:
    """Reload the host's service and wait until new logins meet the new configuration. A stopped one stays as it is."""
    if master_of(host) is None:
        return
    before = {process.pid for process in service_processes(host, "imap-login")}
    control.ask(host.control_socket, "reload")
    wait_until(
        lambda: any(process.pid not in before for process in service_processes(host, "imap-login")),
        f"{host.name} to read its configuration again",
    )


def change_settings(host: LabHost, kind: str, text: str | None) -> None:
    """Add settings at the end of the host's configuration under the name of a fault, or take them out again."""
    file = host.fault_settings / f"{kind}.conf"
    if text is None:
        file.unlink(missing_ok=True)
    else:
        write_private(file, text)
    reload(host)


def launch(blueprint: Blueprint, part: str, *arguments: str) -> int:
    """
    Start one of the lab's intruders (`mailward.lab.intruder`) and wait until it is in place.

    Returns:
        Its process id. It ends with the lab, or by `dismiss`.

    Raises:
        PermanentFailure: It could not do what it is there for; the text is its own.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(Path(mailward.__file__).parent.parent),
    }
    command = [sys.executable, "-S", "-m", "mailward.lab.intruder", str(blueprint.directory), part, *arguments]
    listen, speak = os.pipe()
    try:
        pid = os.posix_spawn(
            command[0],
            command,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, speak, 1),
                (os.POSIX_SPAWN_DUP2, speak, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(speak)
    with os.fdopen(listen) as stream:
        first = stream.readline()
        if first.strip() == IN_PLACE:
            return pid
        words = (first + stream.read()).strip().splitlines()
    dismiss(pid)
    raise PermanentFailure(f"the lab's {part} did not get into place: {words[-1] if words else 'it said nothing'}")


def dismiss(pid: object) -> None:
    """End an intruder, if it still is one."""
    if not isinstance(pid, int):
        return
    process = processes.look_at(pid)
    if process is not None and "mailward.lab.intruder" in process.title:
        processes.send(signal.SIGKILL, [process])
    with suppress(ChildProcessError):  # somebody else's child, when another terminal heals
        os.waitpid(pid, 0)
